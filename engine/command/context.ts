/**
 * What a session needs from the process around it. The member (or a test, or the simulator) makes
 * one `ServerContext`; commands reach everything through it and nothing else.
 */
import { Acl, type AclStart } from '../acl/acl.ts';
import type { Db } from '../core/db.ts';
import type { ClusterView } from '../map/cluster-view.ts';
import type { TokenPart } from '../replication/session-token.ts';
import type { VerifyReport } from '../replication/verify-report.ts';
import { aclSettings } from './acl-settings.ts';
import { BlockedKeys } from './blocked-keys.ts';
import { ClientLimits } from './client-limits.ts';
import { ClientRegistry } from './client-registry.ts';
import { type ConfigStart, ConfigStore } from './config-store.ts';
import { CommandLookup } from './dispatch.ts';
import { KeyEvents } from './key-events.ts';
import { Observer } from './observer.ts';
import { PubSub } from './pubsub.ts';
import { Scripting } from './scripting.ts';
import type { ClientSession } from './session.ts';
import { commandTable } from './table.ts';
import { TouchedKeys } from './touched-keys.ts';
import { Tracking } from './tracking.ts';
import { WatchRegistry } from './watch.ts';

export type MemberRole = 'primary' | 'replica' | 'starting';

/** One section of INFO: its title, and its lines in order. */
export type InfoSection = {
  readonly title: string;
  readonly lines: readonly (readonly [name: string, value: string | number])[];
};

/** Ends a wait: `done(count)` says how many had the write then. */
export type WaitDone = (count: number) => void;

/** The member around the database: implemented by engine/member. */
export type MemberApi = {
  role(): MemberRole;
  /** Why data is not served yet, for `-LOADING <reason>`; only asked when the role is starting. */
  startingReason(): string;
  /** The object that CRDT.STATUS prints. */
  status(): object;
  /**
   * Waits until `n` other regions have applied what the session wrote (`session.lastSeq`), or, with
   * `all`, every write that this member has accepted so far; at most `timeoutMs` (0: no limit). Then
   * calls `done` with how many regions have. It may do so before it returns, and does so when `n` is
   * 0. `done` is not called any more after the returned function was.
   */
  waitRegions(
    session: ClientSession,
    n: number,
    timeoutMs: number,
    all: boolean,
    done: WaitDone,
  ): () => void;
  /** The same for the replicas of this member. */
  waitReplicas(
    session: ClientSession,
    n: number,
    timeoutMs: number,
    all: boolean,
    done: WaitDone,
  ): () => void;
  /** The slots that this member holds. */
  slots(): { readonly firstSlot: number; readonly lastSlot: number };
  /** For CRDT.TOKEN: everything that this member has applied and shown so far. */
  tokenParts(): readonly TokenPart[];
  /**
   * Waits until this member has applied what the parts name, at most `timeoutMs` (0: no limit); then
   * calls `done` with 1, or with 0 when the time is over. As for `waitRegions`, perhaps at once.
   */
  waitToken(parts: readonly TokenPart[], timeoutMs: number, done: WaitDone): () => void;
  /**
   * Compares this member's slots with a region's (null: with every region's) and calls `done` with
   * what came out, perhaps at once. Returns how to give it up, or why it was not begun.
   */
  verify(region: string | null, done: (report: VerifyReport) => void): Verifying;
  /** Stops or restarts the exchange with a region, both ways. False: there is no such region. */
  link(region: string, pause: boolean): boolean;
  /** Takes a map as JSON text; on a refusal nothing is changed. */
  setMap(json: string): MapRefusal | null;
  /** The map held, as JSON text. */
  getMap(): string | null;
  /** The map as cluster clients see it; null or absent: alone, or no map yet. */
  readonly cluster?: ClusterView | null;
  /** Sends a message (latin1) to other members and regions; local subscribers were served. */
  publish(channel: string, message: string): void;
  /** CONFIG RESETSTAT: forgets the figures that count from a moment on. */
  resetStats?(): void;
  /** Meridian's own sections of INFO (replication, regions, log …). */
  info(): readonly InfoSection[];
  /** For ROLE: where the primary is, and how the replicas are. */
  replication(): ReplicationView;
  /** SHUTDOWN: ends the process in order; never returns a reply. */
  shutdown(): void;
};

/** Gives a comparison up; or why there is none. */
export type Verifying = (() => void) | 'no such region' | 'busy';

/** Why a map was not taken: an older version, or a rule that it breaks (`<path>: <rule>`). */
export type MapRefusal =
  | { readonly kind: 'stale'; readonly held: number; readonly given: number }
  | { readonly kind: 'invalid'; readonly reason: string };

export type ReplicationView = {
  /** Bytes ever appended to the log. */
  readonly position: number;
  /** On a replica: its primary. */
  readonly upstream: {
    readonly host: string;
    readonly port: number;
    readonly connected: boolean;
  } | null;
  readonly replicas: readonly {
    readonly host: string;
    readonly port: number;
    readonly position: number;
  }[];
};

export type ServerContext = {
  readonly db: Db;
  readonly member: MemberApi;
  readonly config: ConfigStore;
  readonly commands: CommandLookup;
  readonly clients: ClientRegistry;
  readonly acl: Acl;
  readonly limits: ClientLimits;
  readonly pubsub: PubSub;
  readonly watches: WatchRegistry;
  /** Client tracking; null: not here. */
  readonly tracking: Tracking | null;
  /** SLOWLOG, LATENCY, MONITOR. */
  readonly observer: Observer;
  /** Keyspace notifications. */
  readonly keyEvents: KeyEvents;
  /** Clients that wait for keys. */
  readonly blockedKeys: BlockedKeys;
  readonly scripting: Scripting;
  /** Ms since the Unix epoch. */
  clockMs(): number;
  /** Ms since some moment, for spans of time; never goes back. */
  monotonicMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Facts for INFO that do not change while the process runs. */
  readonly process: ProcessFacts;
};

export type ProcessFacts = {
  /** Resident bytes of the process; 0: not known. */
  readonly residentBytes?: () => number;
  readonly version: string;
  readonly runtime: string;
  readonly os: string;
  readonly pid: number;
  readonly port: number;
  readonly runId: string;
  readonly startedAtMs: number;
  readonly region: string;
  readonly database: string;
};

/** Puts a context together. `random` is uniform in [0, 1). */
export function makeServerContext(parts: {
  readonly db: Db;
  readonly member: MemberApi;
  readonly process: ProcessFacts;
  readonly clockMs: () => number;
  /** Never goes back; absent: `clockMs`. */
  readonly monotonicMs?: () => number;
  readonly random: () => number;
  readonly config?: ConfigStart;
  readonly acl?: AclStart;
  /** A proxy sees no changes: false. */
  readonly tracks?: boolean;
}): ServerContext {
  const { db, clockMs } = parts;
  const clients = new ClientRegistry();
  const touchedKeys = new TouchedKeys(db);
  const acl = new Acl(commandTable.values(), clients, {
    requirepass: parts.config?.requirepass,
    ...parts.acl,
  });
  const config = new ConfigStore(db, parts.config);
  const tracking = parts.tracks === false ? null : new Tracking(clients.sessions, touchedKeys);
  if (tracking !== null) config.add(tracking.setting());
  const pubsub = new PubSub();
  const keyEvents = new KeyEvents(db, pubsub, touchedKeys);
  config.add(keyEvents.setting());
  const observer = new Observer();
  for (const setting of observer.settings()) config.add(setting);
  const limits = new ClientLimits();
  for (const setting of [...aclSettings(acl), ...limits.settings()]) config.add(setting);
  return {
    db,
    member: parts.member,
    process: parts.process,
    clockMs,
    monotonicMs: parts.monotonicMs ?? clockMs,
    scripting: new Scripting(),
    random: parts.random,
    config,
    acl,
    limits,
    tracking,
    observer,
    keyEvents,
    commands: new CommandLookup(commandTable.values()),
    clients,
    pubsub,
    watches: new WatchRegistry(db, touchedKeys),
    blockedKeys: new BlockedKeys({ db, clients, touchedKeys, clockMs }),
  };
}

/** The end of a turn of the loop: changes of keys that nobody was told of yet are told. */
export function turnEnds({ keyEvents, tracking }: ServerContext): void {
  keyEvents.turn();
  tracking?.turn();
}

/** To be called several times a second: what has waited long enough ends. */
export function ticks(server: ServerContext, wallMs: number): void {
  server.clients.tick(wallMs, server);
  server.tracking?.tick();
  server.blockedKeys.tick(wallMs);
}
