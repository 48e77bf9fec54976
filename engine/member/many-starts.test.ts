/**
 * Years of restarts: what each start leaves behind, and what happens when no writer more can be told apart.
 * docs/decisions/0011 says why writers are not folded away.
 */
import { readConfig } from '../config.ts';
import { Db } from '../core/db.ts';
import { ACTORS_MAX, emptyRoster, internActor, makeActorId, ROSTER_FULL } from '../crdt/roster.ts';
import { decodeVector, encodeVector } from '../log/vector-bytes.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Network } from '../sim/network.ts';
import { Prng } from '../sim/prng.ts';
import { SimProcess } from '../sim/process.ts';
import { World } from '../sim/world.ts';

const LIVES = 120;

function makeProcess(world: World): SimProcess {
  const random = new Prng(1);
  const flags = ['--region', 'eu', '--region-number', '1', '--dir', 'simulated'];
  const result = readConfig(flags, {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return new SimProcess({
    ...{ world, random, config: result.config, network: new Network(world, random.fork()) },
    sizes: { segmentBytesMax: 20_000, imageAfterBytes: 30_000 },
    broken: (problem) => {
      throw new Error(problem);
    },
  });
}

function set(process: SimProcess, key: string): void {
  const link = { send: () => {}, bufferedBytes: () => 0, close: () => {} };
  const client = process.member!.connectClient('test', 'test', link);
  process.member!.clients.receive(client, encodeRequest(['SET', key, 'x'.repeat(500)]));
  process.member!.turn();
}

test('only starts that wrote leave a writer behind, 20 bytes each and not once for each slot', () => {
  const world = new World(0);
  const process = makeProcess(world);
  const writers: number[] = [];
  for (let life = 1; life <= LIVES; life++) {
    process.start();
    if (life % 3 === 0) set(process, `key:${life}`);
    world.runUntil(world.nowMs + 3000);
    writers.push(process.member!.db.vector.filter((seq) => seq > 0).length);
    process.stop('kill');
  }
  expect(writers.at(-1)).toBe(LIVES / 3);
  process.start();
  const { db, footprint } = process.member!;
  expect(footprint.actors).toBe(LIVES / 3 + 1);
  expect(db.size).toBe(LIVES / 3);
  expect(encodeVector(db.vector, db.roster).length).toBe(2 + 20 * (LIVES / 3));
});

describe('when there have been 65,536 writers', () => {
  const id = (n: number): string => makeActorId(1 + (n % 16), 0, BigInt(n));

  test('a new one does not start, and says what to do', () => {
    const db = new Db({ random: () => 0.5, region: 1 });
    for (let n = 0; n < ACTORS_MAX; n++) internActor(db.roster, id(n));
    expect(() => db.newActor(id(ACTORS_MAX))).toThrow(/65536 writers.*make a new database/);
  });

  test('what a peer tells of another one is refused with the same words, and stops nobody', () => {
    const peer = emptyRoster();
    const vector = [1];
    internActor(peer, id(ACTORS_MAX));
    const told = encodeVector(vector, peer);
    const full = emptyRoster();
    for (let n = 0; n < ACTORS_MAX; n++) internActor(full, id(n));
    expect(decodeVector(told, 0, full)).toBe(ROSTER_FULL);
  });

  test('a slot whose writers are all known is taken as ever', () => {
    const db = new Db({ random: () => 0.5, region: 1 });
    db.beginTurn(1_800_000_000_000);
    db.newActor(id(0));
    db.writable = true;
    db.setStringText('a', '1', Number.POSITIVE_INFINITY);
    for (let n = 1; n < ACTORS_MAX; n++) internActor(db.roster, id(n));
    const slot = Array.from({ length: 16_384 }, (_, n) => n).find((n) => db.slotSize(n) > 0)!;
    expect(db.states.importSlot(db.states.exportSlot(slot)!, null)).toBeNull();
  });
});
