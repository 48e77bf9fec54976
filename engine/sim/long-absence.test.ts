/**
 * Two regions go on for thirty days without the third, all three writing and deleting. Its absence
 * costs the others no memory, and when it is back nothing is lost or resurrected.
 */
import { readConfig } from '../config.ts';
import { type Reply, ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Network } from './network.ts';
import { Prng } from './prng.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;
const KEYS_A_DAY = 60;
const names = ['eu', 'us', 'ap'] as const;
type Name = (typeof names)[number];

const world = new World(0);
const random = new Prng(30);
const network = new Network(world, random.fork());
network.resolve = ({ host }) => host;
const processes = new Map<Name, SimProcess>();

for (const [index, name] of names.entries()) {
  const flags = ['--region', name, '--region-number', `${index + 1}`, '--member', name];
  for (const other of names) if (other !== name) flags.push('--peer', `${other}=${other}:7443`);
  flags.push('--dir', 'simulated', '--fsync', 'everysec', '--backlog-bytes', '20000');
  const result = readConfig([...flags, '--database', 'sim'], {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  processes.set(
    name,
    new SimProcess({
      ...{ world, network, random: random.fork(), config: result.config },
      sizes: { segmentBytesMax: 20_000, imageAfterBytes: 30_000 },
      broken: (problem) => {
        throw new Error(problem);
      },
    }),
  );
}

const member = (name: Name) => processes.get(name)!.member!;

/** Runs commands in one region and returns the replies. */
function ask(name: Name, ...commands: (string | number)[][]): Reply[] {
  const parser = new ReplyParser();
  const client = member(name).connectClient('test', 'test', {
    send: (bytes, length) => parser.push(bytes.slice(0, length)),
    bufferedBytes: () => 0,
    close: () => {},
  });
  for (const command of commands) member(name).clients.receive(client, encodeRequest(command));
  member(name).turn();
  const replies = commands.map(() => parser.next() as Reply);
  member(name).clients.closed(client);
  return replies;
}

const run = (ms: number) => world.runUntil(world.nowMs + ms);

/** What a region writes in a day: as much as it deletes of the day before. */
function day(name: Name, number: number): (string | number)[][] {
  const commands: (string | number)[][] = [];
  for (let i = 0; i < KEYS_A_DAY; i++) {
    const key = `${name}:${number}:${i}`;
    commands.push(['SET', key, `value of day ${number}`], ['DEL', `${name}:${number - 1}:${i}`]);
    commands.push(['SADD', `${name}:visitors`, key]);
    commands.push(['SREM', `${name}:visitors`, `${name}:${number - 1}:${i}`]);
    commands.push(['INCR', 'visits'], ['HINCRBY', 'by-region', name, 1]);
  }
  return commands;
}

test('a region that was away for thirty days costs the others no memory and merges on return', () => {
  for (const process of processes.values()) process.start();
  run(3000);
  ask('eu', ['SADD', 'members', 'a', 'b', 'c'], ['SET', 'doomed', 'x'], ['HSET', 'h', 'f', '1']);
  for (const name of names) ask(name, ...day(name, 0));
  run(5000);
  expect(ask('ap', ['GET', 'doomed'], ['GET', 'visits'])).toEqual(['x', `${3 * KEYS_A_DAY}`]);
  for (const name of ['eu', 'us'] as const) {
    network.cut(name, 'ap');
    network.cut('ap', name);
  }
  ask('eu', ['DEL', 'doomed'], ['SREM', 'members', 'b'], ['HDEL', 'h', 'f']);
  ask('ap', ['SADD', 'members', 'from ap'], ['HSET', 'h', 'g', 'kept']);
  const memory: number[] = [];
  for (let number = 1; number <= DAYS; number++) {
    for (const process of processes.values()) process.skewMs += DAY_MS;
    for (const name of names) ask(name, ...day(name, number));
    run(2000);
    memory.push(member('eu').db.memoryBytes);
  }
  const [first, last] = [memory[1], memory.at(-1)!];
  expect(last).toBeLessThanOrEqual(first * 1.02);
  expect(ask('us', ['GET', 'doomed'], ['SCARD', 'us:visitors'])).toEqual([null, KEYS_A_DAY]);

  network.healAll();
  run(20_000);
  const total = 3 * KEYS_A_DAY * (DAYS + 1);
  for (const name of names) {
    const [doomed, members, visits, hash, size] = ask(
      name,
      ...[
        ['GET', 'doomed'],
        ['SMEMBERS', 'members'],
        ['GET', 'visits'],
        ['HGETALL', 'h'],
      ],
      ['DBSIZE'],
    );
    expect({ name, doomed, visits, hash }).toEqual({
      ...{ name, doomed: null, visits: `${total}`, hash: ['g', 'kept'] },
    });
    expect((members as string[]).sort()).toEqual(['a', 'c', 'from ap']);
    // The keys of the last day, three sets of visitors, members, h, visits, by-region.
    expect(size).toBe(3 * KEYS_A_DAY + 7);
  }
  const digests = names.map((name) =>
    Array.from({ length: 16_384 }, (_, slot) => member(name).db.states.slotDigest(slot)),
  );
  expect(digests[1]).toEqual(digests[0]);
  expect(digests[2]).toEqual(digests[0]);
}, 60_000);
