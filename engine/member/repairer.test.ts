import { Db } from '../core/db.ts';
import { makeActorId } from '../crdt/roster.ts';
import { silentJournal } from '../env.ts';
import { slotOf } from '../keyspace/slot.ts';
import { Backlog } from '../log/backlog.ts';
import { batchMeta } from '../log/batch-meta.ts';
import { frameBody, frameKind, LOG_KIND } from '../log/frame.ts';
import { FRAME_KIND } from '../op/op.ts';
import { COMPARE_FEATURE, MESSAGE, REPAIR_FEATURE } from '../replication/message.ts';
import type { Peers } from './peers.ts';
import { Repairer, type RepairerHost } from './repairer.ts';
import type { Placement } from './role.ts';
import { Verifier } from './verifier.ts';

const NOW_MS = 1_800_000_000_000;
const NEVER = Number.POSITIVE_INFINITY;
const slotOfText = (key: string): number => slotOf(Buffer.from(key), 0, key.length);
const world = { nowMs: 0 };

beforeEach(() => {
  world.nowMs = 0;
});

/** A region of one member. What it writes lies in `outbox`; who listens to it answers at once. */
class Side {
  readonly db: Db;
  readonly backlog = new Backlog(1_000_000);
  readonly outbox: Uint8Array[] = [];
  readonly logged: Uint8Array[] = [];
  readonly told: string[] = [];
  readonly verifier: Verifier;
  readonly repairer: Repairer;
  private readonly dialled: object[] = [];
  private lastQuestion = 0;
  private sealedSeq = 0;

  constructor(number: number) {
    this.db = new Db({ random: () => 0.5, region: number });
    this.db.beginTurn(NOW_MS);
    this.db.newActor(makeActorId(number, 0, 1n));
    this.db.writable = true;
    const host: RepairerHost = {
      db: this.db,
      backlog: this.backlog,
      peers: { dialled: this.dialled } as unknown as Peers,
      placement: () => ({ firstSlot: 0, lastSlot: 16_383 }) as unknown as Placement,
      isPaused: () => false,
      sealLocal: () => this.seal(),
      monotonicMs: () => world.nowMs,
      nextQuestion: () => ++this.lastQuestion,
      wallMs: () => NOW_MS,
      log: (frame) => this.logged.push(frame),
      journal: {
        ...silentJournal,
        warn: (about, message) => this.told.push(`warn ${JSON.stringify(about)} ${message}`),
        error: (about, message) => this.told.push(`error ${JSON.stringify(about)} ${message}`),
      },
    };
    this.verifier = new Verifier(host);
    this.repairer = new Repairer(host);
  }

  /** Pulls from the other: asks it, and gets its answer at once. `onAsk` runs before the answer is made. */
  dial(key: string, other: Side, onAsk: (kind: number) => void = () => {}): void {
    const ask = (frame: Uint8Array): boolean => {
      onAsk(frameKind(frame));
      const answer = other.verifier.answer(frame);
      if (typeof answer === 'string') throw new Error(answer);
      const isKeys = frameKind(answer) === MESSAGE.keysShown;
      queueMicrotask(() => {
        const { repairer } = this;
        expect(isKeys ? repairer.receiveKeys(answer) : repairer.receive(answer)).toBeNull();
      });
      return true;
    };
    const features = [COMPARE_FEATURE, REPAIR_FEATURE];
    const { db } = this;
    // The server's vector by heartbeat: near ours is all that matters here.
    const puller = { state: 'streaming', remote: { features }, ask, heard: db.vector };
    this.dialled.push({ target: { key, purpose: 'region', region: key }, puller });
  }

  seal(): void {
    const frame = this.db.takeFrame();
    if (frame === null) return;
    this.backlog.appendBatch(this.db.actor, this.sealedSeq + 1, this.db.lastSeq, frame);
    this.sealedSeq = this.db.lastSeq;
    this.outbox.push(frame);
  }

  /** Writes, and returns the frame. */
  write(change: (db: Db) => void): Uint8Array {
    change(this.db);
    this.seal();
    return this.outbox.pop()!;
  }

  apply(frame: Uint8Array): void {
    expect(this.db.applyBatch(frameBody(frame))).toBe('applied');
    const meta = batchMeta(frame, this.db.roster);
    this.backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
  }

  async live(ms: number): Promise<void> {
    for (let n = 0; n < ms; n += 50) {
      world.nowMs += 50;
      this.repairer.tick();
      this.seal();
      await Promise.resolve();
    }
  }
}

/**
 * eu counts to 30, us sees it and deletes, eu counts on to 50; ap hears all of it. eu takes in the state of us,
 * where nothing is left of the 30: it has every op that ap has, and 50 instead of 20 (docs/decisions/0005).
 */
function straddle(): { eu: Side; us: Side; ap: Side } {
  const [eu, us, ap] = [new Side(1), new Side(2), new Side(3)];
  const first = eu.write((db) => db.addAmount('k', 30, false));
  us.apply(first);
  ap.apply(first);
  const reset = us.write((db) => db.delete('k'));
  ap.apply(reset);
  ap.apply(eu.write((db) => db.addAmount('k', 20, false)));
  mergeEmpty(eu, us, 'k');
  expect([eu, ap].map(({ db }) => db.getString('k'))).toEqual(['50', '20']);
  return { eu, us, ap };
}

/** Merges the other's slot, which is empty, as a state merge does that cannot replay. */
function mergeEmpty(into: Side, from: Side, key: string): void {
  // The vector travels by actor ids.
  const bytes = from.db.states.emptySlot(slotOfText(key), from.db.vector);
  expect(into.db.states.importSlot(bytes, null)).toBeNull();
  into.db.states.finishStateMerge(into.db.slotVector(slotOfText(key)));
  into.backlog.appendJump(into.db.vector);
  into.repairer.stateMerged();
}

describe('a counter that lost a reset in a state merge', () => {
  test('is mended by an op, which every region and replica gets as it gets every op', async () => {
    const { eu, us, ap } = straddle();
    eu.dial('region ap', ap);
    await eu.live(3000);
    expect(eu.db.getString('k')).toBe('20');
    expect(eu.repairer.counts).toMatchObject({ keys: 1, unexplainedKeys: 0 });
    expect(eu.told).toEqual([
      `warn {"peer":"region ap","slot":${slotOfText('k')},"key":"k"} ` +
        'a counter lacked a reset that a peer has seen; mended',
    ]);
    expect(eu.logged).toEqual([]);
    expect(eu.outbox).toHaveLength(1);
    ap.apply(eu.outbox[0]);
    expect(ap.db.getString('k')).toBe('20');
    expect(ap.db.states.slotDigest(slotOfText('k'))).toBe(eu.db.states.slotDigest(slotOfText('k')));
    // A replica of eu that took its state before gets the same op.
    const replica = straddle().eu;
    replica.apply(eu.outbox[0]);
    expect(replica.db.getString('k')).toBe('20');
    expect(us.db.getString('k')).toBeNull();
  });

  test('the side that is right changes nothing', async () => {
    const { eu, ap } = straddle();
    ap.dial('region eu', eu);
    await ap.live(20_000);
    expect(ap.db.getString('k')).toBe('20');
    expect(ap.outbox).toEqual([]);
    expect(ap.told).toEqual([]);
  });

  test('is mended in a field of a hash, and what it counted since stays', async () => {
    const [eu, us, ap] = [new Side(1), new Side(2), new Side(3)];
    const first = eu.write((db) => db.hashAdd('h', 'f', 30, false));
    us.apply(first);
    ap.apply(first);
    ap.apply(us.write((db) => db.hashRemove('h', ['f'])));
    ap.apply(eu.write((db) => db.hashAdd('h', 'f', 20, false)));
    mergeEmpty(eu, us, 'h');
    ap.apply(eu.write((db) => db.hashAdd('h', 'f', 7, false)));
    expect([eu, ap].map(({ db }) => db.hashGet('h', 'f'))).toEqual(['57', '27']);
    eu.dial('region ap', ap);
    await eu.live(3000);
    expect(eu.db.hashGet('h', 'f')).toBe('27');
    expect(eu.repairer.counts).toMatchObject({ keys: 1, unexplainedKeys: 0 });
  });

  test('on a replica, which writes no ops, the slot is changed and logged', async () => {
    const { eu, ap } = straddle();
    eu.db.writable = false;
    eu.dial('member ap', ap);
    await eu.live(3000);
    expect(eu.db.getString('k')).toBe('20');
    expect(eu.outbox).toEqual([]);
    expect(eu.logged.map(frameKind)).toEqual([FRAME_KIND.slotState, LOG_KIND.stateEnd]);
    const again = new Db({ random: () => 0.5, region: 1 });
    again.beginTurn(NOW_MS);
    expect(again.states.importSlot(frameBody(eu.logged[0]), () => [])).toBeNull();
    expect(again.getString('k')).toBe('20');
  });

  test('waits while an op between the two sides touches the slot', async () => {
    const { eu, ap } = straddle();
    const under = eu.write((db) => db.addAmount('k', 1, false));
    eu.dial('region ap', ap);
    await eu.live(8000);
    expect(eu.db.getString('k')).toBe('51');
    expect(eu.outbox).toEqual([]);
    ap.apply(under);
    await eu.live(8000);
    expect(eu.db.getString('k')).toBe('21');
  });

  test('what changes between question and answer is not mended by an old answer', async () => {
    const { eu, ap } = straddle();
    let added: Uint8Array | null = null;
    eu.dial('region ap', ap, (kind) => {
      // After the answer is made, before it is here.
      if (kind !== MESSAGE.showKeys || added !== null) return;
      queueMicrotask(() => {
        added = eu.write((db) => db.delete('k'));
      });
    });
    await eu.live(3000);
    expect(eu.outbox).toEqual([]);
    expect(eu.db.getString('k')).toBeNull();
    ap.apply(added!);
    await eu.live(5000);
    expect([eu, ap].map(({ db }) => db.getString('k'))).toEqual([null, null]);
    expect(eu.repairer.counts).toMatchObject({ keys: 0, unexplainedKeys: 0 });
  });
});

describe('a difference that nobody can explain', () => {
  test('is joined, so that nothing is lost, and told as a defect', async () => {
    const [eu, us] = [new Side(1), new Side(2)];
    us.apply(eu.write((db) => db.setAdd('s', ['a', 'b'])));
    us.apply(eu.write((db) => db.setStringText('{s}t', 'x', NEVER)));
    const slot = slotOfText('s');
    // us has lost the whole slot by a defect.
    expect(
      us.db.states.importSlot(us.db.states.emptySlot(slot, us.db.vector), () => []),
    ).toBeNull();
    us.db.states.finishStateMerge([]);
    us.dial('region eu', eu);
    eu.dial('region us', us);
    await eu.live(3000);
    await us.live(3000);
    for (const { db } of [eu, us]) {
      expect([...db.setMembers('s')].sort()).toEqual(['a', 'b']);
      expect(db.getString('{s}t')).toBe('x');
    }
    expect(us.repairer.counts).toMatchObject({ keys: 0, unexplainedKeys: 2 });
    expect(us.told[0]).toMatch(/^error .*"key":"s".* shows a defect/);
    expect(us.logged.map(frameKind)).toEqual([FRAME_KIND.slotState, LOG_KIND.stateEnd]);
    expect(eu.db.states.slotDigest(slot)).toBe(us.db.states.slotDigest(slot));
    expect(eu.told).toEqual([]);
  });
});

test('what is equal is compared once, then only each round and after a state merge', async () => {
  const [eu, us] = [new Side(1), new Side(2)];
  let questions = 0;
  us.apply(eu.write((db) => db.setStringText('a', 'x', NEVER)));
  eu.dial('region us', us, () => {
    questions++;
  });
  await eu.live(60_000);
  expect(questions).toBe(8);
  expect(eu.repairer.counts.rounds).toBe(1);
  eu.repairer.stateMerged();
  await eu.live(5000);
  expect(questions).toBe(16);
  world.nowMs += 600_000;
  await eu.live(10_000);
  expect(questions).toBe(24);
});
