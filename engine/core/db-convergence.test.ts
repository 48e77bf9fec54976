import { seededChance } from '../keyspace/test-chance.ts';
import { digestsOf, START_MS, TestMember } from './db-fixture.ts';
import { runRandom } from './random-command.ts';

const RUNS = 25;
const STEPS = 150;

function play(seed: number, check: (member: TestMember) => void): TestMember[] {
  const random = seededChance(seed);
  const members = [1, 2, 3].map((region) => new TestMember(region, seed));
  let nowMs = START_MS;
  for (let step = 0; step < STEPS; step++) {
    nowMs += Math.floor(random() * 10);
    const member = members[Math.floor(random() * members.length)];
    member.db.beginTurn(nowMs);
    const dice = random();
    if (dice < 0.2) {
      member.pull(members[Math.floor(random() * members.length)]);
    } else if (dice < 0.25) {
      member.db.tick(nowMs, 10);
    } else {
      const commands = random() < 0.2 ? 3 : 1;
      for (let i = 0; i < commands; i++) runRandom(member.db, random);
    }
    member.endTurn();
    if (step % 25 === 0) check(member);
  }
  for (let round = 0; round < 2; round++) {
    for (const member of members) for (const other of members) member.pull(other);
  }
  return members;
}

describe('the database against its model', () => {
  test('packed fast paths, local and remote, equal applyOp', () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const members = play(seed, (member) => member.expectModel());
      for (const member of members) member.expectModel();
    }
  });

  test('members that have exchanged their frames hold the same', () => {
    for (let seed = 1001; seed <= 1000 + RUNS; seed++) {
      const [first, ...others] = play(seed, () => {});
      for (const other of others) expect(digestsOf(other.db)).toEqual(digestsOf(first.db));
    }
  });

  test('a batch that is applied twice changes nothing', () => {
    const [member] = play(7, () => {});
    const before = digestsOf(member.db);
    for (const frame of member.log) expect(member.db.applyBatch(frame.subarray(9))).toBe('known');
    expect(digestsOf(member.db)).toEqual(before);
  });
});
