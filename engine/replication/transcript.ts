/**
 * Plays a script of commands on members that hold sessions with each other, and writes down every
 * frame: the transcript tests of testdata/*.txt. Members are the real database, backlog and state
 * machines; only links, time and names are made up.
 *
 *     member NAME NUMBER [backlog=BYTES]     a member of a region of its own
 *     set NAME KEY VALUE · del NAME KEY      a write there
 *     fill NAME COUNT BYTES                  writes keys f0, f1 … with values of so many bytes
 *     change NAME COUNT                      writes as many of them anew
 *     pull PULLER SERVER [secret=S] [database=D] [slots=A-B] [protocol=N] [features=F]
 *                                            opens a session; frames wait until `run`
 *     run                                    delivers frames until there are none
 *     slow N                                 from now on a puller reads N frames for each run or step
 *     tick MS                                time passes for all sessions, in steps of 50 ms
 *     lose PULLER SERVER                     what the server sends next to the puller does not come
 *     give NAME FROM                         NAME gets all that FROM has, by some other way
 *     close PULLER SERVER                    the link is gone
 *     raw PULLER SERVER KIND [HEX]           the puller sends a frame of its own making
 *     show NAME                              vector and keys
 *     quiet                                  frames of states are counted from now on, not shown
 *     bytes PULLER SERVER                    bytes of state that came, and of digests that went
 */

import { Db } from '../core/db.ts';
import { EMPTY_FINGERPRINT } from '../core/slot-transfer.ts';
import { actorText, makeActorId } from '../crdt/roster.ts';
import { Backlog } from '../log/backlog.ts';
import { batchMeta } from '../log/batch-meta.ts';
import { frameBody, frameKind, sealFrame } from '../log/frame.ts';
import { decodeSlotsSame } from '../log/slots-same.ts';
import { vectorObject } from '../log/vector-bytes.ts';
import { StateMerge } from '../member/state-merge.ts';
import { readSlotDigests } from './digest-message.ts';
import {
  type Introduction,
  MESSAGE,
  PROTOCOL_VERSION,
  readAck,
  readHeartbeat,
  readIntroduction,
  readRefusal,
  readResume,
  readStream,
  readVector,
} from './message.ts';
import { Puller } from './puller.ts';
import { SessionServer } from './server.ts';

const NOW_MS = 1_800_000_000_000;
const TICK_MS = 50;
const STATE_KINDS: readonly number[] = [
  MESSAGE.stateBegin,
  MESSAGE.slotState,
  MESSAGE.slotsSame,
  MESSAGE.stateEnd,
];

type Options = Record<string, string>;

class Node {
  readonly name: string;
  readonly number: number;
  readonly db: Db;
  readonly backlog: Backlog;
  private sealedSeq = 0;

  constructor(name: string, number: number, backlogBytes: number) {
    this.name = name;
    this.number = number;
    this.db = new Db({ random: () => 0.5, region: number });
    this.backlog = new Backlog(backlogBytes);
    this.db.beginTurn(NOW_MS);
    this.db.newActor(makeActorId(number, 0, 1n));
    this.db.writable = true;
  }

  seal(): void {
    const frame = this.db.takeFrame();
    if (frame === null) return;
    this.backlog.appendBatch(this.db.actor, this.sealedSeq + 1, this.db.lastSeq, frame);
    this.sealedSeq = this.db.lastSeq;
  }

  apply(frame: Uint8Array) {
    const outcome = this.db.applyBatch(frameBody(frame));
    if (outcome === 'applied') {
      const meta = batchMeta(frame, this.db.roster);
      this.backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
    }
    return outcome;
  }
}

type Session = {
  readonly puller: Puller;
  readonly server: SessionServer;
  readonly from: Node;
  readonly to: Node;
  /** Frames under way, oldest first. */
  toServer: Uint8Array[];
  toPuller: Uint8Array[];
  open: boolean;
  stateBytes: number;
  digestBytes: number;
};

export class Transcript {
  private readonly nodes = new Map<string, Node>();
  private readonly sessions: Session[] = [];
  private out: string[] = [];
  private nowMs = 0;
  private isQuiet = false;
  /** Frames that a puller reads each time that frames are delivered. */
  private readMax = Number.POSITIVE_INFINITY;

  /** Plays one command; returns what happened, line by line. */
  play(command: string): string {
    this.out = [];
    const [verb, ...words] = command.trim().split(/\s+/);
    const names = words.filter((word) => !word.includes('='));
    const options = Object.fromEntries(
      words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]),
    );
    this.run(verb, names, options);
    return this.out.join('\n') || 'ok';
  }

  private run(verb: string, names: string[], options: Options): void {
    switch (verb) {
      case 'member': {
        const bytes = Number(options.backlog ?? 1_000_000);
        this.nodes.set(names[0], new Node(names[0], Number(names[1]), bytes));
        return;
      }
      case 'set':
        this.node(names[0]).db.setStringText(names[1], names[2], Number.POSITIVE_INFINITY);
        this.node(names[0]).seal();
        return;
      case 'del':
        this.node(names[0]).db.delete(names[1]);
        this.node(names[0]).seal();
        return;
      case 'fill':
        for (let n = 0; n < Number(names[1]); n++) {
          this.write(this.node(names[0]), `f${n}`, '.'.repeat(Number(names[2])));
        }
        return;
      case 'change':
        for (let n = 0; n < Number(names[1]); n++) {
          this.write(this.node(names[0]), `f${n * 97}`, '!'.repeat(100));
        }
        return;
      case 'quiet':
        this.isQuiet = true;
        return;
      case 'bytes': {
        const { stateBytes, digestBytes } = this.session(names[0], names[1]);
        this.out.push(`${stateBytes} bytes of state, ${digestBytes} bytes of digests`);
        return;
      }
      case 'pull':
        this.pull(this.node(names[0]), this.node(names[1]), options);
        return;
      case 'run':
        this.deliver();
        return;
      case 'slow':
        this.readMax = Number(names[0]);
        return;
      case 'tick':
        this.tick(Number(names[0]));
        return;
      case 'lose': {
        const session = this.session(names[0], names[1]);
        session.server.pump();
        for (const frame of session.toPuller.splice(0))
          this.note(session, '✗', frame, session.from);
        return;
      }
      case 'give':
        this.give(this.node(names[0]), this.node(names[1]));
        return;
      case 'close':
        this.close(this.session(names[0], names[1]), 'the link is gone');
        return;
      case 'raw': {
        const frame = sealFrame(Number(names[2]), Buffer.from(names[3] ?? '', 'hex'));
        this.session(names[0], names[1]).toServer.push(frame);
        return;
      }
      case 'show':
        this.show(this.node(names[0]));
        return;
      default:
        throw new Error(`unknown command ${verb}`);
    }
  }

  private write(node: Node, key: string, value: string): void {
    node.db.setStringText(key, value, Number.POSITIVE_INFINITY);
    node.seal();
  }

  private pull(from: Node, to: Node, options: Options): void {
    const introduce = (node: Node, changed: Options): Introduction => ({
      protocol: Number(changed.protocol ?? PROTOCOL_VERSION),
      database: changed.database ?? 'd',
      slots: changed.slots ?? '0-16383',
      region: node.name,
      regionNumber: node.number,
      member: 'm',
      actor: actorText(node.db.roster.ids[node.db.actor]),
      purpose: 'region',
      nonce: '0'.repeat(32),
      ...(options.features === undefined ? {} : { features: options.features.split(',') }),
    });
    const session: Session = {
      from,
      to,
      toServer: [],
      toPuller: [],
      open: true,
      stateBytes: 0,
      digestBytes: 0,
      puller: this.makePuller(from, introduce(from, options), options, () => session),
      server: this.makeServer(to, introduce(to, {}), () => session),
    };
    this.sessions.push(session);
    session.puller.opened();
  }

  private makePuller(
    node: Node,
    introduction: Introduction,
    options: Options,
    session: () => Session,
  ): Puller {
    return new Puller(
      {
        roster: node.db.roster,
        vector: () => node.db.vector,
        safeVector: () => node.db.vector,
        applyBatch: (frame) => node.apply(frame),
        state: new StateMerge({
          db: node.db,
          backlog: node.backlog,
          firstSlot: () => 0,
          lastSlot: () => 16_383,
          log: () => {},
          sealLocal: () => node.seal(),
          merged: () => {},
          atomicBytesMax: 8_000_000,
        }),
        published: () => {},
        compared: () => null,
        directLinksStand: () =>
          this.sessions.every(({ from, puller }) => from !== node || puller.state === 'streaming'),
        send: (frame) => session().toServer.push(frame),
        close: (reason) => this.close(session(), reason),
        checkRemote: () => null,
        established: () => {},
      },
      introduction,
      options.secret ?? '',
      this.nowMs,
    );
  }

  private makeServer(
    node: Node,
    introduction: Introduction,
    session: () => Session,
  ): SessionServer {
    return new SessionServer(
      {
        roster: node.db.roster,
        backlog: node.backlog,
        regionNumber: node.number,
        vector: () => node.db.vector,
        wallMs: () => NOW_MS + this.nowMs,
        exportSlot: (slot) => node.db.states.exportSlotOrEmpty(slot),
        isAhead: (slot) => node.db.states.isAhead(slot),
        slotSize: (slot) => node.db.slotSize(slot),
        slotFingerprint: (slot) => node.db.states.slotFingerprint(slot),
        shownVector: () => node.db.shownVector(),
        stateTurnBytes: 1_000_000,
        compresses: false,
        firstSlot: 0,
        lastSlot: 16_383,
        admit: (remote) => {
          if (remote.database === 'd' && remote.slots === '0-16383') return introduction;
          const what = remote.database === 'd' ? 'SLOTS' : 'DATABASE';
          return { code: what, message: `not what member ${node.name} has` };
        },
        established: () => {},
        compare: () => 'a question that no transcript asks',
        confirmed: () => {},
        send: (bytes) => session().toPuller.push(...split(bytes)),
        bufferedBytes: () => 0,
        close: () => {},
      },
      '',
    );
  }

  private deliver(): void {
    const left = new Map(this.sessions.map((session) => [session, this.readMax]));
    for (let moved = true; moved; ) {
      moved = false;
      for (const session of this.sessions) {
        if (!session.open) continue;
        session.server.pump();
        while (session.toServer.length > 0) {
          const frame = session.toServer.shift()!;
          this.note(session, '→', frame, session.to);
          session.server.receive(frame);
          moved = true;
        }
        while (session.open && session.toPuller.length > 0 && left.get(session)! > 0) {
          left.set(session, left.get(session)! - 1);
          const frame = session.toPuller.shift()!;
          this.note(session, '←', frame, session.from);
          session.puller.receive(frame);
          moved = true;
        }
        session.puller.turn();
      }
    }
  }

  private tick(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.nowMs += TICK_MS;
      for (const session of this.sessions) {
        if (!session.open) continue;
        session.server.tick(this.nowMs);
        session.puller.tick(this.nowMs);
      }
      this.deliver();
    }
  }

  private give(to: Node, from: Node): void {
    for (let number = from.backlog.first; number < from.backlog.end; number++) {
      const entry = from.backlog.entryAt(number);
      if (entry.kind === 'batch') to.apply(entry.frame);
    }
  }

  private close(session: Session, reason: string): void {
    if (!session.open) return;
    session.open = false;
    this.out.push(`${session.from.name} closes: ${reason}`);
    session.puller.closed();
    session.server.closed();
  }

  private show(node: Node): void {
    this.out.push(`vector ${this.vectorText(node.db.vector, node)}`);
    for (const key of ['a', 'b', 'c', 'd']) {
      const value = node.db.getString(key);
      if (value !== null) this.out.push(`${key} = ${value}`);
    }
  }

  private note(session: Session, arrow: string, frame: Uint8Array, reader: Node): void {
    // Heartbeats and confirmations that come every so often would hide everything else.
    const kind = frameKind(frame);
    if (kind === MESSAGE.heartbeat || kind === MESSAGE.ack) return;
    const isState = STATE_KINDS.includes(kind);
    if (isState) session.stateBytes += frame.length;
    if (kind === MESSAGE.slotDigests) session.digestBytes += frame.length;
    if (this.isQuiet && (isState || kind === MESSAGE.slotDigests)) return;
    const text = this.describe(frame, reader);
    this.out.push(`${session.from.name} ${arrow} ${session.to.name}  ${text}`);
  }

  /** One line for a frame; vectors by region, as every member here has one actor. */
  private describe(frame: Uint8Array, node: Node): string {
    const { roster } = node.db;
    const kind = frameKind(frame);
    switch (kind) {
      case MESSAGE.hello:
      case MESSAGE.challenge: {
        const who = readIntroduction(frame);
        const name = kind === MESSAGE.hello ? 'HELLO' : 'CHALLENGE';
        return typeof who === 'string' ? `${name} ${who}` : `${name} ${who.region} ${who.database}`;
      }
      case MESSAGE.refused: {
        const refusal = readRefusal(frame);
        return `REFUSED ${refusal.code}: ${refusal.message}`;
      }
      case MESSAGE.proof:
        return 'PROOF';
      case MESSAGE.proofBack:
        return 'PROOF_BACK';
      case MESSAGE.resume: {
        const resume = readResume(frame, roster);
        if (typeof resume === 'string') return `RESUME ${resume}`;
        return `RESUME ${resume.epoch} ${resume.mode} ${this.vectorText(resume.vector, node)}`;
      }
      case MESSAGE.stream: {
        const stream = readStream(frame);
        return typeof stream === 'string' ? stream : `STREAM ${stream.epoch} ${stream.mode}`;
      }
      case MESSAGE.batch: {
        const meta = batchMeta(frame, roster);
        return `BATCH ${this.regionOf(meta.actor, node)}:${meta.firstSeq}-${meta.lastSeq}`;
      }
      case MESSAGE.mark:
      case MESSAGE.stateBegin:
      case MESSAGE.stateEnd: {
        const names = { 22: 'MARK', 23: 'STATE_BEGIN', 24: 'STATE_END' };
        const vector = readVector(frame, roster);
        const text = typeof vector === 'string' ? vector : this.vectorText(vector, node);
        return `${names[kind]} ${text}`;
      }
      case MESSAGE.slotState:
        return `SLOT_STATE of slot ${frameBody(frame)[1] + frameBody(frame)[2] * 256}`;
      case MESSAGE.digestsAsked:
        return 'DIGESTS_ASKED';
      case MESSAGE.slotDigests: {
        const told = readSlotDigests(frame);
        if (typeof told === 'string') return told;
        const { firstSlot, digests } = told;
        const filled = digests.filter((digest) => digest !== EMPTY_FINGERPRINT).length;
        return `SLOT_DIGESTS of ${digests.length} slots from ${firstSlot}, ${filled} not empty`;
      }
      case MESSAGE.slotsSame: {
        const same = decodeSlotsSame(frameBody(frame), roster);
        if (typeof same === 'string') return same;
        return `SLOTS_SAME ${same.slots.join(' ')} ${this.vectorText(same.vector, node)}`;
      }
      case MESSAGE.ack: {
        const ack = readAck(frame, roster);
        return typeof ack === 'string' ? ack : `ACK ${this.vectorText(ack.vector, node)}`;
      }
      case MESSAGE.heartbeat: {
        const heartbeat = readHeartbeat(frame, roster);
        if (typeof heartbeat === 'string') return heartbeat;
        return `HEARTBEAT ${this.vectorText(heartbeat.vector, node)}`;
      }
      default:
        return `kind ${kind}`;
    }
  }

  private vectorText(vector: number[], node: Node): string {
    const entries = Object.entries(vectorObject(vector, node.db.roster));
    const texts = entries.map(
      ([actor, seq]) => `${this.regionName(Number(actor.split('.')[0]))}:${seq}`,
    );
    return `[${texts.join(' ')}]`;
  }

  private regionOf(actor: number, node: Node): string {
    return this.regionName(node.db.roster.regions[actor]);
  }

  private regionName(number: number): string {
    return [...this.nodes.values()].find((node) => node.number === number)?.name ?? String(number);
  }

  private node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no member ${name}`);
    return node;
  }

  private session(puller: string, server: string): Session {
    const found = this.sessions.findLast(
      ({ from, to }) => from.name === puller && to.name === server,
    );
    if (found === undefined) throw new Error(`no session ${puller} ${server}`);
    return found;
  }
}

/** The server joins frames into one write: cuts them apart again. */
function split(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + view.getUint32(at, true);
    frames.push(new Uint8Array(bytes.subarray(at, end)));
    at = end;
  }
  return frames;
}
