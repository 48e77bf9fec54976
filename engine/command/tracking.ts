/**
 * Client tracking: clients that keep copies of values are told when those may have changed.
 *
 *     default mode   a key that a client reads is remembered; its next change is told once
 *     BCAST          every change of a key with one of the client's prefixes is told
 *
 * Changes come from the database's hook, so those of other regions, expiry and eviction are told like
 * those of clients. A change is noted while a command runs and told after its reply, to the client
 * itself too unless it wants NOLOOP. Nothing of this runs while nobody tracks.
 */
import type { Args } from '../resp/args.ts';
import { findKeys } from './command-describe.ts';
import type { Setting } from './config-store.ts';
import { DATA, type Entry } from './dispatch.ts';
import type { ClientSession } from './session.ts';
import { numberSetting } from './setting-kinds.ts';
import type { KeyListener, TouchedKeys } from './touched-keys.ts';

export const INVALIDATE_CHANNEL = '__redis__:invalidate';
/** Default of tracking-table-max-keys. */
export const TRACKED_KEYS_MAX = 1_000_000;
/** So many keys at most are given up in one tick. */
const GIVEN_UP_MAX = 1000;

export type TrackingMode = {
  readonly broadcast: boolean;
  readonly optIn: boolean;
  readonly optOut: boolean;
  readonly noLoop: boolean;
  /** The client that is told instead; 0: this one. */
  readonly redirect: number;
  readonly prefixes: readonly string[];
};

/** A client that tracks. */
export type Tracker = TrackingMode & {
  /** CLIENT CACHING: what holds for the next command only. */
  caching: 'yes' | 'no' | null;
  /** The client that was to be told is gone. */
  redirectBroken: boolean;
};

export class Tracking implements KeyListener {
  keysMax = TRACKED_KEYS_MAX;
  private readonly sessions: ReadonlyMap<number, ClientSession>;
  private readonly touchedKeys: TouchedKeys;
  private readonly trackers = new Set<ClientSession>();
  /** Who has read a key. */
  private readonly readers = new Map<string, Set<ClientSession>>();
  private readonly prefixes = new Map<string, Set<ClientSession>>();
  /** Read keys that have changed, to be told after the command that runs. */
  private changed = new Set<string>();
  /** All changed keys, while somebody broadcasts, and who changed them last. */
  private changedForAll = new Map<string, ClientSession | null>();
  private allChanged = false;
  private items = 0;

  constructor(sessions: ReadonlyMap<number, ClientSession>, touchedKeys: TouchedKeys) {
    this.sessions = sessions;
    this.touchedKeys = touchedKeys;
  }

  /** Whether any client tracks: nothing needs to be asked otherwise. */
  get active(): boolean {
    return this.trackers.size > 0;
  }

  setting(): Setting {
    return numberSetting('tracking-table-max-keys', 0, 2n ** 63n - 1n, {
      get: () => this.keysMax,
      set: (value) => {
        this.keysMax = value;
      },
    });
  }

  /** For INFO. */
  get sizes() {
    const { trackers, readers, items, prefixes } = this;
    return { clients: trackers.size, keys: readers.size, items, prefixes: prefixes.size };
  }

  /** Turns tracking on, or changes how; prefixes are added to those the client has. */
  enable(session: ClientSession, mode: TrackingMode): void {
    const prefixes = new Set(session.tracker?.prefixes ?? []);
    // Without a prefix all keys are told: that is the empty one.
    const added = mode.broadcast && mode.prefixes.length === 0 ? [''] : mode.prefixes;
    for (const one of added) prefixes.add(one);
    session.tracker = { ...mode, prefixes: [...prefixes], caching: null, redirectBroken: false };
    this.trackers.add(session);
    for (const prefix of prefixes) {
      const sessions = this.prefixes.get(prefix);
      if (sessions) sessions.add(session);
      else this.prefixes.set(prefix, new Set([session]));
    }
    this.listen();
  }

  /** Turns it off. Keys that the client has read are forgotten when they change. */
  disable(session: ClientSession): void {
    if (!this.trackers.delete(session)) return;
    for (const prefix of session.tracker?.prefixes ?? []) {
      const sessions = this.prefixes.get(prefix);
      sessions?.delete(session);
      if (sessions?.size === 0) this.prefixes.delete(prefix);
    }
    session.tracker = null;
    if (this.trackers.size === 0) {
      this.readers.clear();
      this.items = 0;
      this.changed.clear();
      this.changedForAll.clear();
    }
    this.listen();
  }

  /** A client that tracks has run a command: remembers what it read. */
  ran(session: ClientSession, entry: Entry, args: Args): void {
    const { tracker } = session;
    if (tracker === null) return;
    this.noteReads(session, entry, args);
    const isOver = !session.executing && session.transaction === null;
    if (isOver && !entry.name.startsWith('client|')) tracker.caching = null;
  }

  /** A command has run for the client, by itself or within its script. */
  noteReads(session: ClientSession, entry: Entry, args: Args): void {
    const { tracker } = session;
    if (tracker === null || tracker.broadcast || (entry.bits & DATA) === 0) return;
    this.remember(session, entry, args);
  }

  /** The end of a turn: tells what no client has changed, and those who broadcast. */
  turn(): void {
    this.tell(null);
    this.tellBroadcast();
  }

  /** Tells all changes noted so far; `by` is the client that made them, null when none did. */
  tell(by: ClientSession | null): void {
    if (this.allChanged) this.tellAll();
    if (this.changed.size > 0) {
      const keys = this.changed;
      this.changed = new Set();
      for (const key of keys) this.tellReaders(key, by);
    }
    if (this.changedForAll.size > 0) this.noteWriter(by);
  }

  /** Tells those who broadcast; at the end of a client's input and of each turn. */
  tellBroadcast(): void {
    const changed = this.changedForAll;
    if (changed.size === 0) return;
    this.changedForAll = new Map();
    for (const [prefix, sessions] of this.prefixes) {
      const fitting = [...changed].filter(([key]) => key.startsWith(prefix));
      if (fitting.length === 0) continue;
      for (const session of sessions) {
        const told = session.tracker?.noLoop ? fitting.filter(([, by]) => by !== session) : fitting;
        if (told.length > 0)
          this.send(
            session,
            told.map(([key]) => key),
          );
      }
    }
  }

  /** To be called several times a second: keeps the table within its limit. */
  tick(): void {
    if (this.keysMax === 0) return;
    for (let n = 0; this.readers.size > this.keysMax && n < GIVEN_UP_MAX; n++) {
      const [oldest] = this.readers.keys();
      // Who has read it shall not keep a copy that nobody watches over.
      this.tellReaders(oldest, null);
    }
  }

  touched(key: string): void {
    if (this.readers.has(key)) this.changed.add(key);
    if (this.prefixes.size > 0) this.changedForAll.set(key, null);
  }

  touchedAll(): void {
    this.allChanged = true;
  }

  private listen(): void {
    this.touchedKeys.tell(this, this.active);
  }

  private remember(session: ClientSession, entry: Entry, args: Args): void {
    const { optIn, optOut, caching } = session.tracker!;
    if (optIn && caching !== 'yes') return;
    if (optOut && caching === 'no') return;
    for (const at of findKeys(entry.command, args) ?? []) {
      const key = args.text(at);
      const readers = this.readers.get(key);
      if (readers?.has(session)) continue;
      if (readers) readers.add(session);
      else this.readers.set(key, new Set([session]));
      this.items++;
    }
  }

  private tellReaders(key: string, by: ClientSession | null): void {
    const readers = this.readers.get(key);
    if (readers === undefined) return;
    this.readers.delete(key);
    this.items -= readers.size;
    for (const session of readers) {
      const { tracker } = session;
      // It may have gone, or broadcast by now.
      if (tracker === null || tracker.broadcast || session.closing) continue;
      if (tracker.noLoop && session === by) continue;
      this.send(session, [key]);
    }
  }

  private tellAll(): void {
    this.allChanged = false;
    this.readers.clear();
    this.items = 0;
    this.changed.clear();
    this.changedForAll.clear();
    for (const session of this.trackers) this.send(session, null);
  }

  private noteWriter(by: ClientSession | null): void {
    if (by === null) return;
    for (const [key, writer] of this.changedForAll) {
      if (writer === null) this.changedForAll.set(key, by);
    }
  }

  /** Tells one client, or whom it redirects to; null: all keys. */
  private send(session: ClientSession, keys: readonly string[] | null): void {
    const tracker = session.tracker!;
    const target = tracker.redirect === 0 ? session : this.sessions.get(tracker.redirect);
    const { pubsub } = session.server;
    if (target === undefined || target.closing) {
      tracker.redirectBroken = true;
      if (session.output.protocol === 3) {
        pubsub.pushTo(session, (writer) => {
          writer.push(2);
          writer.bulk('tracking-redir-broken');
          writer.integer(tracker.redirect);
        });
      }
      return;
    }
    if (target.output.protocol === 3) {
      pubsub.pushTo(target, (writer) => {
        writer.push(2);
        writer.bulk('invalidate');
        writeKeys(writer, keys);
      });
    } else if (target !== session && target.subscribed) {
      pubsub.pushTo(target, (writer) => {
        writer.push(3);
        writer.bulk('message');
        writer.bulk(INVALIDATE_CHANNEL);
        writeKeys(writer, keys);
      });
    }
  }
}

type Writer = Pick<ClientSession['output'], 'array' | 'bulk' | 'nullBulk'>;

function writeKeys(writer: Writer, keys: readonly string[] | null): void {
  if (keys === null) {
    writer.nullBulk();
    return;
  }
  writer.array(keys.length);
  for (const key of keys) writer.bulk(key);
}

/** The prefix among `others` that begins with this one, or the other way round; null: there is none. */
export function overlapping(prefix: string, others: readonly string[]): string | null {
  return others.find((other) => prefix.startsWith(other) || other.startsWith(prefix)) ?? null;
}

/** The words of CLIENT TRACKINGINFO about a client. */
export function trackingFlags(tracker: Tracker | null): string[] {
  if (tracker === null) return ['off'];
  const flags = ['on'];
  if (tracker.broadcast) flags.push('bcast');
  if (tracker.optIn) flags.push('optin');
  if (tracker.optIn && tracker.caching === 'yes') flags.push('caching-yes');
  if (tracker.optOut) flags.push('optout');
  if (tracker.optOut && tracker.caching === 'no') flags.push('caching-no');
  if (tracker.noLoop) flags.push('noloop');
  if (tracker.redirectBroken) flags.push('broken_redirect');
  return flags;
}
