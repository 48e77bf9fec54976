import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { checkKey } from '../crdt/check.ts';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import { canonical, play, pull } from '../crdt/laws-history.ts';
import { emptyList, type ListState, writeElement } from '../crdt/list.ts';
import type { Roster } from '../crdt/roster.ts';
import { encodeScore } from '../crdt/score.ts';
import { entriesOf } from '../crdt/stream-entries.ts';
import { history } from './arbitrary-history.ts';
import { rosterOf } from './arbitrary-op.ts';
import { collectActors, decodeKey, dictionaryOf, encodeKey } from './key-encoding.ts';

function encode(state: KeyState, roster: Roster): Buffer {
  const actors = new Set<number>();
  collectActors(state, actors);
  return Buffer.from(encodeKey(state, dictionaryOf(roster, actors)));
}

const states = history.map((actions) => {
  const { roster, replicas } = play(actions);
  const [first, second] = replicas;
  return { roster, first, second };
});

test('decoding an encoded state gives the state, and encoding that gives the bytes', () => {
  fc.assert(
    fc.property(states, ({ roster, first }) => {
      if (first.state === null) return;
      const actors = new Set<number>();
      collectActors(first.state, actors);
      const dictionary = dictionaryOf(roster, actors);
      const bytes = encodeKey(first.state, dictionary);
      const decoded = decodeKey(bytes, dictionary);
      if ('problem' in decoded) throw new Error(decoded.problem);
      checkKey(decoded, first.vector);
      expect(canonical(decoded)).toEqual(canonical(first.state));
      expect(Buffer.from(encodeKey(decoded, dictionary))).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 300 },
  );
});

test('replicas that have applied the same ops have the same bytes', () => {
  fc.assert(
    fc.property(states, ({ roster, first, second }) => {
      pull(first, second);
      pull(second, first);
      if (first.state === null || second.state === null) {
        expect(first.state).toBe(second.state);
      } else {
        expect(encode(first.state, roster)).toEqual(encode(second.state, roster));
      }
    }),
    { numRuns: 300 },
  );
});

test('cut at any byte: refused', () => {
  fc.assert(
    fc.property(states, ({ roster, first }) => {
      if (first.state === null) return;
      const dictionary = dictionaryOf(roster, first.vector.keys());
      const bytes = encodeKey(first.state, dictionary);
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeKey(bytes.slice(0, length), dictionary)).toHaveProperty('problem');
      }
    }),
    { numRuns: 40 },
  );
});

test('any bit flipped: refused, or a state that keeps the invariants', () => {
  fc.assert(
    fc.property(states, fc.nat(), ({ roster, first }, choice) => {
      if (first.state === null) return;
      const dictionary = dictionaryOf(roster, first.vector.keys());
      const bytes = encodeKey(first.state, dictionary);
      const bit = choice % (bytes.length * 8);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      const decoded = decodeKey(bytes, dictionary);
      if ('problem' in decoded) return;
      checkKey(decoded, null);
      // Only one encoding of each state is taken: what reads must write the same bytes.
      expect(Buffer.from(encodeKey(decoded, dictionary))).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 1500 },
  );
});

const PINNED: Record<string, KeyState> = {
  'plain string': {
    ...emptyKeyState(),
    cell: { siblings: [{ actor: 0, seq: 5, hlc: 4096, value: 'hello' }], contributions: [] },
    ttl: [{ actor: 0, seq: 5, hlc: 4096, expiry: Number.POSITIVE_INFINITY }],
  },
  'counter with siblings': {
    ...emptyKeyState(),
    cell: {
      siblings: [
        { actor: 1, seq: 2, hlc: 8192, value: '7' },
        { actor: 0, seq: 9, hlc: 8192, value: 'abc' },
      ],
      contributions: [
        { actor: 2, seq: 2 ** 40, hlc: 8193, cum: -12, floorSeq: 4, floorCum: 3 },
        { actor: 1, seq: 3, hlc: 8193, cum: 10n ** 16n, floorSeq: 2, floorCum: 0 },
      ],
    },
  },
  'a list': { ...emptyKeyState(), list: someList() },
  'all types at once': {
    ...emptyKeyState(),
    cell: { siblings: [], contributions: [{ ...stamp(3, 1), cum: 1, floorSeq: 0, floorCum: 0 }] },
    set: new Map([
      ['b', [stamp(1, 1)]],
      ['a', [stamp(2, 2), stamp(0, 2)]],
    ]),
    hash: new Map([['f', { siblings: [{ ...stamp(0, 3), value: '\xff' }], contributions: [] }]]),
    zset: null,
    ttl: [{ ...stamp(1, 4), expiry: 1767225600000 }],
  },
  'sorted set': {
    ...emptyKeyState(),
    zset: new Map([
      ['b', { siblings: [{ ...stamp(1, 1), value: encodeScore(1.1) }], contributions: [] }],
      [
        'a',
        {
          siblings: [{ ...stamp(2, 2), value: encodeScore(Number.NEGATIVE_INFINITY) }],
          contributions: [{ ...stamp(0, 7), cum: 5, floorSeq: 6, floorCum: 0 }],
        },
      ],
    ]),
    ttl: [{ ...stamp(1, 4), expiry: 1767225600000 }],
  },
  'hash with field TTLs': {
    ...emptyKeyState(),
    hash: new Map([['f', { siblings: [{ ...stamp(0, 3), value: 'v' }], contributions: [] }]]),
    ttl: [{ ...stamp(1, 4), expiry: 1767225600000 }],
    fieldTtl: {
      changes: 0,
      writes: new Map([
        [
          'f',
          [
            { ...stamp(2, 5), expiry: Number.POSITIVE_INFINITY, saw: [{ actor: 0, seq: 3 }] },
            { ...stamp(0, 6), expiry: 1767225600000, saw: [{ actor: 0, seq: 3 }] },
          ],
        ],
      ]),
    },
  },
  'HyperLogLog of two instances': {
    ...emptyKeyState(),
    hll: {
      instances: [
        {
          ...stamp(2, 7),
          writers: [stamp(2, 9), stamp(0, 3)],
          registers: Uint8Array.of(0, 5, 1, 63, 255, 51),
        },
        { ...stamp(1, 4), writers: [stamp(1, 4)], registers: new Uint8Array(0) },
      ],
    },
  },
};

const ID = `\x00\x00\x01\x9b${'\x07'.repeat(12)}`;
PINNED.stream = {
  ...emptyKeyState(),
  stream: {
    entries: entriesOf([
      { id: ID, ...stamp(0, 5), fields: ['f', 'v'] },
      { id: ID, ...stamp(1, 2), fields: ['g', '', 'f', '\xff'] },
    ]),
    marks: [{ ...stamp(1, 2), last: ID, added: 2, deleted: ID }],
    groups: new Map([
      [
        'g',
        {
          made: [
            {
              ...stamp(2, 1),
              last: ID,
              read: 4,
              seen: [{ actor: 1, seq: 2 }],
              left: [],
              gone: [{ actor: 0, seq: 3 }],
            },
          ],
          gone: [stamp(0, 3)],
          cursors: [
            {
              ...stamp(0, 6),
              last: ID,
              read: -1,
              seen: [
                { actor: 3, seq: 7 },
                { actor: 0, seq: 5 },
              ],
              left: [{ id: ID, actor: 3, seq: 6 }],
            },
          ],
          consumers: new Map([['c', [{ ...stamp(0, 4), atMs: 1767225600000 }]]]),
          pending: [
            { id: ID, claims: [{ ...stamp(0, 6), consumer: 'c', atMs: 1767225600001, count: 2 }] },
          ],
          lateFrom: null,
        },
      ],
    ]),
  },
};

/** Two values of a push, one that LSET and another region changed, and one between. */
function someList(): ListState {
  const list = emptyList();
  const write = (id: number[], actor: number, seq: number, value: string): void =>
    writeElement(list, id, { ...stamp(actor, seq), value });
  write([0, 77, 5, 0], 1, 5, 'a');
  write([0, 77, 5, 1], 1, 5, '');
  write([0, 77, 5, 2], 1, 8, 'set');
  write([0, 77, 5, 2], 2, 3, 'other');
  write([0, 77, 5, 0, -1, 78, -9, 0], 2, 9, 'between');
  return list;
}

function stamp(actor: number, seq: number): { actor: number; seq: number; hlc: number } {
  return { actor, seq, hlc: 4096 + seq };
}

test('pinned states decode, and encode to the same bytes', () => {
  const file = new URL('./testdata/key-v1.txt', import.meta.url);
  const roster = rosterOf([0, 1, 2, 3]);
  const dictionary = dictionaryOf(roster, [0, 1, 2, 3]);
  const lines = Object.entries(PINNED).map(
    ([name, state]) => `${name}: ${Buffer.from(encodeKey(state, dictionary)).toString('hex')}`,
  );
  if (process.env.UPDATE === '1') writeFileSync(file, `${lines.join('\n')}\n`);
  const pinned = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toEqual(pinned);
  for (const line of pinned) {
    const decoded = decodeKey(Buffer.from(line.split(': ')[1], 'hex'), dictionary);
    if ('problem' in decoded) throw new Error(decoded.problem);
    expect(Buffer.from(encodeKey(decoded, dictionary)).toString('hex')).toBe(line.split(': ')[1]);
  }
});
