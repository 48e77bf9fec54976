/**
 * Channels, patterns, and who listens. A message is framed once per protocol and handed to every
 * listener as bytes. Messages of other members and regions come in by `deliver` as well.
 */
import { ReplyWriter } from '../resp/reply-writer.ts';
import { globMatches } from './glob.ts';
import type { ClientSession } from './session.ts';

export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

type Listeners = Map<string, Set<ClientSession>>;

export class PubSub {
  private readonly channels: Listeners = new Map();
  private readonly patterns: Listeners = new Map();
  private readonly shardChannels: Listeners = new Map();
  private readonly writers = { 2: new ReplyWriter(), 3: new ReplyWriter() };

  constructor() {
    this.writers[3].protocol = 3;
  }

  /** Returns false when the session listened already. */
  subscribe(session: ClientSession, kind: SubscriptionKind, name: string): boolean {
    const own = ownNames(session, kind);
    if (own.has(name)) return false;
    own.add(name);
    const listeners = this.listeners(kind);
    const sessions = listeners.get(name);
    if (sessions) sessions.add(session);
    else listeners.set(name, new Set([session]));
    return true;
  }

  /** Returns false when the session did not listen. */
  unsubscribe(session: ClientSession, kind: SubscriptionKind, name: string): boolean {
    if (!ownNames(session, kind).delete(name)) return false;
    const listeners = this.listeners(kind);
    const sessions = listeners.get(name);
    sessions?.delete(session);
    if (sessions?.size === 0) listeners.delete(name);
    return true;
  }

  /** Ends all subscriptions without telling the client. */
  leaveAll(session: ClientSession): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of [...ownNames(session, kind)]) this.unsubscribe(session, kind, name);
    }
  }

  /** Hands a message to the listeners of this process. Returns how many got it. */
  deliver(channel: string, message: string): number {
    let count = 0;
    const sessions = this.channels.get(channel);
    if (sessions) count += this.send(sessions, ['message', channel, message]);
    for (const [pattern, listeners] of this.patterns) {
      if (!globMatches(pattern, channel)) continue;
      count += this.send(listeners, ['pmessage', pattern, channel, message]);
    }
    return count;
  }

  /** The same for shard channels. */
  deliverShard(channel: string, message: string): number {
    const sessions = this.shardChannels.get(channel);
    return sessions ? this.send(sessions, ['smessage', channel, message]) : 0;
  }

  /** Names with listeners; with `pattern`, only those that fit it. */
  names(kind: SubscriptionKind, pattern: string | null): string[] {
    const names = [...this.listeners(kind).keys()];
    return pattern === null ? names : names.filter((name) => globMatches(pattern, name));
  }

  listenersOf(kind: SubscriptionKind, name: string): number {
    return this.listeners(kind).get(name)?.size ?? 0;
  }

  /** Hands one session a message that `write` makes in its protocol. */
  pushTo(session: ClientSession, write: (writer: ReplyWriter) => void): void {
    const writer = this.writers[session.output.protocol];
    writer.reset();
    write(writer);
    session.push(writer.take());
  }

  private send(sessions: ReadonlySet<ClientSession>, parts: readonly string[]): number {
    const framed: (Uint8Array | null)[] = [null, null];
    for (const session of sessions) {
      const { protocol } = session.output;
      const writer = this.writers[protocol];
      let frame = framed[protocol - 2];
      if (frame === null) {
        writer.reset();
        writer.push(parts.length);
        for (const part of parts) writer.bulk(part);
        frame = framed[protocol - 2] = writer.take();
      }
      session.push(frame);
    }
    return sessions.size;
  }

  private listeners(kind: SubscriptionKind): Listeners {
    if (kind === 'channel') return this.channels;
    return kind === 'pattern' ? this.patterns : this.shardChannels;
  }
}

/** What the session listens to, by kind. */
export function ownNames(session: ClientSession, kind: SubscriptionKind): Set<string> {
  if (kind === 'channel') return session.channels;
  return kind === 'pattern' ? session.patterns : session.shardChannels;
}
