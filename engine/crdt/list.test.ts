/**
 * Lists beyond what the laws reach: many chunks and groups, packed and opened again, against a plain
 * array; and what the order of ids promises to those who push and insert at the same time.
 */
import fc from 'fast-check';
import { applyOp } from './apply-op.ts';
import { checkKey } from './check.ts';
import type { KeyState } from './key-state.ts';
import { elementAt, endOf, indexOf, placeOf } from './list.ts';
import { COMPONENT, idBetween, LIST_DEPTH_MAX, type ListId, tieOf } from './list-id.ts';
import { elementsOf } from './list-part.ts';
import type { KeyOp } from './op.ts';
import {
  prepareListInsert,
  prepareListPush,
  prepareListRemove,
  prepareListSet,
  prepareListTrim,
} from './prepare-list.ts';
import { makeActorId } from './roster.ts';

const TIES = [tieOf(makeActorId(1, 0, 5n)), tieOf(makeActorId(2, 3, 9n))];

/** One writer with a list, which applies what it and others write. */
class Writer {
  state: KeyState | null = null;
  seq = 0;
  readonly vector: number[] = [0, 0];
  readonly ops: { op: KeyOp; seq: number; actor: number }[] = [];
  readonly actor: number;

  constructor(actor: number) {
    this.actor = actor;
  }

  get tie(): number {
    return TIES[this.actor];
  }

  get size(): number {
    return this.state?.list?.size ?? 0;
  }

  write(op: KeyOp): void {
    const envelope = { op, seq: ++this.seq, actor: this.actor };
    this.ops.push(envelope);
    this.receive(envelope);
  }

  receive({ op, seq, actor }: { op: KeyOp; seq: number; actor: number }): void {
    this.state = applyOp(this.state, { op, seq, actor, hlc: seq * 7, slot: 0 });
    this.vector[actor] = seq;
  }

  push(left: boolean, ...values: string[]): void {
    this.write(prepareListPush(this.state, 'k', left, values, this.tie, this.seq + 1));
  }

  insert(at: number, value: string): void {
    const list = this.state!.list!;
    this.write(prepareListInsert(list, 'k', at, value, this.tie, this.seq + 1)!);
  }

  values(): string[] {
    const list = this.state?.list ?? null;
    return list === null ? [] : elementsOf(list).map(({ siblings }) => siblings[0].value);
  }
}

test.each([1, 2, 3])('a large list is what an array would be, seed %i', (seed) => {
  const random = randomOf(seed);
  const writer = new Writer(0);
  let model: string[] = [];
  const below = (n: number): number => Math.floor(random() * n);
  for (let step = 0; step < 3000; step++) {
    const kind = below(12);
    const value = `v${step}${'x'.repeat(below(20) === 0 ? below(3000) : below(12))}`;
    if (model.length === 0 || kind < 4) {
      const left = below(2) === 0;
      const values = Array.from(
        { length: below(20) === 0 ? 300 : 1 + below(9) },
        (_, i) => value + i,
      );
      writer.push(left, ...values);
      model = left ? [...values].reverse().concat(model) : model.concat(values);
    } else if (kind < 6) {
      const at = below(model.length + 1);
      writer.insert(at, value);
      model.splice(at, 0, value);
    } else if (kind < 8) {
      const at = below(model.length);
      writer.write(prepareListSet(writer.state!.list!, 'k', at, value));
      model[at] = value;
    } else {
      const at = below(model.length);
      const count = Math.min(model.length - at, below(40) === 0 ? 400 : 1 + below(20));
      const op =
        kind < 10
          ? prepareListRemove(
              writer.state!,
              'k',
              Array.from({ length: count }, (_, i) => at + i),
            )
          : prepareListTrim(writer.state!, 'k', at, at + count - 1, writer.vector);
      writer.write(op);
      model.splice(at, count);
    }
    if (step % 50 === 0) checkKey(writer.state, writer.vector);
  }
  checkKey(writer.state, writer.vector);
  expect(writer.values()).toEqual(model);
  const list = writer.state!.list!;
  for (let i = 0; i < model.length; i += 7) {
    expect(elementAt(list, i).siblings[0].value).toBe(model[i]);
    expect(indexOf(list, placeOf(list, i))).toBe(i);
  }
  expect(indexOf(list, endOf(list, false))).toBe(model.length - 1);
  // Inner chunks are open only for elements that do not fit a packed one.
  const inner = list.groups.flatMap((group) => group.chunks).slice(1, -1);
  const open = inner.filter((chunk) => chunk.packed === null && chunk !== list.open);
  expect(open.filter(({ odd }) => !odd?.some((element) => element !== null))).toEqual([]);
  expect(inner.length - open.length).toBeGreaterThan(0);
});

test('pushes and pops that alternate between regions keep ids short and the list small', () => {
  const [a, b] = [new Writer(0), new Writer(1)];
  a.push(false, 'first');
  b.receive(a.ops.at(-1)!);
  for (let i = 0; i < 2000; i++) {
    const [one, other] = i % 2 === 0 ? [a, b] : [b, a];
    one.push(i % 3 === 0, `v${i}`);
    other.receive(one.ops.at(-1)!);
    other.write(prepareListRemove(other.state!, 'k', [i % 5 === 0 ? 0 : other.size - 1]));
    one.receive(other.ops.at(-1)!);
  }
  expect(a.values()).toEqual(b.values());
  expect(a.size).toBe(1);
  expect(elementAt(a.state!.list!, 0).id.length).toBe(COMPONENT);
  expect(a.state!.list!.bytes).toBeLessThan(20_000);
});

/** How two regions write the same place at once: in runs forwards, backwards, and in between. */
const write = fc.record({
  at: fc.constantFrom('start', 'end', 'after', 'before' as const),
  count: fc.integer({ min: 1, max: 4 }),
});

test('what two regions write at once stays in order and is not interleaved', () => {
  const property = fc.property(write, write, fc.boolean(), (mine, theirs, bulk) => {
    const [a, b] = [new Writer(0), new Writer(1)];
    a.push(false, 'l', 'r');
    b.receive(a.ops[0]);
    runOf(a, 'a', mine, bulk);
    runOf(b, 'b', theirs, bulk);
    const [fromA, fromB] = [a.values(), b.values()];
    for (const op of b.ops) a.receive(op);
    for (const op of a.ops.slice(1)) if (op.actor === 0) b.receive(op);
    const both = a.values();
    expect(b.values()).toEqual(both);
    checkKey(a.state, a.vector);
    // Each region's order is kept, also towards the elements that both knew.
    expect(both.filter((value) => value[0] !== 'b')).toEqual(fromA);
    expect(both.filter((value) => value[0] !== 'a')).toEqual(fromB);
    // Neither run is cut by the other.
    const text = both.map((value) => value[0]).join('');
    expect(text).not.toMatch(/ab+a|ba+b/);
  });
  fc.assert(property, { numRuns: 500 });
});

function runOf(
  writer: Writer,
  name: string,
  { at, count }: { at: string; count: number },
  bulk: boolean,
): void {
  const values = Array.from({ length: count }, (_, i) => `${name}${i}`);
  if ((at === 'start' || at === 'end') && bulk) {
    writer.push(at === 'start', ...values);
    return;
  }
  for (const [i, value] of values.entries()) {
    if (at === 'start' || at === 'end') writer.push(at === 'start', value);
    // After the one before it, or always right behind `l`.
    else writer.insert(at === 'after' ? 1 + i : 1, value);
  }
}

test('an id between two is between them, at any place, until a place is exhausted', () => {
  const property = fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(1))), (places) => {
    const ids: ListId[] = [];
    let seq = 0;
    for (const [place, actor] of places) {
      const at = place % (ids.length + 1);
      const id = idBetween(ids[at - 1] ?? null, ids[at] ?? null, TIES[actor], ++seq)!;
      ids.splice(at, 0, id);
    }
    const sorted = [...ids].sort((x, y) => {
      for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i] - y[i];
      return x.length - y.length;
    });
    expect(ids).toEqual(sorted);
    expect(new Set(ids.map(String)).size).toBe(ids.length);
  });
  fc.assert(property, { numRuns: 300 });
  let [left, right]: ListId[] = [
    [0, 5, 1, 0],
    [0, 5, 1, 1],
  ];
  let deepest = 0;
  for (let seq = 2; seq < 2000; seq++) {
    const id: ListId | null = idBetween(left, right, 5, seq);
    if (id === null) break;
    deepest = Math.max(deepest, id.length);
    // Now before, now after what was just inserted: the one pattern that goes deep.
    if (seq % 2 === 0) left = id;
    else right = id;
  }
  expect(deepest).toBeLessThanOrEqual(LIST_DEPTH_MAX * COMPONENT);
  expect(idBetween(left, right, 5, 3000)).toBeNull();
});

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
