/**
 * Shell: the one connection on which a proxy listens to a primary, for all of its clients.
 *
 * It is dialled when something is wanted, and again as long as something is; each time everything
 * wanted is subscribed afresh.
 */
import type { SubscriptionKind } from '../command/pubsub.ts';
import type { Connection, Sockets } from '../net/connection.ts';
import { PushMessage, type Reply, ReplyParser, RespError } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { Login, UpstreamAddress } from './upstream.ts';

const REDIAL_MS = 100;

export interface SubscriberEvents {
  /** `confirmed` has changed. */
  confirmed(): void;
  message(items: readonly Reply[]): void;
}

const LETTERS: Readonly<Record<SubscriptionKind, string>> = {
  channel: 'c',
  pattern: 'p',
  shard: 's',
};
const PREFIXES: Readonly<Record<string, string>> = { c: '', p: 'P', s: 'S' };

/** The letter that stands before a name in `confirmed`. */
export function kindLetter(kind: SubscriptionKind): string {
  return LETTERS[kind];
}

export class SubscriberLink {
  readonly address: UpstreamAddress;
  /** Letter and name of everything the member has confirmed, in the order of the confirmations. */
  readonly confirmed = new Set<string>();

  private readonly sockets: Sockets;
  private readonly login: Login | null;
  private readonly events: SubscriberEvents;
  private readonly wanted = new Set<string>();
  private connection: Connection | null = null;
  private dialling = false;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    sockets: Sockets,
    address: UpstreamAddress,
    login: Login | null,
    events: SubscriberEvents,
  ) {
    this.sockets = sockets;
    this.address = address;
    this.login = login;
    this.events = events;
  }

  want(kind: SubscriptionKind, name: string): void {
    const item = LETTERS[kind] + name;
    if (this.wanted.has(item)) return;
    this.wanted.add(item);
    if (this.connection !== null) this.tell('SUBSCRIBE', item);
    else void this.dial();
  }

  unwant(kind: SubscriptionKind, name: string): void {
    const item = LETTERS[kind] + name;
    if (this.wanted.delete(item) && this.connection !== null) this.tell('UNSUBSCRIBE', item);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.connection?.destroy();
  }

  private tell(verb: string, item: string): void {
    const name = Buffer.from(item.slice(1), 'latin1');
    this.connection?.write(encodeRequest([PREFIXES[item[0]] + verb, name]));
  }

  private async dial(): Promise<void> {
    if (this.dialling || this.closed) return;
    this.dialling = true;
    const { host, port } = this.address;
    const connection = await this.sockets
      .connect({ host, port, timeoutMs: 2000 })
      .catch(() => null);
    this.dialling = false;
    if (this.closed) {
      connection?.destroy();
      return;
    }
    if (connection === null) {
      this.redial();
      return;
    }
    this.connection = connection;
    const replies = new ReplyParser();
    connection.onData = (chunk) => {
      replies.push(chunk);
      for (let r = replies.next(); r !== undefined; r = replies.next()) this.received(r);
      if (replies.error !== null) connection.destroy();
    };
    connection.onEnd = () => connection.destroy();
    connection.onClose = () => {
      this.connection = null;
      this.confirmed.clear();
      this.redial();
    };
    if (this.login !== null) connection.write(encodeRequest(['AUTH', ...this.login]));
    connection.write(encodeRequest(['CRDT.ROUTED']));
    for (const item of this.wanted) this.tell('SUBSCRIBE', item);
  }

  private redial(): void {
    if (this.closed || this.wanted.size === 0 || this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.dial();
    }, REDIAL_MS);
  }

  private received(reply: Reply): void {
    // A refusal (loading, wrong password): try again on a new connection. But a member of an older
    // version does not know CRDT.ROUTED, and looks at no slots.
    if (reply instanceof RespError) {
      if (reply.error.includes("'CRDT.ROUTED'")) return;
      this.connection?.destroy();
      return;
    }
    const items = reply instanceof PushMessage ? reply.items : reply;
    if (!Array.isArray(items)) return;
    const [type, name] = items;
    const confirmation = /^([ps]?)(un)?subscribe$/.exec(String(type));
    if (confirmation === null) {
      this.events.message(items);
      return;
    }
    const item = (confirmation[1] || 'c') + String(name);
    if (confirmation[2] === undefined) this.confirmed.add(item);
    else this.confirmed.delete(item);
    this.events.confirmed();
  }
}
