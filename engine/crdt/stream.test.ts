import fc from 'fast-check';
import { checkKey } from './check.ts';
import type { Bytes, Dot } from './dot.ts';
import { emptyKeyState } from './key-state.ts';
import { emptyRoster, internActor, makeActorId } from './roster.ts';
import { newStream } from './stream.ts';
import { BlockReader, type StreamEntry } from './stream-block.ts';
import { nextEntries } from './stream-cursor.ts';
import {
  addEntry,
  allEntries,
  compareEntries,
  type Entries,
  eachEntry,
  eachEntryBack,
  newEntries,
  removeCovered,
  removeDots,
  removeEntries,
} from './stream-entries.ts';
import { hasPassed, newGroup } from './stream-group.ts';
import {
  idAfter,
  idBefore,
  idText,
  parseIdHalf,
  STREAM_ID_MAX,
  STREAM_ID_MIN,
  streamId,
} from './stream-id.ts';

const half = fc
  .oneof(
    fc.nat(5).map(BigInt),
    fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
    fc.constant(2n ** 64n - 1n),
  )
  .map((value) => parseIdHalf(String(value))!);
const id = fc.tuple(half, half).map(([ms, seq]) => ms + seq);
const hlc = fc.oneof(fc.nat(50), fc.constantFrom(2 ** 53 - 1, 2 ** 52 + 1));
const text = fc.constantFrom('', 'a', 'b', '\xff\x00', 'x'.repeat(200));
const fields = fc.oneof(
  fc.constant<Bytes[]>(['f', 'v', 'g', 'w']),
  fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }).map((pairs) => pairs.flat()),
);

type Step =
  | { kind: 'add'; id: Bytes; actor: number; hlc: number; fields: Bytes[] }
  | { kind: 'remove'; ids: Bytes[] }
  | { kind: 'dots'; every: number }
  | { kind: 'covered'; to: Bytes; upTo: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('add' as const), id, actor: fc.nat(3), hlc, fields }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), ids: fc.array(id) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('dots' as const),
      every: fc.integer({ min: 2, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('covered' as const), to: id, upTo: fc.nat(60) }),
  },
);

/** Plays a step on the entries and on a plain list. */
function play(entries: Entries, model: StreamEntry[], one: Step, seq: number): StreamEntry[] {
  if (one.kind === 'add') {
    const entry = { id: one.id, actor: one.actor, seq, hlc: one.hlc, fields: one.fields };
    addEntry(entries, one.id, entry, one.fields);
    const others = model.filter((held) => compareEntries(held, entry) !== 0);
    return [...others, entry].sort(compareEntries);
  }
  if (one.kind === 'remove') {
    const drops: Dot[] = model.map(({ actor, seq: at }) => ({ actor, seq: at }));
    removeEntries(
      entries,
      one.ids.map((gone) => ({ id: gone, drops })),
    );
    return model.filter((held) => !one.ids.includes(held.id));
  }
  if (one.kind === 'dots') {
    const gone = model.filter((_, n) => n % one.every === 0);
    removeDots(entries, gone);
    return model.filter((held) => !gone.includes(held));
  }
  const vector = [one.upTo, one.upTo, one.upTo, one.upTo];
  removeCovered(entries, one.to, vector);
  return model.filter((held) => held.id > one.to || held.seq > one.upTo);
}

test('entries are what a sorted list of them would be, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), id, id, (steps, from, to) => {
      const entries = newEntries();
      let model: StreamEntry[] = [];
      for (const [n, one] of steps.entries()) {
        model = play(entries, model, one, n + 1);
        expect(allEntries(entries)).toEqual(model);
      }
      checkKey(
        {
          ...emptyKeyState(),
          stream: {
            ...newStream(),
            entries,
            marks: [{ actor: 0, seq: 1, hlc: 1, last: to, added: 1, deleted: to }],
          },
        },
        null,
      );
      const wanted = model.filter((held) => held.id >= from && held.id <= to);
      const forth: StreamEntry[] = [];
      const back: StreamEntry[] = [];
      eachEntry(entries, from, to, (reader) => forth.push(reader.entry()) > 0);
      eachEntryBack(entries, from, to, (entry) => back.push(entry) > 0);
      expect(forth).toEqual(wanted);
      expect(back.reverse()).toEqual(wanted);
    }),
    { numRuns: 100, endOnFailure: true },
  );
});

test('appended entries fill blocks of a hundred, and cost little more than their values', () => {
  const entries = newEntries();
  for (let n = 1; n <= 10_000; n++) {
    const stamp = { actor: 1, seq: n, hlc: n * 3000 };
    addEntry(entries, streamId(1767225600000 + n, 0), stamp, ['field', String(n % 10)]);
  }
  expect(entries.blocks.length).toBe(100);
  expect(entries.bytes / entries.count).toBeLessThan(16);
  removeEntries(entries, [{ id: entries.blocks[0].first, drops: [{ actor: 1, seq: 1 }] }]);
  expect(entries.blocks[0].count).toBe(99);
  expect(new BlockReader(entries.blocks[0]).next()).toBe(true);
  expect(entries.blocks[0].first).toBe(streamId(1767225600002, 0));
});

test('ids are exact over all 64 bits', () => {
  fc.assert(
    fc.property(id, (one) => {
      const [ms, seq] = idText(one).split('-');
      expect(parseIdHalf(ms)! + parseIdHalf(seq)!).toBe(one);
      const next = idAfter(one);
      if (next !== null) expect(idBefore(next)).toBe(one);
    }),
  );
  expect([idAfter(STREAM_ID_MAX), idBefore(STREAM_ID_MIN)]).toEqual([null, null]);
});

describe('what a region has not delivered', () => {
  const roster = emptyRoster();
  const here = internActor(roster, makeActorId(1, 0, 1n));
  const there = internActor(roster, makeActorId(2, 0, 1n));
  const view = { roster, region: 1 };
  const f = ['f', 'v'];
  const start = { actor: here, seq: 1, hlc: 1, last: STREAM_ID_MIN, read: 0, seen: [], left: [] };

  function world() {
    const group = { ...newGroup(), made: [{ ...start, gone: [] }] };
    return { entries: newEntries(), group };
  }

  /** Delivers, and says the ids. */
  function deliver({ entries, group }: ReturnType<typeof world>, count: number): string[] {
    const { found, position, lateFrom } = nextEntries(entries, group, view, count);
    const seq = (group.cursors[0]?.seq ?? 1) + 1;
    group.cursors = [{ actor: here, seq, hlc: seq, read: 0, ...position }];
    group.lateFrom = lateFrom;
    for (const entry of found) {
      expect(hasPassed(group.cursors[0], entry.id, entry.actor, entry.seq)).toBe(true);
    }
    return found.map((entry) => idText(entry.id));
  }

  function add(
    { entries, group }: ReturnType<typeof world>,
    ms: number,
    actor: number,
    seq: number,
  ) {
    const one = streamId(ms, 0);
    if (addEntry(entries, one, { actor, seq, hlc: seq }, f)) {
      if (group.lateFrom === null || group.lateFrom > one) group.lateFrom = one;
    }
  }

  test('comes in the order of ids, late ones first, and each once', () => {
    const all = world();
    add(all, 10, here, 2);
    add(all, 20, here, 3);
    expect(deliver(all, 1)).toEqual(['10-0']);
    add(all, 5, there, 1);
    add(all, 15, there, 2);
    expect(deliver(all, 1)).toEqual(['5-0']);
    expect(deliver(all, 9)).toEqual(['15-0', '20-0']);
    expect(deliver(all, 9)).toEqual([]);
  });

  test('is not skipped when what came late lies beyond what was delivered', () => {
    const all = world();
    add(all, 10, here, 2);
    expect(deliver(all, 9)).toEqual(['10-0']);
    add(all, 20, here, 3);
    add(all, 40, here, 4);
    add(all, 30, there, 1);
    expect(deliver(all, 9)).toEqual(['20-0', '30-0', '40-0']);
  });

  test('stays behind when a COUNT ends among late ones of one writer', () => {
    const all = world();
    add(all, 50, here, 2);
    expect(deliver(all, 9)).toEqual(['50-0']);
    // The ids of one writer may go down after an XSETID.
    add(all, 9, there, 1);
    add(all, 7, there, 2);
    expect(deliver(all, 1)).toEqual(['7-0']);
    expect(deliver(all, 1)).toEqual(['9-0']);
    expect(deliver(all, 1)).toEqual([]);
  });
});
