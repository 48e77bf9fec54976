/**
 * All sessions of a member with others: those it dials (pullers, one per target) and those that
 * dialled it (servers). Dials again with growing pauses, closes what the map no longer wants,
 * admits or refuses who comes, and passes on who knows what.
 */

import type { ApplyOutcome } from '../core/db.ts';
import type { Roster } from '../crdt/roster.ts';
import { dominates, type VersionVector } from '../crdt/version-vector.ts';
import type { Env, Link, LinkHandler } from '../env.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { type Introduction, PROTOCOL_VERSION, type Refusal } from '../replication/message.ts';
import { refuseHello } from '../replication/peer-certificate.ts';
import { Puller } from '../replication/puller.ts';
import { SessionServer } from '../replication/server.ts';
import type { StateSink } from '../replication/state-receiver.ts';
import { PeerPort } from './peer-port.ts';
import { sameTarget, type Target } from './role.ts';

export type PeersHost = {
  readonly env: Env;
  readonly roster: Roster;
  readonly backlog: Backlog;
  readonly secret: string;
  readonly regionNumber: number;
  /** Our region, if its own proxies pass on links of others; null: nobody speaks for others. */
  readonly proxiedRegion: string | null;
  vector(): VersionVector;
  safeVector(): VersionVector;
  /** Who we are, for a session of this purpose; the nonce is fresh. */
  introduce(purpose: Introduction['purpose']): Introduction;
  /** Why a peer is not served; null: it is. */
  refuse(remote: Introduction): Refusal | null;
  applyRemote(frame: Uint8Array, from: Dialled): ApplyOutcome;
  stateSink(from: Dialled): StateSink;
  published(channel: Uint8Array, message: Uint8Array, from: Dialled): void;
  /** The answer to a question about slots, or what is wrong with it. */
  compare(question: Uint8Array): Uint8Array | string;
  /** An answer to our own question. Returns what is wrong with it, or null. */
  compared(answer: Uint8Array): string | null;
  exportSlot(slot: number): Uint8Array;
  isAhead(slot: number): boolean;
  slotSize(slot: number): number;
  slotFingerprint(slot: number): string;
  /** Everything that any slot shows, also those ahead of the vector. */
  shownVector(): VersionVector;
  /** What is sent to peers is compressed for those who can read it. */
  readonly compresses: boolean;
  /** Bytes of a state captured in one turn. */
  readonly stateTurnBytes: number;
  slotRange(): { firstSlot: number; lastSlot: number };
  /** A puller has confirmed more, came or went. */
  confirmed(server: SessionServer): void;
  /** Somebody else's events need a turn soon. */
  wake(): void;
};

/** A target with the session that pulls from it. */
export type Dialled = {
  readonly target: Target;
  port: PeerPort | null;
  puller: Puller | null;
  backoffMs: number;
  nextDialMs: number;
  /** Text form of the actor that answered last; null: nobody did. */
  remoteActor: string | null;
  /** Why there is no session; '' while one stands. */
  lastError: string;
};

/** Somebody who dialled us. */
export type Accepted = { readonly port: PeerPort; readonly server: SessionServer };

export class Peers {
  readonly dialled: Dialled[] = [];
  readonly accepted: Accepted[] = [];
  private readonly host: PeersHost;
  private stopped = false;
  private lastNotAdmitted = '';

  constructor(host: PeersHost) {
    this.host = host;
  }

  /** Dials these targets and no others; links that are still wanted stay. */
  setTargets(targets: readonly Target[]): void {
    for (const held of [...this.dialled]) {
      if (targets.some((target) => sameTarget(target, held.target))) continue;
      this.dialled.splice(this.dialled.indexOf(held), 1);
      held.port?.close('the map has changed');
    }
    for (const target of targets) {
      if (this.dialled.some((held) => sameTarget(target, held.target))) continue;
      this.dialled.push({
        target,
        port: null,
        puller: null,
        backoffMs: limits.dialBackoffMin.value,
        nextDialMs: this.nowMs(),
        remoteActor: null,
        lastError: 'not dialled yet',
      });
    }
    this.host.wake();
  }

  /** A peer has connected. */
  accept(link: Link): LinkHandler {
    const { host } = this;
    const port: PeerPort = new PeerPort(
      {
        receive: (frame) => {
          server.receive(frame);
          host.wake();
        },
        malformed: (why) => server.refuse('MALFORMED', why),
        opened: () => {},
        closed: (reason) => {
          server.closed();
          this.forget(port, reason, link.certified !== undefined);
        },
        drained: () => host.wake(),
      },
      () => this.nowMs(),
    );
    const server = this.makeServer(port, link.certified);
    port.attach(link);
    this.accepted.push({ port, server });
    if (this.stopped) server.refuse('STOPPING', 'this member is stopping');
    else if (this.accepted.length > limits.acceptedPeersMax.value) {
      server.refuse('BUSY', `this member serves at most ${limits.acceptedPeersMax.value} peers`);
    }
    return port.handler;
  }

  /** Something was applied: sessions that waited for it go on. True: there is more to do at once. */
  turn(): boolean {
    let more = false;
    for (const { puller } of this.dialled) {
      if (puller === null) continue;
      puller.turn();
      more ||= puller.wantsTurn;
    }
    return more;
  }

  /** Sends what this turn has appended. */
  pump(): void {
    for (const { server } of this.accepted) server.pump();
  }

  tick(): void {
    const nowMs = this.nowMs();
    for (const held of [...this.dialled]) {
      if (held.port === null) {
        if (nowMs >= held.nextDialMs && !this.stopped) this.dial(held);
        continue;
      }
      held.puller?.tick(nowMs);
      held.port?.tick(nowMs);
    }
    for (const { port, server } of [...this.accepted]) {
      server.tick(nowMs);
      port.tick(nowMs);
    }
  }

  /** The one at the other end of `from` has these ops: sessions that serve it need not send them. */
  noteKnown(from: Dialled, actor: number, seq: number): void {
    for (const { server } of this.accepted) {
      if (server.remote !== null && server.remote.actor === from.remoteActor) {
        server.noteKnown(actor, seq);
      }
    }
  }

  noteKnownVector(from: Dialled, vector: VersionVector): void {
    for (const { server } of this.accepted) {
      if (server.remote !== null && server.remote.actor === from.remoteActor) {
        server.noteKnownVector(vector);
      }
    }
  }

  /** Whether every region's direct link streams. */
  directLinksStand(): boolean {
    return this.dialled.every(
      ({ target, puller }) => target.purpose !== 'region' || puller?.state === 'streaming',
    );
  }

  /** Sends a message to the pullers that `wanted` picks. */
  publish(
    channel: Uint8Array,
    message: Uint8Array,
    wanted: (remote: Introduction) => boolean,
  ): void {
    for (const { server } of this.accepted) {
      if (server.remote !== null && wanted(server.remote)) server.publish(channel, message);
    }
  }

  /** Ends the sessions with whom `unwanted` picks, and tells them why. */
  expel(unwanted: (remote: Introduction) => Refusal | null): void {
    for (const { server } of [...this.accepted]) {
      const refusal = server.remote === null ? null : unwanted(server.remote);
      if (refusal !== null) server.refuse(refusal.code, refusal.message);
    }
  }

  /** Ends all sessions; nobody is dialled or served any more. */
  stop(): void {
    this.stopped = true;
    for (const held of [...this.dialled]) held.port?.close('stopping');
    for (const { server } of [...this.accepted])
      server.refuse('STOPPING', 'this member is stopping');
  }

  private nowMs(): number {
    return this.host.env.clock.monotonicMs();
  }

  private forget(port: PeerPort, reason: string, isCertified: boolean): void {
    const index = this.accepted.findIndex((held) => held.port === port);
    if (index < 0) return;
    const [{ server }] = this.accepted.splice(index, 1);
    const { journal } = this.host.env;
    if (server.remote === null) {
      // Who has a certificate of ours is worth a line; anybody else could fill the journal.
      const isNews = isCertified && reason !== this.lastNotAdmitted;
      journal[isNews ? 'warn' : 'debug']({ reason }, 'a peer was not admitted');
      this.lastNotAdmitted = reason;
    } else
      journal.info({ ...whoIs(server.remote), reason }, 'a peer that pulled from here has gone');
    this.host.confirmed(server);
  }

  /** What a certificate does not allow; null: nothing, or the link is plain. */
  private refuseUncertified(
    certified: readonly string[] | undefined,
    remote: Introduction,
  ): Refusal | null {
    if (certified === undefined) return null;
    const message = refuseHello(certified, remote.region, this.host.proxiedRegion);
    return message === null ? null : { code: 'CERTIFICATE', message };
  }

  private makeServer(port: PeerPort, certified: readonly string[] | undefined): SessionServer {
    const { host } = this;
    const range = host.slotRange;
    return new SessionServer(
      {
        roster: host.roster,
        backlog: host.backlog,
        regionNumber: host.regionNumber,
        vector: host.vector,
        wallMs: () => host.env.clock.wallMs(),
        exportSlot: host.exportSlot,
        isAhead: host.isAhead,
        slotSize: host.slotSize,
        slotFingerprint: host.slotFingerprint,
        shownVector: host.shownVector,
        compresses: host.compresses,
        stateTurnBytes: host.stateTurnBytes,
        compare: host.compare,
        get firstSlot() {
          return range().firstSlot;
        },
        get lastSlot() {
          return range().lastSlot;
        },
        admit: (remote) =>
          this.refuseUncertified(certified, remote) ??
          host.refuse(remote) ??
          host.introduce(remote.purpose),
        established: (remote) => {
          port.trust();
          host.env.journal.info(whoIs(remote), 'a peer pulls from here');
        },
        confirmed: () => {
          const accepted = this.accepted.find((held) => held.port === port);
          if (accepted !== undefined) host.confirmed(accepted.server);
        },
        send: (frame) => port.send(frame),
        bufferedBytes: () => port.bufferedBytes,
        close: (reason) => port.close(reason),
      },
      host.secret,
    );
  }

  private dial(held: Dialled): void {
    const { host } = this;
    const nowMs = this.nowMs();
    const port: PeerPort = new PeerPort(
      {
        receive: (frame) => {
          puller.receive(frame);
          host.wake();
        },
        malformed: (why) => port.close(`what came are no frames: ${why}`),
        opened: () => puller.opened(),
        closed: (reason) => {
          puller.closed();
          this.dialLater(held, port, reason);
        },
        drained: () => {},
      },
      () => this.nowMs(),
    );
    const puller = this.makePuller(held, port, nowMs);
    held.port = port;
    held.puller = puller;
    const { address, region } = held.target;
    port.attach(host.env.transport.dial(address, port.handler, region));
  }

  private makePuller(held: Dialled, port: PeerPort, nowMs: number): Puller {
    const { host } = this;
    const { target } = held;
    return new Puller(
      {
        roster: host.roster,
        vector: host.vector,
        safeVector: host.safeVector,
        applyBatch: (frame) => host.applyRemote(frame, held),
        state: host.stateSink(held),
        compared: host.compared,
        published: (channel, message) => host.published(channel, message, held),
        directLinksStand: () => this.directLinksStand(),
        send: (frame) => port.send(frame),
        close: (reason) => port.close(reason),
        checkRemote: (remote) => this.checkAnswer(remote, target),
        established: (remote) => {
          port.trust();
          held.remoteActor = remote.actor;
          held.backoffMs = limits.dialBackoffMin.value;
          held.lastError = '';
          host.env.journal.info(whoIs(remote), 'pulling from a peer');
        },
      },
      host.introduce(target.purpose),
      host.secret,
      nowMs,
    );
  }

  /** What is wrong with the one who answered a dial; null: it is who we wanted. */
  private checkAnswer(remote: Introduction, target: Target): string | null {
    const mine = this.host.introduce(target.purpose);
    if (remote.protocol !== PROTOCOL_VERSION) return `it speaks protocol ${remote.protocol}`;
    if (remote.database !== mine.database) return `it is database "${remote.database}"`;
    if (remote.slots !== mine.slots) return `it holds slots ${remote.slots}, not ${mine.slots}`;
    if (remote.region !== target.region) {
      return `region "${remote.region}" answered, not "${target.region}"`;
    }
    if (target.regionNumber !== null && remote.regionNumber !== target.regionNumber) {
      return `region ${remote.region} has number ${remote.regionNumber}, not ${target.regionNumber}`;
    }
    if (target.purpose === 'region' && remote.regionNumber === mine.regionNumber) {
      return `region ${remote.region} has the number ${mine.regionNumber} too; numbers are unique`;
    }
    if (target.member !== null && remote.member !== target.member) {
      return `member "${remote.member}" answered, not "${target.member}"`;
    }
    return null;
  }

  private dialLater(held: Dialled, port: PeerPort, reason: string): void {
    if (held.port !== port) return;
    held.port = null;
    held.puller = null;
    // Several members that lost one peer should not all dial it in the same millisecond.
    const jitter = this.host.env.random.uint32() % Math.ceil(held.backoffMs / 2);
    held.nextDialMs = this.nowMs() + held.backoffMs / 2 + jitter;
    held.backoffMs = Math.min(held.backoffMs * 2, limits.dialBackoffMax.value);
    // Once for each new reason: a peer that is away for hours must not fill the journal.
    if (held.lastError !== reason) {
      this.host.env.journal.info({ peer: held.target.key, reason }, 'a link has ended');
    }
    held.lastError = reason;
  }
}

/** Whether everything that the other side told of was applied here. */
export function isCaughtUp(dialled: Dialled, vector: VersionVector): boolean {
  const { puller } = dialled;
  return puller?.state === 'streaming' && dominates(vector, puller.heard);
}

function whoIs(remote: Introduction): object {
  const { region, member, actor, purpose } = remote;
  return { peer: `${purpose} ${region} ${member}`, actor };
}
