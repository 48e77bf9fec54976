import type { Bytes } from '../crdt/dot.ts';
import { makeActorId } from '../crdt/roster.ts';
import { idText, STREAM_ID_MAX, STREAM_ID_MIN } from '../crdt/stream-id.ts';
import { Args } from '../resp/args.ts';
import { Db } from './db.ts';

const START_MS = 1_795_000_000_000;

function newDb(region: number): Db {
  const db = new Db({ random: () => 0.5, region });
  db.newActor(makeActorId(region, 0, BigInt(region)));
  db.writable = true;
  db.beginTurn(START_MS);
  return db;
}

function argsOf(...words: string[]): Args {
  const args = new Args();
  args.buffer = Buffer.from(words.join(''), 'latin1');
  let at = 0;
  for (const word of words) {
    args.add(at, at + word.length);
    at += word.length;
  }
  return args;
}

/** Bodies of the frames that a database has written. */
function bodyOf(db: Db): Uint8Array {
  return db.takeFrame()!.slice(9);
}

test('XADD by bytes writes the ops and the state that the general way writes', () => {
  const [fast, slow] = [newDb(1), newDb(1)];
  let byBytes = 0;
  for (let n = 0; n < 400; n++) {
    const value = n % 7 === 0 ? 'x'.repeat(n) : `\xff${n}`;
    const fields = n % 5 === 0 ? ['g', value] : ['f', value, 'empty', ''];
    for (const db of [fast, slow]) db.beginTurn(START_MS + Math.floor(n / 3));
    const id = fast.streams.addBytes(argsOf('XADD', 's', '*', ...fields));
    if (id === null) fast.streams.add('s', { kind: 'auto' }, fields, true, null);
    else byBytes++;
    slow.streams.add('s', { kind: 'auto' }, fields, true, null);
    if (n === 200) for (const db of [fast, slow]) db.streams.remove('s', [firstOf(db)]);
    expect(Buffer.from(bodyOf(fast))).toEqual(Buffer.from(bodyOf(slow)));
  }
  expect(byBytes).toBeGreaterThan(100);
  const slot = Array.from({ length: 16384 }, (_, n) => n).find((n) => fast.slotSize(n) > 0)!;
  expect(fast.states.exportSlot(slot)).toEqual(slow.states.exportSlot(slot));
  expect(Math.abs(fast.memoryBytes - slow.memoryBytes)).toBeLessThan(1000);
});

function firstOf(db: Db): Bytes {
  const stream = db.streams.see('s')!;
  return db.streams.range(stream, STREAM_ID_MIN, STREAM_ID_MAX, 1, false)[0].id;
}

test('a replica that takes over goes on where its primary was', () => {
  const primary = newDb(1);
  const { streams } = primary;
  for (let n = 1; n <= 5; n++) streams.add('s', { kind: 'auto' }, ['n', String(n)], true, null);
  streams.groups.create('s', 'g', STREAM_ID_MIN, 0);
  streams.groups.addConsumer('s', 'g', 'c');
  const first = streams.groups.deliver('s', 'g', 'c', 3, false);
  streams.groups.acknowledge('s', 'g', [first[0].id]);
  const replica = newDb(1);
  replica.newActor(makeActorId(1, 1, 9n));
  replica.beginTurn(START_MS + 10);
  expect(replica.applyBatch(bodyOf(primary))).toBe('applied');
  const group = () => replica.streams.groups.find(replica.streams.see('s'), 'g')!;
  const pending = replica.streams.groups.pending(group(), '', 'c', 10);
  expect(pending.map(({ id }) => id)).toEqual([first[1].id, first[2].id]);
  const rest = replica.streams.groups.deliver('s', 'g', 'c', 10, false);
  expect(rest.map(({ fields }) => fields[1])).toEqual(['4', '5']);
  expect(replica.streams.groups.pending(group(), '', null, 10)).toHaveLength(4);
});

test('ids of several regions name the region and never collide; of one they are those of Redis', () => {
  const ids = new Set<string>();
  for (let region = 1; region <= 16; region++) {
    const db = newDb(region);
    db.streams.severalRegions = true;
    for (let n = 0; n < 40; n++) {
      const id = n % 2 === 0 ? null : db.streams.addBytes(argsOf('XADD', 's', '*', 'f', 'v'));
      const added = db.streams.add('s', { kind: 'auto' }, ['f', 'v'], true, null);
      if (id !== null) ids.add(idText(id));
      ids.add(idText((added as { id: Bytes }).id));
    }
  }
  expect(ids.size).toBe(16 * 60);
  expect(ids.has(`${START_MS}-1`)).toBe(true);
  expect([...ids].every((id) => !id.endsWith('-0'))).toBe(true);
  const alone = newDb(3);
  const id = alone.streams.add('s', { kind: 'auto' }, ['f', 'v'], true, null) as { id: Bytes };
  expect(idText(id.id)).toBe(`${START_MS}-0`);
  expect(idText(alone.streams.addBytes(argsOf('XADD', 's', '*', 'f', 'v'))!)).toBe(`${START_MS}-1`);
});
