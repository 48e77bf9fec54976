import { Db } from '../core/db.ts';
import { internActor, makeActorId } from '../crdt/roster.ts';
import { advance, type VersionVector } from '../crdt/version-vector.ts';
import { type Journal, silentJournal } from '../env.ts';
import { slotOf } from '../keyspace/slot.ts';
import { Backlog } from '../log/backlog.ts';
import { batchMeta } from '../log/batch-meta.ts';
import { frameBody, frameKind, LOG_KIND } from '../log/frame.ts';
import { Ahead } from './ahead.ts';
import type { Peers } from './peers.ts';
import type { Placement } from './role.ts';
import { StateMerge } from './state-merge.ts';

const NOW_MS = 1_800_000_000_000;
const NEVER = Number.POSITIVE_INFINITY;
const slotOfText = (key: string): number => slotOf(Buffer.from(key), 0, key.length);

class Side {
  readonly db: Db;
  readonly backlog = new Backlog(1_000_000);
  readonly logged: Uint8Array[] = [];
  readonly told: string[] = [];
  readonly links: { state: string; heard: VersionVector }[] = [];
  readonly state: StateMerge;
  readonly ahead: Ahead;
  nowMs = 0;
  imageAt = 0;
  role: Placement['role'] = 'primary';
  private sealedSeq = 0;
  private sealed: Uint8Array[] = [];

  constructor(number: number) {
    this.db = new Db({ random: () => 0.5, region: number });
    this.db.beginTurn(NOW_MS);
    this.db.newActor(makeActorId(number, 0, 1n));
    this.db.writable = true;
    const { db, backlog } = this;
    const log = (frame: Uint8Array) => this.logged.push(frame);
    const sealLocal = () => this.seal();
    this.state = this.newState();
    const side = this;
    const journal: Journal = { ...silentJournal, warn: (_, message) => this.told.push(message) };
    this.ahead = new Ahead({
      db,
      backlog,
      peers: {
        get dialled() {
          return side.links.map((puller) => ({ target: { purpose: 'region' }, puller }));
        },
      } as unknown as Peers,
      journal,
      placement: () => ({ role: this.role }) as Placement,
      monotonicMs: () => this.nowMs,
      recoversFrom: () => this.imageAt,
      sealLocal,
      log,
    });
  }

  /** What takes in a state of one more peer. */
  newState(): StateMerge {
    return new StateMerge({
      db: this.db,
      backlog: this.backlog,
      firstSlot: () => 0,
      lastSlot: () => 16_383,
      atomicBytesMax: 0,
      log: (frame) => this.logged.push(frame),
      sealLocal: () => this.seal(),
      merged: () => {},
    });
  }

  seal(): void {
    const frame = this.db.takeFrame();
    if (frame === null) return;
    this.ahead.mark(this.sealedSeq + 1);
    this.backlog.appendBatch(this.db.actor, this.sealedSeq + 1, this.db.lastSeq, frame);
    this.sealedSeq = this.db.lastSeq;
    this.sealed.push(frame);
  }

  write(change: (db: Db) => void): Uint8Array {
    change(this.db);
    this.seal();
    return this.sealed.pop()!;
  }

  apply(frame: Uint8Array): void {
    expect(this.db.applyBatch(frameBody(frame))).toBe('applied');
    const meta = batchMeta(frame, this.db.roster);
    this.ahead.markRemote(frame, meta);
    this.backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
  }

  /** Our vector with the other's actor numbers. */
  vectorFor(other: Side): VersionVector {
    const vector: VersionVector = [];
    this.db.vector.forEach((seq, actor) => {
      advance(vector, internActor(other.db.roster, this.db.roster.ids[actor]), seq);
    });
    return vector;
  }

  /** Takes in a slot of the other as one piece of a state. */
  take(from: Side, key: string, state = this.state): void {
    const slot = slotOfText(key);
    const body = from.db.states.exportSlot(slot) ?? from.db.states.emptySlot(slot, from.db.vector);
    expect(state.slot(body)).toBeNull();
  }
}

test('what is written here while a state comes in stays, also in slots that come later', () => {
  const [eu, us] = [new Side(1), new Side(2)];
  for (const key of ['a', 'b', 'c']) us.write((db) => db.setAdd(key, ['theirs']));
  eu.write((db) => db.setAdd('b', ['before']));
  eu.state.begin(us.vectorFor(eu));
  eu.take(us, 'a');
  eu.write((db) => db.setAdd('b', ['meanwhile']));
  eu.write((db) => db.addAmount('n', 5, false));
  eu.take(us, 'b');
  eu.take(us, 'c');
  eu.state.end();
  expect([...eu.db.setMembers('b')].sort()).toEqual(['before', 'meanwhile', 'theirs']);
  expect(eu.db.getString('n')).toBe('5');
  expect(eu.db.states.exceptionCount).toBe(0);
});

test('an older state does not take the place of what a newer one has brought meanwhile', () => {
  const [eu, us, ap] = [new Side(1), new Side(2), new Side(3)];
  const first = us.write((db) => db.setAdd('a', ['first']));
  ap.apply(first);
  us.write((db) => db.setAdd('a', ['second']));
  us.write((db) => db.setAdd('b', ['third']));
  // Both states come to an empty member at once, each over many turns.
  const newer = eu.newState();
  eu.state.begin(ap.vectorFor(eu));
  newer.begin(us.vectorFor(eu));
  eu.take(us, 'a', newer);
  eu.take(us, 'b', newer);
  // `a` of the older one, and an empty slot of `b`, which does not come.
  eu.take(ap, 'a');
  eu.state.end();
  newer.end();
  expect(eu.db.vector).toEqual(us.vectorFor(eu));
  expect([...eu.db.setMembers('a')].sort()).toEqual(['first', 'second']);
  expect([...eu.db.setMembers('b')]).toEqual(['third']);
});

describe('a slot ahead of the vector', () => {
  /** eu has taken a state of us in which the slot of k is ahead: it has seen `us` 2, the vector ends at 1. */
  function ahead(): { eu: Side; us: Side; first: Uint8Array; unseen: Uint8Array } {
    const [eu, us] = [new Side(1), new Side(2)];
    const first = us.write((db) => db.setStringText('other', 'x', NEVER));
    const begun = us.vectorFor(eu);
    const unseen = us.write((db) => db.setStringText('k', 'theirs', NEVER));
    eu.state.begin(begun);
    eu.take(us, 'k');
    eu.take(us, 'other');
    eu.state.end();
    expect(eu.db.states.exceptionCount).toBeGreaterThan(0);
    eu.logged.length = 0;
    return { eu, us, first, unseen };
  }

  test('is named before a write that may have seen it, once', () => {
    const { eu, us } = ahead();
    const last = eu.backlog.end;
    eu.write((db) => db.setStringText('k', 'ours', NEVER));
    eu.write((db) => db.setStringText('k', 'ours again', NEVER));
    const entries = [last, last + 1, last + 2].map((number) => eu.backlog.entryAt(number));
    expect(entries.map(({ kind }) => kind)).toEqual(['jump', 'batch', 'batch']);
    const [jump] = entries;
    if (jump.kind !== 'jump') throw new Error('no jump');
    const there = internActor(eu.db.roster, us.db.roster.ids[us.db.actor]);
    expect(jump.vector[there]).toBe(2);
    // Who waited for the write itself would wait for ever.
    expect(jump.vector[eu.db.actor]).toBe(0);
    expect(eu.logged.map(frameKind)).toEqual([LOG_KIND.ahead]);
  });

  test('is named again when an image has begun, and after a start from it', () => {
    const { eu } = ahead();
    eu.write((db) => db.setStringText('k', 'ours', NEVER));
    eu.imageAt = 100;
    const last = eu.backlog.end;
    eu.write((db) => db.setStringText('k', 'ours again', NEVER));
    expect(eu.backlog.entryAt(last).kind).toBe('jump');
    const again = new Side(5);
    expect(again.db.states.restoreSlot(eu.db.states.exportSlot(slotOfText('k'))!)).toBeNull();
    again.write((db) => db.setStringText('k', 'ours once more', NEVER));
    expect(again.backlog.entryAt(0).kind).toBe('jump');
  });

  /** Takes the state of a member that has nothing but `first`. */
  function takeFirst(eu: Side, first: Uint8Array): void {
    const late = new Side(4);
    late.apply(first);
    eu.state.begin(late.vectorFor(eu));
    eu.take(late, 'other');
    eu.state.end();
  }
  const overwritten = { visible: { cell: { losingSiblings: [] } } };

  test('a write over it is not replayed before what it has overwritten', () => {
    const { eu, first, unseen } = ahead();
    eu.write((db) => db.setStringText('k', 'ours', NEVER));
    eu.apply(unseen);
    eu.ahead.tick();
    expect(eu.db.states.exceptionCount).toBe(0);
    takeFirst(eu, first);
    expect(eu.db.getString('k')).toBe('ours');
    expect(eu.db.explain('k')).toMatchObject(overwritten);
  });

  test('nor is one of another member, which had the slot from the same sender', () => {
    const { eu, us, first, unseen } = ahead();
    const ap = new Side(3);
    ap.state.begin(us.vectorFor(ap));
    ap.take(us, 'k');
    ap.take(us, 'other');
    ap.state.end();
    const last = eu.backlog.end;
    eu.apply(ap.write((db) => db.setStringText('k', 'overwrites', NEVER)));
    eu.apply(ap.write((db) => db.setStringText('other', 'y', NEVER)));
    eu.apply(unseen);
    const entries = [0, 1, 2, 3].map((n) => eu.backlog.entryAt(last + n));
    expect(entries.map(({ kind }) => kind)).toEqual(['jump', 'batch', 'batch', 'batch']);
    expect(eu.logged.map(frameKind)).toEqual([LOG_KIND.ahead]);
    takeFirst(eu, first);
    expect(eu.db.getString('k')).toBe('overwrites');
    expect(eu.db.explain('k')).toMatchObject(overwritten);
  });

  test('is adopted when every link stands and nobody has the ops, and not before', () => {
    const { eu, us } = ahead();
    const live = (ms: number): void => {
      for (let n = 0; n < ms; n += 100) {
        eu.nowMs += 100;
        eu.ahead.tick();
      }
    };
    const link = { state: 'hello', heard: us.vectorFor(eu) };
    eu.links.push(link);
    live(30_000);
    expect(eu.told).toEqual([]);
    // us is back and has the op: it comes by the stream.
    link.state = 'streaming';
    live(30_000);
    expect(eu.told).toEqual([]);
    // us has lost it.
    const there = internActor(eu.db.roster, us.db.roster.ids[us.db.actor]);
    link.heard[there] = 1;
    live(9000);
    expect(eu.db.states.exceptionCount).toBe(2);
    live(2000);
    expect(eu.told).toHaveLength(1);
    expect(eu.db.states.exceptionCount).toBe(0);
    expect(eu.db.vector[there]).toBe(2);
    expect(eu.db.getString('k')).toBe('theirs');
    expect(eu.logged.map(frameKind)).toEqual([LOG_KIND.stateEnd]);
    expect(eu.backlog.entryAt(eu.backlog.end - 1)).toMatchObject({ kind: 'jump' });
  });

  test('is adopted although everybody goes on writing', () => {
    const { eu, us } = ahead();
    const ap = new Side(3);
    const heard = us.vectorFor(eu);
    heard[internActor(eu.db.roster, us.db.roster.ids[us.db.actor])] = 1;
    const there = internActor(eu.db.roster, ap.db.roster.ids[ap.db.actor]);
    eu.links.push({ state: 'streaming', heard });
    for (let n = 1; n <= 110; n++) {
      eu.nowMs += 100;
      eu.write((db) => db.setStringText('busy', String(n), NEVER));
      heard[there] = n; // what has not come yet
      eu.ahead.tick();
    }
    expect(eu.told).toHaveLength(1);
    expect(eu.db.states.exceptionCount).toBe(0);
    expect(eu.db.vector[there] ?? 0).toBe(0);
  });

  test('of a replica is named to its primary, once, and not adopted', () => {
    const { eu, us } = ahead();
    eu.role = 'replica';
    const there = internActor(eu.db.roster, us.db.roster.ids[us.db.actor]);
    const first = eu.backlog.end;
    const ap = new Side(3);
    for (let n = 0; n < 150; n++) {
      eu.nowMs += 100;
      eu.apply(ap.write((db) => db.setStringText('busy', 'x', NEVER)));
      eu.ahead.tick();
    }
    const entries = Array.from({ length: eu.backlog.end - first }, (_, n) =>
      eu.backlog.entryAt(first + n),
    );
    const jumps = entries.filter(({ kind }) => kind === 'jump');
    expect(jumps).toMatchObject([{ isAhead: true }]);
    expect(jumps[0].kind === 'jump' && jumps[0].vector[there]).toBe(2);
    expect(eu.told).toEqual([]);
    expect(eu.db.states.exceptionCount).toBe(2);
  });
});
