import fc from 'fast-check';
import { emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { advance } from '../crdt/version-vector.ts';
import { limits } from '../limits.ts';
import {
  overlaps,
  readToken,
  type SessionToken,
  slotsOf,
  TokenWatch,
  tokenPart,
  writeToken,
} from './session-token.ts';

const id = (region: number, incarnation = 1) => makeActorId(region, 0, BigInt(incarnation));

function example(): SessionToken {
  const roster = emptyRoster();
  const vector = [0, 0, 0].map(() => 0);
  advance(vector, internActor(roster, id(2)), 7);
  advance(vector, internActor(roster, id(1)), 2 ** 47);
  return {
    database: 'shop/cärts',
    parts: [tokenPart(0, 8191, vector, roster), tokenPart(8192, 16_383, [], roster)],
  };
}

test('a token is read as it was written, and equal positions have equal tokens', () => {
  const token = example();
  expect(token.parts[0].seqs.map(([, seq]) => seq)).toEqual([2 ** 47, 7]);
  expect(readToken(writeToken(token))).toEqual(token);
  expect(slotsOf(token)).toBe('0-8191, 8192-16383');
  const part = fc.tuple(
    fc.integer({ min: 0, max: 16_383 }),
    fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1 })), {
      selector: ([region]) => region,
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.array(part, { maxLength: 4 }), (name, given) => {
      const database = Buffer.from(name, 'utf8').toString('utf8');
      const parts = given.map(([firstSlot, seqs]) => {
        const roster = emptyRoster();
        const vector: number[] = [];
        for (const [region, seq] of seqs) advance(vector, internActor(roster, id(region)), seq);
        return tokenPart(firstSlot, 16_383, vector, roster);
      });
      expect(readToken(writeToken({ database, parts }))).toEqual({ database, parts });
    }),
  );
});

test('a token that was cut or changed is refused in words', () => {
  const text = writeToken(example());
  for (let length = 0; length < text.length; length++) {
    expect(typeof readToken(text.slice(0, length))).toBe('string');
  }
  const letters = 'ABCxyz019-_.% é';
  for (let at = 0; at < text.length; at++) {
    for (const letter of letters) {
      if (text[at] === letter) continue;
      const changed = text.slice(0, at) + letter + text.slice(at + 1);
      expect([at, letter, typeof readToken(changed)]).toEqual([at, letter, 'string']);
    }
  }
  expect(readToken('m2.abc')).toBe('its version is not 1, the only one known here');
  expect(readToken('hello')).toBe('it does not begin with "m1."');
  expect(readToken('m1.')).toBe('it is not whole, or was changed');
  expect(readToken(`m1.${'A'.repeat(limits.tokenBytesMax.value)}`)).toMatch(/at most 4194304/);
});

test('whole tokens with nonsense inside are refused', () => {
  const nonsense = [
    { firstSlot: 5, lastSlot: 4, seqs: [] },
    { firstSlot: 0, lastSlot: 16_384, seqs: [] },
    { firstSlot: 0, lastSlot: 1, seqs: [[id(1), 0]] },
    { firstSlot: 0, lastSlot: 1, seqs: [[id(1), 1.5]] },
    {
      firstSlot: 0,
      lastSlot: 1,
      seqs: [
        [id(2), 1],
        [id(1), 1],
      ],
    },
    { firstSlot: 0, lastSlot: 1, seqs: [[`\x11${'\0'.repeat(11)}`, 1]] },
  ] as const;
  for (const part of nonsense) {
    expect(typeof readToken(writeToken({ database: 'd', parts: [part] }))).toBe('string');
  }
});

test('a watch ends when all is applied, and asks nothing of the roster', () => {
  const { parts } = example();
  const watch = new TokenWatch(parts);
  const roster = emptyRoster();
  const vector: number[] = [];
  expect(watch.reached(vector, roster)).toBe(false);
  expect(roster.ids).toEqual([]);
  advance(vector, internActor(roster, id(2)), 7);
  expect(watch.reached(vector, roster)).toBe(false);
  advance(vector, internActor(roster, id(1)), 2 ** 47 - 1);
  expect(watch.reached(vector, roster)).toBe(false);
  advance(vector, 1, 2 ** 47);
  expect(watch.reached(vector, roster)).toBe(true);
  expect(new TokenWatch([]).reached([], emptyRoster())).toBe(true);
});

test('parts concern a member by slots, however the regions are cut into shards', () => {
  const part = { firstSlot: 100, lastSlot: 200, seqs: [] };
  expect(overlaps(part, 0, 99)).toBe(false);
  expect(overlaps(part, 0, 100)).toBe(true);
  expect(overlaps(part, 150, 160)).toBe(true);
  expect(overlaps(part, 200, 300)).toBe(true);
  expect(overlaps(part, 201, 300)).toBe(false);
});
