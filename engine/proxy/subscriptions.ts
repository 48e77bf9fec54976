/**
 * Shell: pub/sub through a proxy. Clients subscribe here, in the engine's own PubSub; the proxy in
 * turn subscribes once for all of them, on one connection to each primary:
 *
 *     channels, shard channels   at the primary that owns the channel's slot (PUBLISH goes there)
 *     patterns                   at every primary
 *
 * A message may come more than once on such a connection, for its channel and for each pattern that
 * fits. It is handed to the clients once: by its channel if that is subscribed there, else by the
 * first pattern of that connection that fits. What is subscribed is known exactly, because
 * confirmations and messages come in one order.
 */
import { globMatches } from '../command/glob.ts';
import type { PubSub, SubscriptionKind } from '../command/pubsub.ts';
import { slotOf } from '../keyspace/slot.ts';
import type { Sockets } from '../net/connection.ts';
import type { Reply } from '../resp/reply-parser.ts';
import type { Router } from './router.ts';
import { kindLetter, SubscriberLink } from './subscriber-link.ts';
import type { Login, UpstreamAddress } from './upstream.ts';

const KEY_EVENT = /^__key(space|event)@0__:/;
/** A client waits so long for the members' confirmation; then it is subscribed all the same. */
const CONFIRM_MS = 5000;

type Waiter = {
  readonly kind: SubscriptionKind;
  readonly names: readonly string[];
  readonly done: () => void;
  readonly timer: NodeJS.Timeout;
};

export type SubscriptionSetting = {
  readonly sockets: Sockets;
  readonly login: Login | null;
  readonly pubsub: PubSub;
  readonly router: Router;
};

export class Subscriptions {
  private readonly setting: SubscriptionSetting;
  private readonly links = new Map<string, SubscriberLink>();
  private waiters: Waiter[] = [];
  private closing = false;

  constructor(setting: SubscriptionSetting) {
    this.setting = setting;
  }

  /** Calls `done` when messages of these names reach this proxy, or after 5 s. */
  ensure(kind: SubscriptionKind, names: readonly string[], done: () => void): void {
    for (const name of names) {
      for (const link of this.linksFor(kind, name)) link.want(kind, name);
    }
    if (names.every((name) => this.isActive(kind, name))) {
      done();
      return;
    }
    const waiter: Waiter = {
      kind,
      names,
      done,
      timer: setTimeout(() => this.settle(waiter), CONFIRM_MS),
    };
    this.waiters.push(waiter);
  }

  /** Ends those of these subscriptions that no client needs any more. */
  review(kind: SubscriptionKind, names: readonly string[]): void {
    for (const name of names) {
      if (this.isWanted(kind, name)) continue;
      for (const link of this.links.values()) link.unwant(kind, name);
    }
  }

  /** Moves every subscription to where it belongs by the map in force. */
  mapChanged(): void {
    const { router, pubsub } = this.setting;
    const primaries = this.primaries();
    for (const [name, link] of this.links) {
      const now = primaries.find((address) => address.name === name);
      if (now && now.host === link.address.host && now.port === link.address.port) continue;
      link.close();
      this.links.delete(name);
    }
    if (router.map === null) return;
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      const waited = this.waiters.filter((w) => w.kind === kind).flatMap((w) => w.names);
      for (const name of new Set([...pubsub.names(kind, null), ...waited])) {
        const right = new Set(this.linksFor(kind, name));
        for (const link of right) link.want(kind, name);
        for (const link of this.links.values()) if (!right.has(link)) link.unwant(kind, name);
      }
    }
    this.check();
  }

  close(): void {
    this.closing = true;
    for (const waiter of this.waiters) clearTimeout(waiter.timer);
    this.waiters = [];
    for (const link of this.links.values()) link.close();
    this.links.clear();
  }

  private isWanted(kind: SubscriptionKind, name: string): boolean {
    return (
      this.setting.pubsub.listenersOf(kind, name) > 0 ||
      this.waiters.some((waiter) => waiter.kind === kind && waiter.names.includes(name))
    );
  }

  private isActive(kind: SubscriptionKind, name: string): boolean {
    const links = this.linksFor(kind, name);
    return links.length > 0 && links.every((link) => link.confirmed.has(kindLetter(kind) + name));
  }

  private primaries(): UpstreamAddress[] {
    const { router } = this.setting;
    return (router.map?.shards ?? []).flatMap((_, i) => router.primary(i)?.address ?? []);
  }

  private linksFor(kind: SubscriptionKind, name: string): SubscriberLink[] {
    const { router } = this.setting;
    // Each member tells of its own keys.
    const isEverywhere = kind === 'pattern' || KEY_EVENT.test(name);
    if (isEverywhere) return this.primaries().map((address) => this.link(address));
    const bytes = Buffer.from(name, 'latin1');
    const address = router.primary(router.shardOf(slotOf(bytes, 0, bytes.length)))?.address;
    return address ? [this.link(address)] : [];
  }

  private link(address: UpstreamAddress): SubscriberLink {
    let link = this.links.get(address.name);
    if (link === undefined) {
      const { sockets, login } = this.setting;
      link = new SubscriberLink(sockets, address, login, {
        confirmed: () => this.check(),
        message: (items) => this.deliver(link!, items),
      });
      this.links.set(address.name, link);
    }
    return link;
  }

  private check(): void {
    if (this.closing) return;
    for (const waiter of [...this.waiters]) {
      if (waiter.names.every((name) => this.isActive(waiter.kind, name))) this.settle(waiter);
    }
  }

  private settle(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.waiters = this.waiters.filter((other) => other !== waiter);
    waiter.done();
  }

  private deliver(link: SubscriberLink, items: readonly Reply[]): void {
    const { pubsub } = this.setting;
    const [type, first, second, third] = items as string[];
    if (type === 'message') pubsub.deliver(first, second);
    else if (type === 'smessage') pubsub.deliverShard(first, second);
    else if (type === 'pmessage' && speaksFor(link, first, second)) pubsub.deliver(second, third);
  }
}

/** Whether this pattern is the one by which a message of the channel is to be handed on. */
function speaksFor(link: SubscriberLink, pattern: string, channel: string): boolean {
  if (link.confirmed.has(kindLetter('channel') + channel)) return false;
  const letter = kindLetter('pattern');
  for (const name of link.confirmed) {
    if (name.startsWith(letter) && globMatches(name.slice(1), channel)) {
      return name.slice(1) === pattern;
    }
  }
  return false;
}
