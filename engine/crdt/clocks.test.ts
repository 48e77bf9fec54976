import fc from 'fast-check';
import {
  describeBadHlc,
  HLC_EPOCH_MS,
  HLC_MAX,
  hlcOfMs,
  msOfHlc,
  newClock,
  receive,
  tick,
} from './hlc.ts';
import {
  actorId,
  actorText,
  compareActors,
  describeBadActorId,
  emptyRoster,
  findActor,
  internActor,
  makeActorId,
  parseActorText,
} from './roster.ts';
import {
  advance,
  countOps,
  covers,
  dominates,
  emptyVector,
  joinVector,
  sameVector,
  seqOf,
} from './version-vector.ts';

describe('hybrid logical clock', () => {
  test('stamps only grow, whatever the wall clock does and whatever is received', () => {
    const event = fc.record({
      ms: fc.integer({ min: -5, max: 5 }),
      remote: fc.option(fc.nat(4096 * 6)),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const clock = newClock();
        let last = 0;
        for (const { ms, remote } of events) {
          if (remote !== null) {
            receive(clock, remote);
            last = Math.max(last, remote);
          }
          const stamp = tick(clock, HLC_EPOCH_MS + ms);
          expect(stamp).toBeGreaterThan(last);
          last = stamp;
        }
      }),
    );
  });

  test('a stamp is the millisecond and a count; too many in one run into the next', () => {
    const clock = newClock();
    expect(tick(clock, HLC_EPOCH_MS + 7)).toBe(7 * 4096);
    for (let n = 1; n < 4096; n++) tick(clock, HLC_EPOCH_MS + 7);
    expect(msOfHlc(clock.last)).toBe(HLC_EPOCH_MS + 7);
    expect(msOfHlc(tick(clock, HLC_EPOCH_MS + 7))).toBe(HLC_EPOCH_MS + 8);
    expect(hlcOfMs(HLC_EPOCH_MS - 1)).toBe(0);
  });

  test('a stamp up to an hour ahead is taken, a later one refused in words', () => {
    const now = HLC_EPOCH_MS + 1_000_000;
    expect(describeBadHlc(hlcOfMs(now + 3_600_000), now)).toBeNull();
    expect(describeBadHlc(hlcOfMs(now + 3_601_000), now)).toMatch(/3601 s ahead .* 3600 s allowed/);
    expect(describeBadHlc(HLC_MAX, now)).toMatch(/ahead/);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(describeBadHlc(bad, now)).toMatch(/whole number/);
    }
  });
});

describe('roster', () => {
  const ids = fc.tuple(
    fc.integer({ min: 1, max: 16 }),
    fc.nat(65535),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );

  test('text form and id are the same thing', () => {
    fc.assert(
      fc.property(ids, (parts) => {
        const id = makeActorId(...parts);
        expect(describeBadActorId(id)).toBeNull();
        expect(parseActorText(actorText(id))).toBe(id);
      }),
    );
    expect(actorText(makeActorId(1, 0, 0x18f2an))).toBe('1.0.18f2a');
    for (const text of ['', '0.0.1', '17.0.1', '1.65536.1', '1.0.x', '1.0.11111111111111111']) {
      expect(parseActorText(text)).toBeNull();
    }
  });

  test('actors are ordered by region, then member, then incarnation', () => {
    fc.assert(
      fc.property(ids, ids, (one, two) => {
        const roster = emptyRoster();
        const b = internActor(roster, makeActorId(...two));
        const a = internActor(roster, makeActorId(...one));
        const different = one.findIndex((part, index) => part !== two[index]);
        const expected = different < 0 ? 0 : one[different] < two[different] ? -1 : 1;
        expect(Math.sign(compareActors(roster, a, b))).toBe(expected);
      }),
    );
  });

  test('an id has one index; bad ids and a full roster are refused', () => {
    const roster = emptyRoster();
    const id = makeActorId(3, 1, 1n);
    const actor = internActor(roster, id);
    expect(internActor(roster, id)).toBe(actor);
    expect(findActor(roster, id)).toBe(actor);
    expect(actorId(roster, actor)).toBe(id);
    expect(() => actorId(roster, 9)).toThrow('no actor 9');
    expect(() => internActor(roster, `\x01\x01${id.slice(2)}`)).toThrow('second byte');
    expect(() => internActor(roster, id.slice(1))).toThrow('12 bytes');
    expect(() => makeActorId(17, 0, 0n)).toThrow('region number 17');
    while (roster.ids.length < 65536) roster.ids.push('');
    expect(() => internActor(roster, makeActorId(4, 1, 1n))).toThrow(
      'this database has had 65536 writers',
    );
  });
});

describe('version vector', () => {
  const vector = fc.array(fc.nat(3), { maxLength: 4 });

  test('a join covers exactly what either covered', () => {
    fc.assert(
      fc.property(vector, vector, fc.nat(4), fc.integer({ min: 1, max: 3 }), (a, b, actor, seq) => {
        const joined = [...a];
        joinVector(joined, b);
        const either = covers(a, actor, seq) || covers(b, actor, seq);
        expect(covers(joined, actor, seq)).toBe(either);
        expect(dominates(joined, a) && dominates(joined, b)).toBe(true);
        expect(sameVector(joined, a)).toBe(dominates(a, b));
      }),
    );
  });

  test('trailing zeros mean nothing, and entries never fall', () => {
    const one = emptyVector();
    advance(one, 2, 5);
    advance(one, 2, 4);
    expect([seqOf(one, 2), seqOf(one, 7), countOps(one)]).toEqual([5, 0, 5]);
    expect(sameVector(one, [0, 0, 5, 0])).toBe(true);
    expect(dominates([0, 0, 4], one)).toBe(false);
  });
});
