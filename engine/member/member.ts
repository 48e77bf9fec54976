/**
 * A member: database, log, sessions and clients put together. Pure over its `Env`; the shell
 * (server.ts) and the simulator drive the very same code.
 *
 * Everything that happens (bytes of a client, frames of a peer, a tick) changes the database at
 * once and asks for a *turn*, which comes at the end of this round of the event loop and ends
 * everything in one order:
 *
 *     1  seal     the ops made here since the last turn become one frame
 *     2  log      the frame is appended, with those that came from peers, and written
 *     3  send     replicas and regions get it
 *     4  reply    clients hear of it (later, if the policy wants an fsync or replicas first)
 *
 * So a process that is killed after a client has its reply has written the op and has handed it to
 * the sockets of its replicas.
 */

import type { AclStart } from '../acl/acl.ts';
import {
  type InfoSection,
  type MapRefusal,
  type MemberApi,
  type MemberRole,
  makeServerContext,
  type ProcessFacts,
  type ReplicationView,
  type ServerContext,
  ticks,
  turnEnds,
  type Verifying,
  type WaitDone,
} from '../command/context.ts';
import type { ClientSession } from '../command/session.ts';
import type { Config } from '../config.ts';
import { type ApplyOutcome, Db } from '../core/db.ts';
import { countOps, type VersionVector } from '../crdt/version-vector.ts';
import type { Env, Link, LinkHandler } from '../env.ts';
import { limits } from '../limits.ts';
import { Backlog } from '../log/backlog.ts';
import { batchMeta, hasBatchMeta } from '../log/batch-meta.ts';
import { frameBody, frameKind } from '../log/frame.ts';
import { ClusterView } from '../map/cluster-view.ts';
import { type Introduction, MESSAGE, type Refusal } from '../replication/message.ts';
import { type TokenPart, tokenPart } from '../replication/session-token.ts';
import type { VerifyReport } from '../replication/verify-report.ts';
import { admission } from './admission.ts';
import { Ahead } from './ahead.ts';
import { type Client, type ClientLink, Clients } from './clients.ts';
import { Confirmations } from './confirmations.ts';
import { type Footprint, footprintOf } from './footprint.ts';
import { HeldMap } from './held-map.ts';
import { introduction } from './introduction.ts';
import { MessageRelay } from './message-relay.ts';
import { type Dialled, isCaughtUp, Peers } from './peers.ts';
import { Repairer, type RepairerHost } from './repairer.ts';
import { type Placement, placeMember } from './role.ts';
import { SafePoint } from './safe-point.ts';
import { settingsOf } from './settings.ts';
import { Stalls } from './stalls.ts';
import { StateMerge } from './state-merge.ts';
import { type MemberView, memberInfo, memberStatus, replicationView } from './status.ts';
import { Storage, type StorageSizes } from './storage.ts';
import { Verifier } from './verifier.ts';

export type MemberOptions = {
  readonly facts: ProcessFacts;
  /** Users, beside the password of the default user. */
  readonly acl?: AclStart;
  readonly sizes?: Partial<StorageSizes>;
  /** How states are cut; the simulator makes small ones large by it. */
  readonly stateSizes?: { readonly turnBytes: number; readonly atomicBytesMax: number };
  /** As DbOptions: the simulator lowers it, so that tables occur. */
  readonly blockElementsMax?: number;
  /** Called when a turn is needed; the answer is a call of `turn` soon. */
  readonly wake: () => void;
  /** SHUTDOWN: ends the process in order. */
  readonly shutdown: () => void;
};

/** Steps of the expiry cycle in one tick: some 1.5 ms if so many keys are due, 100,000 keys a second. */
const EXPIRY_BUDGET = 1000;
/** How often the shell calls `tick`. */
export const TICK_MS = 10;

export class Member implements MemberApi {
  readonly db: Db;
  readonly context: ServerContext;
  readonly peers: Peers;
  readonly clients: Clients;
  readonly stalls: Stalls;
  private readonly env: Env;
  private readonly config: Config;
  private readonly options: MemberOptions;
  private readonly backlog: Backlog;
  private readonly storage: Storage;
  private readonly confirmations: Confirmations;
  private readonly verifier: Verifier;
  private readonly repairer: Repairer;
  private readonly ahead: Ahead;
  private readonly relay: MessageRelay;
  private lastQuestion = 0;
  /** The map as cluster clients see it; null: not managed, or no map yet. */
  cluster: ClusterView | null = null;
  private readonly heldMap: HeldMap;
  private placement: Placement;
  private readonly paused = new Set<string>();
  private readonly safePoint: SafePoint;
  private sealedSeq = 0;
  private startedEmpty: boolean;
  private readonly startedAtMs: number;
  private firstWriteAtMs: number | null = null;
  private isScheduled = false;
  /** When the first event of this round came. */
  private roundBeganMs = 0;
  private tickAtMs = Number.POSITIVE_INFINITY;
  private stopping = false;

  /** Recovers from the disk. Throws `DamagedLog` when that cannot be done. */
  constructor(env: Env, config: Config, options: MemberOptions) {
    this.env = env;
    this.config = config;
    this.options = options;
    this.heldMap = new HeldMap(config);
    this.startedAtMs = env.clock.monotonicMs();
    this.stalls = new Stalls(env.clock);
    const random = (): number => env.random.uint32() / 2 ** 32;
    const region = config.regionNumber;
    const { blockElementsMax } = options;
    this.db = new Db({ random, region, maxMemoryBytes: config.maxMemoryBytes, blockElementsMax });
    this.backlog = new Backlog(config.backlogBytesMax);
    const sizes: StorageSizes = {
      segmentBytesMax: limits.segmentBytesMax.value,
      imageAfterBytes: limits.imageAfterBytes.value,
      ...options.sizes,
    };
    this.storage = new Storage(env, config, this.db, this.backlog, sizes);
    this.storage.progressed = () => this.wake();
    this.db.beginTurn(env.clock.wallMs());
    this.db.newActor(this.storage.actorId);
    warnOfActors(this.db.roster.ids.length, env.journal);
    this.safePoint = new SafePoint(this.db.vector);
    this.startedEmpty = countOps(this.db.vector) === 0;
    this.context = makeServerContext({
      db: this.db,
      member: this,
      process: options.facts,
      clockMs: () => env.clock.wallMs(),
      monotonicMs: () => env.clock.monotonicMs(),
      random,
      acl: options.acl,
      config: settingsOf(config),
    });
    this.clients = this.makeClients();
    this.peers = this.makePeers();
    this.relay = new MessageRelay({
      peers: this.peers,
      pubsub: this.context.pubsub,
      placement: () => this.placement,
    });
    this.confirmations = new Confirmations({
      db: this.db,
      peers: this.peers,
      placement: () => this.placement,
      monotonicMs: () => env.clock.monotonicMs(),
    });
    const comparing = this.comparingHost();
    this.verifier = new Verifier(comparing);
    this.repairer = new Repairer(comparing);
    this.ahead = new Ahead({ ...comparing, recoversFrom: () => this.storage.recoversFrom });
    this.placement = placeMember(config, null);
    const stored = config.managed ? this.storage.loadMap() : null;
    if (stored === null || this.setMap(stored) !== null) this.place();
  }

  // ── Driven by the shell ───────────────────────────────────────────────────────────────────

  connectClient(remote: string, local: string, link: ClientLink): Client {
    return this.clients.connect(this.context, remote, local, link);
  }

  acceptPeer(link: Link): LinkHandler {
    return this.peers.accept(link);
  }

  /** Ends everything that happened since the last turn. */
  turn(): void {
    const { clock } = this.env;
    const { stalls } = this;
    let sinceMs = clock.monotonicMs();
    if (this.isScheduled) sinceMs = stalls.end('input', this.roundBeganMs);
    this.isScheduled = false;
    this.sealLocal();
    const more = this.peers.turn();
    // What came in may be what clients wait for; what they pop then goes into this turn's batch.
    this.context.blockedKeys.turn();
    this.sealLocal();
    // What came in may be what a client waits for.
    this.confirmations.check();
    sinceMs = stalls.end('turn', sinceMs);
    this.storage.flush(this.db.vector);
    sinceMs = stalls.end('log', sinceMs);
    if (this.env.disk === null) this.safePoint.follow(this.db.vector);
    else this.safePoint.note(this.storage.position, this.storage.safe, this.db.vector);
    this.peers.pump();
    sinceMs = stalls.end('turn', sinceMs);
    turnEnds(this.context);
    this.clients.flush();
    this.clients.release();
    stalls.end('replies', sinceMs);
    if (more) this.wake();
  }

  /** To be called some fifty to a hundred times a second. */
  tick(): void {
    const { clock } = this.env;
    const { stalls } = this;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    let sinceMs = stalls.tick(nowMs - this.tickAtMs);
    this.tickAtMs = nowMs + TICK_MS;
    this.db.tick(wallMs, EXPIRY_BUDGET, this.context.config.maxMemoryBytes);
    sinceMs = stalls.end('expiry', sinceMs);
    ticks(this.context, wallMs);
    this.confirmations.check();
    this.verifier.tick();
    this.repairer.tick();
    this.clients.tick();
    stalls.end('tick', sinceMs);
    this.turn();
    this.pulse();
    sinceMs = clock.monotonicMs();
    this.storage.tick(nowMs);
    this.peers.tick();
    this.peers.pump();
    if (this.startedEmpty) this.checkFilled();
    // A merge that was cut off leaves slots ahead of the vector, until ops have caught up.
    this.ahead.tick();
    stalls.end('tick', sinceMs);
  }

  /** Whether `pulse` has something to do. */
  get hasBackgroundWork(): boolean {
    return this.storage.writingImage;
  }

  /** A little of what is done beside serving; may be called at any time between ticks. */
  pulse(): void {
    if (!this.storage.writingImage) return;
    const beganMs = this.stalls.begin();
    // What an image captures must lie before the log's position that it names.
    this.sealLocal();
    this.storage.pulse();
    this.stalls.end('image', beganMs);
  }

  /** Ends in order: what was written becomes safe, links and clients are closed. */
  stop(done: () => void): void {
    if (this.stopping) return;
    this.stopping = true;
    this.turn();
    this.storage.close(() => {
      this.clients.release();
      this.clients.stop();
      this.peers.stop();
      done();
    });
  }

  // ── MemberApi ─────────────────────────────────────────────────────────────────────────────

  role(): MemberRole {
    return this.placement.role;
  }

  startingReason(): string {
    return this.placement.reason;
  }

  status(): object {
    return memberStatus(this.view());
  }

  info(): readonly InfoSection[] {
    return memberInfo(this.view());
  }

  replication(): ReplicationView {
    return replicationView(this.view());
  }

  waitRegions(
    session: ClientSession,
    n: number,
    timeoutMs: number,
    all: boolean,
    done: WaitDone,
  ): () => void {
    const seq = all ? this.db.lastSeq : session.lastSeq;
    return this.confirmations.waitRegions(seq, n, timeoutMs, done);
  }

  waitReplicas(
    session: ClientSession,
    n: number,
    timeoutMs: number,
    all: boolean,
    done: WaitDone,
  ): () => void {
    const seq = all ? this.db.lastSeq : session.lastSeq;
    return this.confirmations.waitReplicas(seq, n, timeoutMs, done);
  }

  slots(): { readonly firstSlot: number; readonly lastSlot: number } {
    return this.placement;
  }

  tokenParts(): readonly TokenPart[] {
    const { firstSlot, lastSlot } = this.placement;
    return [tokenPart(firstSlot, lastSlot, this.db.shownVector(), this.db.roster)];
  }

  waitToken(parts: readonly TokenPart[], timeoutMs: number, done: WaitDone): () => void {
    return this.confirmations.waitToken(parts, timeoutMs, done);
  }

  verify(region: string | null, done: (report: VerifyReport) => void): Verifying {
    const names = this.placement.regions.map(({ name }) => name);
    if (region !== null && !names.includes(region)) return 'no such region';
    if (this.verifier.count >= limits.verificationsMax.value) return 'busy';
    return this.verifier.begin(region === null ? names : [region], done);
  }

  link(region: string, pause: boolean): boolean {
    if (!this.placement.regions.some(({ name }) => name === region)) return false;
    if (pause) this.paused.add(region);
    else this.paused.delete(region);
    this.place();
    return true;
  }

  setMap(json: string): MapRefusal | null {
    const outcome = this.heldMap.offer(json);
    if (outcome === 'same') return null;
    if (outcome !== 'taken') return outcome;
    if (this.config.managed) this.storage.saveMap(json);
    this.place();
    return null;
  }

  getMap(): string | null {
    return this.heldMap.json;
  }

  publish(channel: string, message: string): void {
    this.relay.publish(channel, message);
  }

  resetStats(): void {
    this.stalls.reset();
  }

  shutdown(): void {
    this.options.shutdown();
  }

  // ── Inside ────────────────────────────────────────────────────────────────────────────────

  /** What of this member is applied and would survive by the fsync policy. */
  get safeVector(): VersionVector {
    return this.safePoint.vector;
  }

  /** What is held besides the data. */
  get footprint(): Footprint {
    const { backlog, peers, clients, safePoint } = this;
    return footprintOf({ backlog, peers, clients, safePoint, roster: this.db.roster });
  }

  private wake(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.roundBeganMs = this.env.clock.monotonicMs();
    this.options.wake();
  }

  /** Takes the role that flags and map give. */
  private place(): void {
    const before = this.placement;
    const { map } = this.heldMap;
    this.placement = placeMember(this.config, map);
    const { managed, member } = this.config;
    this.cluster = map === null || !managed ? null : new ClusterView(map, member);
    const { role, targets, slots } = this.placement;
    this.db.writable = role === 'primary';
    this.db.streams.severalRegions = this.placement.regions.length > 0;
    if (role !== before.role) {
      this.firstWriteAtMs = null;
      if (before.role === 'primary') this.context.blockedKeys.roleLost();
      const { epoch } = this.placement;
      this.env.journal.info({ role, epoch, slots }, 'this member has a new role');
    }
    this.peers.setTargets(
      targets.filter(({ purpose, region }) => purpose !== 'region' || !this.paused.has(region)),
    );
    this.peers.expel((remote) => this.refuse(remote));
    this.wake();
  }

  /** The ops made here become a frame of the log. */
  private sealLocal(): void {
    const frame = this.db.takeFrameInPlace();
    if (frame === null) return;
    const firstSeq = this.sealedSeq + 1;
    this.ahead.mark(firstSeq);
    const lastSeq = this.db.lastSeq;
    this.sealedSeq = lastSeq;
    this.storage.append(this.backlog.appendBatch(this.db.actor, firstSeq, lastSeq, frame));
  }

  private applyRemote(frame: Uint8Array, from: Dialled): ApplyOutcome {
    this.sealLocal();
    this.db.beginTurn(this.env.clock.wallMs());
    const outcome = this.db.applyBatch(frameBody(frame));
    if (outcome !== 'applied' && outcome !== 'known') return outcome;
    if (!hasBatchMeta(frame)) return outcome;
    const meta = batchMeta(frame, this.db.roster);
    if (outcome === 'applied') {
      this.ahead.markRemote(frame, meta);
      const held = this.backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
      this.storage.append(held);
    }
    this.peers.noteKnown(from, meta.actor, meta.lastSeq);
    return outcome;
  }

  /** A member that started empty counts as filled once it has what a peer told of. */
  private checkFilled(): void {
    const wrote = this.sealedSeq > 0;
    const { vector } = this.db;
    const filled = this.peers.dialled.some(
      (link) => countOps(link.puller?.heard ?? []) > 0 && isCaughtUp(link, vector),
    );
    if (wrote || filled) this.startedEmpty = false;
  }

  private introduce(purpose: Introduction['purpose']): Introduction {
    const { config, placement, env, storage } = this;
    return introduction(config, placement, storage.actorId, env.random, purpose);
  }

  private refuse(remote: Introduction): Refusal | null {
    return admission(remote, this.config, this.placement, this.paused);
  }

  private view(): MemberView {
    return {
      config: this.config,
      db: this.db,
      storage: this.storage,
      stalls: this.stalls,
      peers: this.peers,
      placement: this.placement,
      mapVersion: this.heldMap.version,
      startedEmpty: this.startedEmpty,
      upMs: Math.round(this.env.clock.monotonicMs() - this.startedAtMs),
      firstWriteAtMs: this.firstWriteAtMs,
      paused: this.paused,
      regionAcked: this.confirmations.regionAcked,
      repairs: this.repairer.counts,
      nowMs: this.env.clock.monotonicMs(),
    };
  }

  private comparingHost(): RepairerHost {
    return {
      db: this.db,
      backlog: this.backlog,
      peers: this.peers,
      placement: () => this.placement,
      isPaused: (region) => this.paused.has(region),
      sealLocal: () => this.sealLocal(),
      monotonicMs: () => this.env.clock.monotonicMs(),
      nextQuestion: () => ++this.lastQuestion,
      journal: this.env.journal,
      wallMs: () => this.env.clock.wallMs(),
      log: (frame) => this.storage.append(frame),
    };
  }

  /** An answer to a question about slots or keys. Returns what is wrong with it, or null. */
  private compared(answer: Uint8Array): string | null {
    if (frameKind(answer) === MESSAGE.keysShown) return this.repairer.receiveKeys(answer);
    return this.verifier.receive(answer) ?? this.repairer.receive(answer);
  }

  private makeClients(): Clients {
    return new Clients({
      minReplicas: this.config.minReplicas,
      position: () => this.storage.position,
      safe: () => this.storage.safe,
      replicasWith: (seq) => this.confirmations.replicasWith(seq),
      monotonicMs: () => this.env.clock.monotonicMs(),
      wrote: () => {
        this.firstWriteAtMs ??= this.env.clock.wallMs();
      },
      wake: () => this.wake(),
    });
  }

  private makePeers(): Peers {
    return new Peers({
      env: this.env,
      roster: this.db.roster,
      backlog: this.backlog,
      secret: this.config.peerSecret,
      regionNumber: this.config.regionNumber,
      proxiedRegion: this.config.managed ? this.config.region : null,
      vector: () => this.db.vector,
      safeVector: () => this.safePoint.vector,
      introduce: (purpose) => this.introduce(purpose),
      refuse: (remote) => this.refuse(remote),
      applyRemote: (frame, from) => this.applyRemote(frame, from),
      stateSink: (from) => this.makeStateMerge(from),
      published: (channel, message, from) => this.relay.receive(channel, message, from),
      compare: (question) => this.verifier.answer(question),
      compared: (answer) => this.compared(answer),
      exportSlot: (slot) => this.db.states.exportSlotOrEmpty(slot),
      isAhead: (slot) => this.db.states.isAhead(slot),
      slotSize: (slot) => this.db.slotSize(slot),
      slotFingerprint: (slot) =>
        this.db.states.isAhead(slot) ? '' : this.db.states.slotFingerprint(slot),
      shownVector: () => this.db.shownVector(),
      compresses: this.config.peerCompression === 'zstd',
      stateTurnBytes: this.options.stateSizes?.turnBytes ?? limits.stateTurnBytes.value,
      slotRange: () => this.placement,
      confirmed: (server) => {
        this.confirmations.confirmed(server);
        this.wake();
      },
      wake: () => this.wake(),
    });
  }

  private makeStateMerge(from: Dialled): StateMerge {
    return new StateMerge({
      db: this.db,
      backlog: this.backlog,
      firstSlot: () => this.placement.firstSlot,
      lastSlot: () => this.placement.lastSlot,
      log: (frame) => this.storage.append(frame),
      sealLocal: () => this.sealLocal(),
      atomicBytesMax: this.options.stateSizes?.atomicBytesMax ?? limits.atomicStateBytesMax.value,
      merged: (vector) => {
        this.peers.noteKnownVector(from, vector);
        this.repairer.stateMerged();
      },
    });
  }
}

function warnOfActors(actors: number, journal: Env['journal']): void {
  if (actors < limits.actorsWarned.value) return;
  journal.warn({ actors, actorsMax: limits.actorsMax.value }, 'this database has had many writers');
}
