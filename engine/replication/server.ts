/**
 * The side of a session that has data: it answers a puller, and walks its backlog for it.
 *
 * Pure: frames come in by `receive`, time by `tick`, and `pump` (once per turn, after the turn's own
 * batch was appended) sends as much as flow control allows. The life of a session:
 *
 *     hello ── HELLO ──▶ proof ── PROOF ──▶ ready ── RESUME ──▶ streaming ──▶ closed
 *
 * What is sent. `known` is what the puller has, or was sent, or is known to have got elsewhere (it
 * was the one who gave it to us). Walking the backlog, a batch of a selected actor that `known`
 * does not cover is sent; other actors' seqs add to the next MARK. In mode own the actors of this
 * region and those of the puller's region are selected; in mode all, all are.
 *
 * When the backlog does not reach back far enough, or a state merge left a jump in it that the
 * puller lacks, the whole state is sent: STATE_BEGIN with our vector, all slots, STATE_END, and then
 * the stream from where the backlog ended at STATE_BEGIN. Slots captured later than that carry
 * their own later vectors. A puller with the feature `digests` is asked for the digests of its slots first, and
 * slots with equal ones are listed instead of sent. STATE_BEGIN waits until all digests have come: what the slots
 * are ahead of it is what may be lost with the link, so a small state is captured in its turn, as a whole.
 */

import type { Bytes } from '../crdt/dot.ts';
import { parseActorText, type Roster } from '../crdt/roster.ts';
import {
  advance,
  copyVector,
  countOps,
  covers,
  joinVector,
  seqOf,
  type VersionVector,
} from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import type { Backlog } from '../log/backlog.ts';
import { frameBody, frameKind, sealFrame } from '../log/frame.ts';
import { encodeSlotsSame } from '../log/slots-same.ts';
import { compressFrames } from './compression.ts';
import { readSlotDigests, sealDigestsAsked } from './digest-message.ts';
import {
  DIGESTS_FEATURE,
  type Introduction,
  MESSAGE,
  PROTOCOL_VERSION,
  type Refusal,
  readAck,
  readIntroduction,
  readRefusal,
  readResume,
  type StreamMode,
  sealChallenge,
  sealHeartbeat,
  sealPublish,
  sealRefused,
  sealStream,
  sealVector,
  ZSTD_FEATURE,
} from './message.ts';
import { prove, sameProof } from './proof.ts';

export type ServerHost = {
  readonly roster: Roster;
  readonly backlog: Backlog;
  readonly regionNumber: number;
  /** What this member has applied. */
  vector(): VersionVector;
  wallMs(): number;
  /** The slot's state as a SLOT_STATE body. */
  exportSlot(slot: number): Uint8Array;
  /** The slot's state is ahead of the vector. */
  isAhead(slot: number): boolean;
  /** Number of keys in the slot. */
  slotSize(slot: number): number;
  /** The slot's digest for a merge; '' when its state is ahead of the vector: it is shipped then. */
  slotFingerprint(slot: number): Bytes;
  /** Everything that any slot shows, also those ahead of the vector. */
  shownVector(): VersionVector;
  /** What is sent is compressed for those who can read it. */
  readonly compresses: boolean;
  /** Bytes of a state captured in one turn. */
  readonly stateTurnBytes: number;
  readonly firstSlot: number;
  readonly lastSlot: number;
  /** Who we are, for this puller; or why we do not serve it. */
  admit(remote: Introduction): Introduction | Refusal;
  established(remote: Introduction): void;
  /** The answer to COMPARE, COMPARE_KEYS or SHOW_KEYS, or what is wrong with the question. */
  compare(question: Uint8Array): Uint8Array | string;
  /** The puller has confirmed more. */
  confirmed(): void;
  send(frame: Uint8Array): void;
  /** Bytes that the network has not taken yet. */
  bufferedBytes(): number;
  close(reason: string): void;
};

/** A state that is being sent. */
type Transfer = {
  /** The next slot. */
  slot: number;
  readonly vector: VersionVector;
  /** Where to go on in the backlog afterwards. */
  readonly cursor: number;
  /** Digests of the puller's slots from the first one on; null: it sends none. */
  readonly digests: readonly Bytes[] | null;
};

type ServerState = 'hello' | 'proof' | 'ready' | 'streaming' | 'closed';

/** Kinds that ask for digests or keys. */
const QUESTIONS: ReadonlySet<number> = new Set([
  MESSAGE.compare,
  MESSAGE.compareKeys,
  MESSAGE.showKeys,
]);
/** Keys digested in one turn of a state. */
const STATE_TURN_KEYS = 5000;
/** Small frames are joined up to so many bytes into one write. */
const WRITE_BYTES = 64 * 1024;

export class SessionServer {
  private readonly host: ServerHost;
  private readonly secret: string;
  private stateName: ServerState = 'hello';
  private hello: Uint8Array = new Uint8Array(0);
  private challenge: Uint8Array = new Uint8Array(0);
  private remoteIntroduction: Introduction | null = null;

  private epoch = 0;
  private mode: StreamMode = 'own';
  private known: VersionVector = [];
  private ackedVector: VersionVector = [];
  /** Entry of the backlog to look at next; -1: must be found anew. */
  private cursor = -1;
  /** What the slots of the last state had seen when it began: the puller has it slot by slot. */
  private carried: VersionVector = [];
  /** What was passed and not sent since the last MARK. */
  private foreign: VersionVector = [];
  private hasForeign = false;
  /** While a state is being sent: where to go on afterwards. */
  private transfer: Transfer | null = null;
  /** Before that: the digests that were asked for, as far as they have come. */
  private awaited: Bytes[] | null = null;
  private sentBytes = 0;
  private consumedBytes = 0;
  private out: Uint8Array[] = [];
  private outBytes = 0;
  private lastHeartbeatMs = 0;
  private statesSent = 0;

  constructor(host: ServerHost, secret: string) {
    this.host = host;
    this.secret = secret;
  }

  get state(): ServerState {
    return this.stateName;
  }
  get remote(): Introduction | null {
    return this.remoteIntroduction;
  }
  /** What the puller has confirmed. Do not change it. */
  get acked(): VersionVector {
    return this.ackedVector;
  }
  /** Bytes sent that the puller has not dealt with. */
  get unackedBytes(): number {
    return this.sentBytes - this.consumedBytes;
  }
  /** How many whole states were sent to this puller. */
  get states(): number {
    return this.statesSent;
  }

  /** Takes one whole frame. */
  receive(frame: Uint8Array): void {
    const kind = frameKind(frame);
    switch (this.stateName) {
      case 'hello':
        if (kind === MESSAGE.hello) this.answerHello(frame);
        else if (kind === MESSAGE.refused) this.takeRefusal(frame);
        else this.refuse('MALFORMED', `a frame of kind ${kind} instead of HELLO`);
        return;
      case 'proof':
        if (kind === MESSAGE.proof) this.checkProof(frame);
        else this.refuse('MALFORMED', `a frame of kind ${kind} instead of PROOF`);
        return;
      case 'ready':
      case 'streaming':
        if (kind === MESSAGE.resume) this.startStream(frame);
        else if (kind === MESSAGE.ack) this.takeAck(frame);
        else if (kind === MESSAGE.slotDigests) this.takeDigests(frame);
        else if (QUESTIONS.has(kind)) this.compare(frame);
        else this.refuse('MALFORMED', `a frame of unknown kind ${kind}`);
        return;
      case 'closed':
        return;
    }
  }

  closed(): void {
    this.stateName = 'closed';
    this.out = [];
  }

  /** Tells the puller why, in words, and ends the link. */
  refuse(code: string, message: string): void {
    if (this.stateName === 'closed') return;
    this.stateName = 'closed';
    this.host.send(sealRefused({ code, message }));
    this.host.close(`${code}: ${message}`);
  }

  /** The puller itself gave us these ops: it need not get them back. */
  noteKnown(actor: number, seq: number): void {
    advance(this.known, actor, seq);
  }

  /** As `noteKnown`, for everything that a state of the puller covered. */
  noteKnownVector(vector: VersionVector): void {
    joinVector(this.known, vector);
  }

  /** Sends what the puller lacks, as far as flow control allows. */
  pump(): void {
    if (this.stateName !== 'streaming') return;
    while (this.maySend()) {
      if (this.awaited !== null) break;
      if (this.transfer !== null) {
        if (!this.sendSlots()) break;
      } else if (!this.sendNext()) break;
    }
    this.flush();
  }

  tick(nowMs: number): void {
    if (this.stateName !== 'streaming') return;
    if (nowMs - this.lastHeartbeatMs < limits.heartbeatInterval.value) return;
    this.lastHeartbeatMs = nowMs;
    const { roster, vector, wallMs } = this.host;
    this.host.send(sealHeartbeat(wallMs(), vector(), roster));
  }

  publish(channel: Uint8Array, message: Uint8Array): void {
    if (this.stateName !== 'streaming') return;
    // Pub/sub promises nothing to the absent: a puller that does not keep up misses messages.
    if (this.host.bufferedBytes() > limits.linkBufferBytesMax.value) return;
    this.host.send(sealPublish(channel, message));
  }

  /** The puller does not want to be served by us. */
  private takeRefusal(frame: Uint8Array): void {
    const { code, message } = readRefusal(frame);
    this.stateName = 'closed';
    this.host.close(`refused by the peer: ${code}: ${message}`);
  }

  private answerHello(frame: Uint8Array): void {
    const remote = readIntroduction(frame);
    if (typeof remote === 'string') {
      this.refuse('MALFORMED', remote);
      return;
    }
    if (remote.protocol !== PROTOCOL_VERSION) {
      const spoken = `this member speaks protocol ${PROTOCOL_VERSION}, not ${remote.protocol}`;
      this.refuse('PROTOCOL', spoken);
      return;
    }
    if (parseActorText(remote.actor) === null) {
      this.refuse('MALFORMED', 'an introduction whose actor is no actor');
      return;
    }
    const answer = this.host.admit(remote);
    if ('code' in answer) {
      this.refuse(answer.code, answer.message);
      return;
    }
    this.remoteIntroduction = remote;
    this.hello = frame;
    this.challenge = sealChallenge(answer);
    this.stateName = 'proof';
    this.host.send(this.challenge);
  }

  private checkProof(frame: Uint8Array): void {
    const expected = prove(this.secret, 'puller', this.hello, this.challenge);
    if (!sameProof(frameBody(frame), expected)) {
      const cure = 'start both with the same --peer-secret';
      this.refuse('SECRET', `the peer secret is not the same here; ${cure}`);
      return;
    }
    this.stateName = 'ready';
    this.host.send(
      sealFrame(MESSAGE.proofBack, prove(this.secret, 'server', this.hello, this.challenge)),
    );
    this.host.established(this.remoteIntroduction!);
  }

  private startStream(frame: Uint8Array): void {
    const resume = readResume(frame, this.host.roster);
    if (typeof resume === 'string') {
      this.refuse('MALFORMED', resume);
      return;
    }
    this.stateName = 'streaming';
    this.epoch = resume.epoch;
    this.mode = resume.mode;
    // What the puller has applied need not be safe there yet: only an ACK confirms.
    this.known = resume.vector;
    this.cursor = -1;
    this.transfer = null;
    this.awaited = null;
    this.carried = [];
    this.sentBytes = 0;
    this.consumedBytes = 0;
    this.out = [];
    this.outBytes = 0;
    this.host.send(sealStream(resume.epoch, resume.mode));
    this.host.confirmed();
  }

  private compare(question: Uint8Array): void {
    const answer = this.host.compare(question);
    if (typeof answer === 'string') this.refuse('MALFORMED', answer);
    else this.host.send(answer);
  }

  private takeAck(frame: Uint8Array): void {
    const ack = readAck(frame, this.host.roster);
    if (typeof ack === 'string') {
      this.refuse('MALFORMED', ack);
      return;
    }
    this.ackedVector = ack.vector;
    joinVector(this.known, ack.vector);
    if (ack.epoch === this.epoch) this.consumedBytes = Math.min(ack.consumed, this.sentBytes);
    this.host.confirmed();
  }

  private maySend(): boolean {
    if (this.unackedBytes > limits.unackedBytesMax.value) return false;
    return this.host.bufferedBytes() + this.outBytes <= limits.linkBufferBytesMax.value;
  }

  private selects(actor: number): boolean {
    if (this.mode === 'all') return true;
    const region = this.host.roster.regions[actor];
    return region === this.host.regionNumber || region === this.remoteIntroduction!.regionNumber;
  }

  /** Looks at the next entry of the backlog. False: there is none. */
  private sendNext(): boolean {
    const { backlog } = this.host;
    if (this.cursor < backlog.first) return this.seek();
    if (this.cursor >= backlog.end) return false;
    const entry = backlog.entryAt(this.cursor);
    if (entry.kind === 'jump') return this.passVector(entry.vector, this.cursor + 1, entry.isAhead);
    this.cursor++;
    if (covers(this.known, entry.actor, entry.lastSeq)) return true;
    if (!this.selects(entry.actor)) {
      advance(this.foreign, entry.actor, entry.lastSeq);
      this.hasForeign = true;
      return true;
    }
    if (this.hasForeign) this.sendMark();
    advance(this.known, entry.actor, entry.lastSeq);
    this.push(entry.frame);
    return true;
  }

  /** Goes to the oldest entry; what lies before it must be known, else the state is sent. */
  private seek(): boolean {
    this.foreign = [];
    this.hasForeign = false;
    return this.passVector(this.host.backlog.base, this.host.backlog.first, false);
  }

  /** Passes a point up to where everything that `vector` covers was applied here; `isAhead`: only by slots. */
  private passVector(vector: VersionVector, next: number, isAhead: boolean): boolean {
    const carried = isAhead ? this.carried : [];
    for (let actor = 0; actor < vector.length; actor++) {
      if (vector[actor] <= Math.max(seqOf(this.known, actor), seqOf(carried, actor))) continue;
      if (this.selects(actor) && !(isAhead && this.comesElsewhere(actor))) {
        this.startState();
        return true;
      }
      advance(this.foreign, actor, vector[actor]);
      this.hasForeign = true;
    }
    this.cursor = next;
    return true;
  }

  /** Whether the puller has these ops or gets them from others: then it need only wait for them, at a mark. */
  private comesElsewhere(actor: number): boolean {
    return this.mode === 'own' && this.host.roster.regions[actor] !== this.host.regionNumber;
  }

  private sendMark(): void {
    const lacking: VersionVector = [];
    for (let actor = 0; actor < this.foreign.length; actor++) {
      if (this.foreign[actor] > seqOf(this.known, actor)) {
        advance(lacking, actor, this.foreign[actor]);
      }
    }
    this.foreign = [];
    this.hasForeign = false;
    if (lacking.length > 0) this.push(sealVector(MESSAGE.mark, lacking, this.host.roster));
  }

  /** Begins to send the state, or asks a puller that has something for its digests first. */
  private startState(): void {
    if (this.hasFeature(DIGESTS_FEATURE) && countOps(this.known) > 0) {
      this.awaited = [];
      this.push(sealDigestsAsked(this.epoch));
    } else {
      this.beginState(null);
    }
  }

  private beginState(digests: readonly Bytes[] | null): void {
    const vector = copyVector(this.host.vector());
    this.carried = this.host.shownVector();
    this.transfer = { slot: this.host.firstSlot, vector, cursor: this.host.backlog.end, digests };
    this.statesSent++;
    this.push(sealVector(MESSAGE.stateBegin, vector, this.host.roster));
  }

  /** Sends the next slots. False: enough for this turn. */
  private sendSlots(): boolean {
    const transfer = this.transfer!;
    const { firstSlot, lastSlot } = this.host;
    const { digests } = transfer;
    const same: number[] = [];
    let bytes = 0;
    let keys = 0;
    let enough = false;
    while (transfer.slot <= lastSlot && !enough) {
      const { slot } = transfer;
      transfer.slot++;
      const size = this.host.slotSize(slot);
      // An empty one that is ahead has seen removals that the vector does not tell of.
      if (size === 0 && !this.host.isAhead(slot)) continue;
      keys += size;
      if (digests !== null && this.host.slotFingerprint(slot) === digests[slot - firstSlot]) {
        same.push(slot);
      } else {
        const frame = sealFrame(MESSAGE.slotState, this.host.exportSlot(slot));
        bytes += frame.length;
        this.push(frame);
      }
      const digested = digests !== null && keys >= STATE_TURN_KEYS;
      enough = bytes >= this.host.stateTurnBytes || digested || !this.maySend();
    }
    this.sendSame(same);
    if (enough || transfer.slot <= lastSlot) return false;
    this.push(sealVector(MESSAGE.stateEnd, this.host.vector(), this.host.roster));
    joinVector(this.known, transfer.vector);
    this.cursor = transfer.cursor;
    this.foreign = [];
    this.hasForeign = false;
    this.transfer = null;
    return true;
  }

  /** Lists slots that were found equal in this turn, with the vector of this turn. */
  private sendSame(slots: readonly number[]): void {
    const { roster, vector } = this.host;
    if (slots.length === 0) return;
    const body = encodeSlotsSame({ slots, vector: vector() }, roster);
    this.push(sealFrame(MESSAGE.slotsSame, body));
  }

  private takeDigests(frame: Uint8Array): void {
    const told = readSlotDigests(frame);
    if (typeof told === 'string') {
      this.refuse('MALFORMED', told);
      return;
    }
    // Those of an earlier stream, or of a state that has been sent, are of no use.
    if (told.epoch !== this.epoch || this.awaited === null) return;
    const { firstSlot, lastSlot } = this.host;
    if (told.firstSlot !== firstSlot + this.awaited.length) {
      this.refuse('MALFORMED', 'digests of slots out of order');
      return;
    }
    this.awaited.push(...told.digests);
    if (this.awaited.length <= lastSlot - firstSlot) return;
    const digests = this.awaited;
    this.awaited = null;
    this.beginState(digests);
  }

  private hasFeature(name: string): boolean {
    return this.remoteIntroduction!.features?.includes(name) === true;
  }

  private push(frame: Uint8Array): void {
    this.sentBytes += frame.length;
    this.out.push(frame);
    this.outBytes += frame.length;
    if (this.outBytes >= WRITE_BYTES) this.flush();
  }

  private flush(): void {
    if (this.out.length === 0) return;
    const bytes = this.out.length === 1 ? this.out[0] : Buffer.concat(this.out);
    this.out = [];
    this.outBytes = 0;
    const isCompressed = this.host.compresses && this.hasFeature(ZSTD_FEATURE);
    this.host.send((isCompressed ? compressFrames(bytes) : null) ?? bytes);
  }
}
