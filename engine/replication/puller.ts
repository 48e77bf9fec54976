/**
 * The side of a session that wants data: it dials, says what it has, and applies what comes.
 *
 * Pure: frames come in by `receive`, time by `tick`; what it does goes through its host. The life
 * of a session:
 *
 *     hello ── CHALLENGE ──▶ proof ── PROOF_BACK ──▶ streaming ──▶ closed
 *
 * Causality. In mode own the server ships only what was born in its region, and before each such
 * batch a MARK with what it had applied of others by then. A mark that is not covered yet holds
 * the queue of this session: what follows may answer something that has not come. If what the mark
 * names makes no progress for a second, the direct link it should come by is broken, and the
 * puller asks this server for everything instead (mode all: the server's log order is causal by
 * itself, no marks needed). When the direct links stand again it goes back to own. The vectors in
 * heartbeats start the same clock, for a server that has nothing of its own to say.
 *
 * RESUME may be sent at any time: it carries a new epoch, and everything that was under way before
 * the STREAM of that epoch is dropped unread.
 */

import type { ApplyOutcome } from '../core/db.ts';
import type { Roster } from '../crdt/roster.ts';
import { dominates, seqOf, type VersionVector } from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import { frameBody, frameKind, sealFrame } from '../log/frame.ts';
import { readCompressed } from './compression.ts';
import {
  type Introduction,
  MESSAGE,
  PROTOCOL_VERSION,
  readHeartbeat,
  readIntroduction,
  readPublish,
  readRefusal,
  readStream,
  readVector,
  type StreamMode,
  sealAck,
  sealHello,
  sealResume,
} from './message.ts';
import { prove, sameProof } from './proof.ts';
import { StateReceiver, type StateSink } from './state-receiver.ts';

export type PullerHost = {
  readonly roster: Roster;
  /** What this member has applied. */
  vector(): VersionVector;
  /** What of it would survive, by the fsync policy: that is confirmed to the server. */
  safeVector(): VersionVector;
  applyBatch(frame: Uint8Array): ApplyOutcome;
  readonly state: StateSink;
  published(channel: Uint8Array, message: Uint8Array): void;
  /** An answer to a question that `ask` sent. Returns what is wrong with it, or null. */
  compared(frame: Uint8Array): string | null;
  /** Whether the sessions with all other regions stream: then relaying is not needed. */
  directLinksStand(): boolean;
  send(frame: Uint8Array): void;
  /** Ends the link. `refused`: by the other side, in its words. */
  close(reason: string, refused: boolean): void;
  /** What is wrong with the one who answered, or null; called before anything is proved. */
  checkRemote(remote: Introduction): string | null;
  /** The handshake is over. */
  established(remote: Introduction): void;
};

type PullerState = 'hello' | 'proof' | 'streaming' | 'closed';

/** Bytes applied in one turn from a queue that was held. */
const TURN_BYTES = 512 * 1024;

export class Puller {
  private readonly host: PullerHost;
  private readonly hello: Uint8Array;
  private readonly introduction: Introduction;
  private readonly secret: string;
  private challenge: Uint8Array = new Uint8Array(0);
  private stateName: PullerState = 'hello';
  private remoteIntroduction: Introduction | null = null;

  private epoch = 0;
  private streamEpoch = 0;
  private modeWanted: StreamMode;
  private modeSinceMs = 0;
  private queue: Uint8Array[] = [];
  private queueHead = 0;
  private mark: VersionVector | null = null;
  private consumed = 0;
  private readonly receiver: StateReceiver;

  /** The last vector that the server said it has. */
  private heardVector: VersionVector = [];
  private watched: VersionVector = [];
  private watchedMissing = 0;
  private stuckSinceMs = 0;
  private gapEpoch = -1;
  private nowMs: number;
  private lastAckMs = 0;
  private lastAckKey = '';
  private caughtUpMs: number;

  constructor(host: PullerHost, introduction: Introduction, secret: string, nowMs: number) {
    this.host = host;
    this.introduction = introduction;
    this.secret = secret;
    this.hello = sealHello(introduction);
    this.modeWanted = introduction.purpose === 'region' ? 'own' : 'all';
    this.receiver = new StateReceiver(host.state);
    this.nowMs = nowMs;
    this.caughtUpMs = nowMs;
  }

  get state(): PullerState {
    return this.stateName;
  }
  /** Who answered; null before the handshake. */
  get remote(): Introduction | null {
    return this.remoteIntroduction;
  }
  get mode(): StreamMode {
    return this.modeWanted;
  }
  /** The last vector that the server said it has. */
  get heard(): VersionVector {
    return this.heardVector;
  }
  /** When this member last had everything that the server had told of. */
  get caughtUpAtMs(): number {
    return this.caughtUpMs;
  }
  /** True: `turn` has more to do at once. */
  get wantsTurn(): boolean {
    if (this.stateName !== 'streaming') return false;
    return this.receiver.owesDigests || (this.queueHead < this.queue.length && !this.isHeld());
  }
  /** Frames that wait behind a mark. */
  get heldFrames(): number {
    return this.queue.length - this.queueHead;
  }

  /** The link stands: begins the handshake. */
  opened(): void {
    this.host.send(this.hello);
  }

  /** Takes one whole frame; the bytes of a BATCH may change when this has returned. */
  receive(frame: Uint8Array): void {
    if (this.stateName === 'closed') return;
    const kind = frameKind(frame);
    if (kind === MESSAGE.refused) {
      const refusal = readRefusal(frame);
      this.end(`${refusal.code}: ${refusal.message}`, true);
    } else if (this.stateName === 'hello') {
      if (kind === MESSAGE.challenge) this.answerChallenge(frame);
      else this.end(`a frame of kind ${kind} instead of CHALLENGE`);
    } else if (this.stateName === 'proof') {
      if (kind === MESSAGE.proofBack) this.checkProof(frame);
      else this.end(`a frame of kind ${kind} instead of PROOF_BACK`);
    } else {
      this.receiveStream(kind, frame);
    }
  }

  /** Sends a question about slots, which the server answers out of turn. False: no session stands. */
  ask(question: Uint8Array): boolean {
    if (this.stateName !== 'streaming') return false;
    this.host.send(question);
    return true;
  }

  /** The link is gone. */
  closed(): void {
    this.stateName = 'closed';
    this.dropQueue();
  }

  /** Something was applied (by this session or another): goes on if a mark is covered by now. */
  turn(): void {
    if (this.stateName !== 'streaming') return;
    if (this.receiver.owesDigests) this.host.send(this.receiver.takeDigests(this.epoch));
    let bytes = 0;
    while (this.queueHead < this.queue.length && bytes < TURN_BYTES) {
      if (this.isHeld()) return;
      const frame = this.queue[this.queueHead++];
      bytes += frame.length;
      if (!this.process(frame)) return;
    }
    if (this.queueHead === this.queue.length) this.dropQueue();
    else if (this.queueHead > 1024) {
      this.queue = this.queue.slice(this.queueHead);
      this.queueHead = 0;
    }
  }

  /** Confirms what was applied, and looks whether a mark or the server's vector makes progress. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    if (this.stateName !== 'streaming') return;
    this.acknowledge();
    if (dominates(this.host.vector(), this.heardVector)) this.caughtUpMs = nowMs;
    if (this.introduction.purpose !== 'region') return;
    if (this.receiver.active) {
      // The vector stands still until a state has ended, and asking anew would begin it anew: one
      // that takes longer than the patience here would never end. A dead link is the port's matter.
      this.stuckSinceMs = nowMs;
      return;
    }
    if (this.modeWanted === 'own') {
      if (this.isStuck()) this.resume('all');
    } else if (
      nowMs - this.modeSinceMs >= limits.directAgainAfter.value &&
      this.host.directLinksStand()
    ) {
      this.resume('own');
    }
  }

  private answerChallenge(frame: Uint8Array): void {
    const remote = readIntroduction(frame);
    if (typeof remote === 'string') {
      this.end(remote);
      return;
    }
    const problem =
      remote.protocol === PROTOCOL_VERSION
        ? this.host.checkRemote(remote)
        : `it speaks protocol ${remote.protocol}, this member ${PROTOCOL_VERSION}`;
    if (problem !== null) {
      this.end(problem);
      return;
    }
    this.challenge = frame;
    this.remoteIntroduction = remote;
    this.stateName = 'proof';
    this.host.send(
      sealFrame(MESSAGE.proof, prove(this.secret, 'puller', this.hello, this.challenge)),
    );
  }

  private checkProof(frame: Uint8Array): void {
    const expected = prove(this.secret, 'server', this.hello, this.challenge);
    if (!sameProof(frameBody(frame), expected)) {
      this.end('the peer does not know the peer secret; start both with the same --peer-secret');
      return;
    }
    this.stateName = 'streaming';
    this.host.established(this.remoteIntroduction!);
    this.resume(this.modeWanted);
  }

  /** Asks for the stream anew, from what is applied now. */
  private resume(mode: StreamMode): void {
    this.epoch++;
    this.modeWanted = mode;
    this.modeSinceMs = this.nowMs;
    this.stuckSinceMs = this.nowMs;
    this.dropQueue();
    this.receiver.abort();
    this.consumed = 0;
    this.host.send(sealResume(this.epoch, mode, this.host.vector(), this.host.roster));
  }

  private receiveStream(kind: number, frame: Uint8Array): void {
    switch (kind) {
      case MESSAGE.stream: {
        const stream = readStream(frame);
        if (typeof stream === 'string') this.end(stream);
        else this.streamEpoch = stream.epoch;
        return;
      }
      case MESSAGE.heartbeat: {
        const heartbeat = readHeartbeat(frame, this.host.roster);
        if (typeof heartbeat === 'string') this.end(heartbeat);
        else this.heardVector = heartbeat.vector;
        return;
      }
      case MESSAGE.publish: {
        const published = readPublish(frame);
        if (typeof published === 'string') this.end(published);
        else this.host.published(published.channel, published.message);
        return;
      }
      case MESSAGE.compared:
      case MESSAGE.keysCompared:
      case MESSAGE.keysShown: {
        const problem = this.host.compared(frame);
        if (problem !== null) this.end(problem);
        return;
      }
      case MESSAGE.batch:
      case MESSAGE.mark:
      case MESSAGE.digestsAsked:
      case MESSAGE.stateBegin:
      case MESSAGE.slotState:
      case MESSAGE.slotsSame:
      case MESSAGE.stateEnd:
        // What was under way before the stream that was asked for last is of no use.
        if (this.streamEpoch !== this.epoch) return;
        if (this.queueHead === this.queue.length && !this.isHeld()) this.process(frame);
        else this.queue.push(kind === MESSAGE.batch ? new Uint8Array(frame) : frame);
        return;
      case MESSAGE.compressed:
        this.receiveCompressed(frame);
        return;
      default:
        this.end(`a frame of unknown kind ${kind}`);
    }
  }

  private receiveCompressed(frame: Uint8Array): void {
    const frames = readCompressed(frame);
    if (typeof frames === 'string') {
      this.end(frames);
      return;
    }
    for (const inner of frames) {
      if (this.stateName === 'streaming') this.receiveStream(frameKind(inner), inner);
    }
  }

  private isHeld(): boolean {
    if (this.mark === null) return false;
    if (!dominates(this.host.vector(), this.mark)) return true;
    this.mark = null;
    return false;
  }

  /** Deals with one frame of the stream. False: the session is over or was started anew. */
  private process(frame: Uint8Array): boolean {
    this.consumed += frame.length;
    switch (frameKind(frame)) {
      case MESSAGE.batch:
        return this.apply(frame);
      case MESSAGE.mark: {
        const mark = readVector(frame, this.host.roster);
        if (typeof mark === 'string') return this.end(mark);
        this.mark = mark;
        if (this.isHeld()) this.watch(mark);
        return true;
      }
      default: {
        const problem = this.receiver.receive(frame, this.host.roster);
        if (problem !== null) return this.end(problem);
        if (!this.receiver.mustAskAgain) return true;
        this.resume(this.modeWanted);
        return false;
      }
    }
  }

  private apply(frame: Uint8Array): boolean {
    if (this.receiver.active) return this.end('a BATCH in the middle of a state');
    const outcome = this.host.applyBatch(frame);
    if (typeof outcome === 'object') return this.end(`an invalid BATCH: ${outcome.invalid}`);
    if (outcome !== 'gap') return true;
    // The server misjudged what we have. Once is a race; twice in a row it does not understand us.
    if (this.gapEpoch === this.epoch - 1) return this.end('BATCHes with ops missing between them');
    this.gapEpoch = this.epoch;
    this.resume(this.modeWanted);
    return false;
  }

  /** Begins to watch whether everything that `target` names comes in. */
  private watch(target: VersionVector): void {
    this.watched = target;
    this.watchedMissing = this.missingOf(target);
    this.stuckSinceMs = this.nowMs;
  }

  /** Whether what a mark or a heartbeat named has made no progress for too long. */
  private isStuck(): boolean {
    const missing = this.missingOf(this.watched);
    if (missing === 0) {
      this.watch(this.mark ?? this.heardVector);
      return false;
    }
    if (missing < this.watchedMissing) {
      this.watchedMissing = missing;
      this.stuckSinceMs = this.nowMs;
      return false;
    }
    return this.nowMs - this.stuckSinceMs >= limits.relayAfter.value;
  }

  private missingOf(target: VersionVector): number {
    const vector = this.host.vector();
    let missing = 0;
    for (let actor = 0; actor < target.length; actor++) {
      missing += Math.max(0, target[actor] - seqOf(vector, actor));
    }
    return missing;
  }

  private acknowledge(): void {
    const sinceMs = this.nowMs - this.lastAckMs;
    if (sinceMs < limits.ackInterval.value) return;
    const vector = this.host.safeVector();
    const key = `${this.streamEpoch} ${this.consumed} ${vector.join()}`;
    if (key === this.lastAckKey && sinceMs < limits.heartbeatInterval.value) return;
    this.lastAckKey = key;
    this.lastAckMs = this.nowMs;
    const ack = { epoch: this.streamEpoch, consumed: this.consumed, vector };
    this.host.send(sealAck(ack, this.host.roster));
  }

  private dropQueue(): void {
    this.queue = [];
    this.queueHead = 0;
    this.mark = null;
  }

  private end(reason: string, refused = false): false {
    this.stateName = 'closed';
    this.dropQueue();
    this.host.close(reason, refused);
    return false;
  }
}
