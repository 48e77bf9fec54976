import { Db } from '../core/db.ts';
import { makeActorId } from '../crdt/roster.ts';
import { slotOf } from '../keyspace/slot.ts';
import { Backlog } from '../log/backlog.ts';
import { batchMeta } from '../log/batch-meta.ts';
import { frameBody } from '../log/frame.ts';
import { COMPARE_FEATURE } from '../replication/message.ts';
import type { VerifyReport } from '../replication/verify-report.ts';
import { Prng } from '../sim/prng.ts';
import type { Peers } from './peers.ts';
import type { Placement } from './role.ts';
import { Verifier } from './verifier.ts';

const NOW_MS = 1_800_000_000_000;
const NEVER = Number.POSITIVE_INFINITY;
const world = { nowMs: 0 };

/** A region of one member; what it writes lies in `outbox` until it is shipped. */
class Side {
  readonly db: Db;
  readonly backlog = new Backlog(1_000_000);
  readonly outbox: Uint8Array[] = [];
  readonly questions: Uint8Array[] = [];
  readonly verifier: Verifier;
  readonly dialled: object[] = [];
  paused = false;
  private lastQuestion = 0;
  private sealedSeq = 0;

  constructor(number: number) {
    this.db = new Db({ random: () => 0.5, region: number });
    this.db.beginTurn(NOW_MS);
    this.db.newActor(makeActorId(number, 0, 1n));
    this.db.writable = true;
    const placement = { firstSlot: 0, lastSlot: 16_383, regions: [{ name: 'us', number: 2 }] };
    this.verifier = new Verifier({
      db: this.db,
      backlog: this.backlog,
      peers: { dialled: this.dialled } as unknown as Peers,
      placement: () => placement as unknown as Placement,
      isPaused: () => this.paused,
      sealLocal: () => this.seal(),
      monotonicMs: () => world.nowMs,
      nextQuestion: () => ++this.lastQuestion,
    });
  }

  dial(region: string, features: readonly string[] = [COMPARE_FEATURE]): void {
    const ask = (frame: Uint8Array) => this.questions.push(frame) > 0;
    const puller = { state: 'streaming', remote: { features }, ask };
    this.dialled.push({ target: { key: `region ${region}` }, puller, lastError: '' });
  }

  seal(): void {
    const frame = this.db.takeFrame();
    if (frame === null) return;
    this.backlog.appendBatch(this.db.actor, this.sealedSeq + 1, this.db.lastSeq, frame);
    this.sealedSeq = this.db.lastSeq;
    this.outbox.push(frame);
  }

  apply(frame: Uint8Array): void {
    expect(this.db.applyBatch(frameBody(frame))).toBe('applied');
    const meta = batchMeta(frame, this.db.roster);
    this.backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
  }

  /** Begins to verify; the report appears in the result. */
  verify(): VerifyReport[] {
    const reports: VerifyReport[] = [];
    this.verifier.begin(['us'], (report) => reports.push(report));
    return reports;
  }
}

function pair(): { eu: Side; us: Side } {
  world.nowMs = 0;
  const eu = new Side(1);
  const us = new Side(2);
  eu.dial('us');
  return { eu, us };
}

function write(side: Side, random: Prng, keys: number): void {
  const key = `k${random.between(0, keys - 1)}`;
  const dice = random.unit();
  if (dice < 0.4) side.db.setStringText(key, String(random.uint32()), NEVER);
  else if (dice < 0.6) side.db.delete(key);
  else if (dice < 0.8) side.db.setAdd(`s:${key}`, [`m${random.between(0, 4)}`]);
  else side.db.hashSet(`h:${key}`, [['f', String(random.between(0, 8))]]);
  side.seal();
}

/** One random step of a world in which links and questions take their time. */
function step(eu: Side, us: Side, answers: Uint8Array[], random: Prng, writes: boolean): void {
  const side = random.chance(0.5) ? eu : us;
  const dice = random.between(0, 5);
  if (dice < 2 && writes) write(side, random, 40);
  else if (dice === 2 && side.outbox.length > 0) {
    (side === eu ? us : eu).apply(side.outbox.shift()!);
  } else if (dice === 3 && eu.questions.length > 0) {
    const answer = us.verifier.answer(eu.questions.shift()!);
    if (typeof answer === 'string') throw new Error(answer);
    answers.push(answer);
  } else if (dice === 4 && answers.length > 0) {
    expect(eu.verifier.receive(answers.shift()!)).toBeNull();
  } else if (dice === 5) {
    world.nowMs += 20;
    eu.verifier.tick();
  }
}

function play(eu: Side, us: Side, random: Prng, writesFor = 400): VerifyReport {
  const answers: Uint8Array[] = [];
  const reports = eu.verify();
  for (let n = 0; reports.length === 0; n++) {
    if (n > 200_000) throw new Error('no report');
    step(eu, us, answers, random, n < writesFor);
  }
  return reports[0];
}

/** Puts another value in the place of what the member holds, as a defect of memory or code might. */
function corrupt(side: Side, key: string, from: string, to: string): number {
  const slot = slotOf(Buffer.from(key), 0, key.length);
  const body = Buffer.from(side.db.states.exportSlot(slot)!);
  body.write(to, body.indexOf(from), 'latin1');
  expect(side.db.states.importSlot(body, () => [])).toBeNull();
  side.db.states.finishStateMerge([]);
  expect(side.db.states.exceptionCount).toBe(0);
  return slot;
}

test('regions that take writes all the time are never said to differ', () => {
  for (let seed = 1; seed <= 80; seed++) {
    const random = new Prng(seed);
    const { eu, us } = pair();
    for (let n = random.between(0, 59); n > 0; n--) step(eu, us, [], random, true);
    const report = play(eu, us, random, random.pick([0, 200, 2000]));
    expect([seed, report.regions[0].differences]).toEqual([seed, []]);
    expect(['converged', 'busy']).toContain(report.verdict);
  }
});

test('when writes pause the verdict is converged, with every slot compared', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { eu, us } = pair();
    const report = play(eu, us, new Prng(seed), 100);
    expect(report).toMatchObject({
      verdict: 'converged',
      regions: [{ equalSlots: 16_384, busySlots: 0, differentSlots: 0 }],
    });
  }
});

test('one value that is not what it should be is named with slot and key, while others write', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Prng(seed);
    const { eu, us } = pair();
    for (const key of ['kept', 'other']) eu.db.setStringText(key, `value of ${key}`, NEVER);
    eu.seal();
    us.apply(eu.outbox.shift()!);
    const slot = corrupt(seed % 2 ? eu : us, 'kept', 'value of kept', 'vAlue of kept');
    const report = play(eu, us, random, 300);
    expect(report.verdict).toBe('different');
    expect(report.regions[0]).toMatchObject({
      differentSlots: 1,
      differences: [{ slot, keys: ['kept'] }],
    });
  }
});

test('a key that one side has lost is named, and of many only the first ones', () => {
  const { eu, us } = pair();
  for (let n = 10; n < 40; n++) eu.db.setStringText(`{t}${n}`, 'x', NEVER);
  eu.db.setStringText('whole', 'x', NEVER);
  eu.seal();
  us.apply(eu.outbox.shift()!);
  const slot = slotOf(Buffer.from('t'), 0, 1);
  expect(us.db.states.importSlot(us.db.states.emptySlot(slot, us.db.vector), () => [])).toBeNull();
  us.db.states.finishStateMerge([]);
  const { regions } = play(eu, us, new Prng(1), 0);
  const keys = Array.from({ length: 8 }, (_, n) => `{t}${n + 10}`);
  expect(regions[0].differences).toEqual([{ slot, keys }]);
});

test('what is always under way is busy, and says how much; a silent region is unreachable', () => {
  const { eu, us } = pair();
  for (let n = 0; n < 5; n++) eu.db.setStringText(`k${n}`, 'x', NEVER);
  eu.seal();
  const random = new Prng(1);
  const answers: Uint8Array[] = [];
  const reports = eu.verify();
  while (reports.length === 0) {
    us.outbox.length = 0;
    const held = eu.outbox.splice(0);
    step(eu, us, answers, random, false);
    eu.outbox.push(...held);
  }
  expect(reports[0].verdict).toBe('busy');
  expect(reports[0].regions[0]).toMatchObject({ busySlots: 5, equalSlots: 16_379, opsInFlight: 5 });
  const silent = eu.verify();
  for (let ms = 0; ms < 6000; ms += 50) {
    world.nowMs += 50;
    eu.verifier.tick();
  }
  expect(silent[0].regions[0]).toMatchObject({ verdict: 'unreachable' });
  expect(silent[0].regions[0].reason).toBe('no answer for 5000 ms');
  expect(eu.verifier.count).toBe(0);
});

test('a region that cannot be asked is unreachable, with the reason', () => {
  const reason = (side: Side) => side.verify()[0].regions[0].reason;
  const { eu } = pair();
  eu.paused = true;
  expect(reason(eu)).toMatch(/paused/);
  eu.paused = false;
  eu.dialled.length = 0;
  expect(reason(eu)).toBe('there is no session');
  eu.dial('us', []);
  expect(reason(eu)).toBe('its version cannot compare slots');
});

test('ops that the backlog no longer holds make slots busy, never different', () => {
  const { eu, us } = pair();
  eu.db.setStringText('a', 'x', NEVER);
  eu.seal();
  eu.backlog.reset(eu.db.vector);
  expect(play(eu, us, new Prng(3), 0).verdict).toBe('converged');
  eu.db.setStringText('a', 'y', NEVER);
  eu.db.takeFrame();
  const answers: Uint8Array[] = [];
  const reports = eu.verify();
  for (const random = new Prng(4); reports.length === 0; ) step(eu, us, answers, random, false);
  expect(reports[0].verdict).toBe('busy');
});

test('bad questions and answers are refused in words', () => {
  const { eu, us } = pair();
  eu.verify();
  const question = eu.questions[0];
  for (let length = 9; length < question.length; length++) {
    expect(typeof us.verifier.answer(question.subarray(0, length))).toBe('string');
  }
  const answer = us.verifier.answer(question) as Uint8Array;
  for (let length = 9; length < answer.length; length += 97) {
    expect(typeof eu.verifier.receive(answer.subarray(0, length))).toBe('string');
  }
  expect(eu.verifier.receive(answer)).toBeNull();
  expect(eu.verifier.receive(answer)).toBeNull();
});
