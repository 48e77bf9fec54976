/**
 * Does anything grow? Three regions live through hours of simulated time under a mixed load: strings,
 * counters, sets, hashes, small and large; expiry, eviction by another policy in each region,
 * deletes, renames, transactions, FLUSHALL. Each cycle ends with the deletion of every key, by DEL
 * or by FLUSHALL in turns. Before it all regions must hold the same; after it each must hold what
 * an empty one holds, to the byte, and the process no more than it did after an earlier cycle.
 */

import { type Config, readConfig } from '../config.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { type Reply, ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Network } from './network.ts';
import { Prng } from './prng.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const REGIONS = ['eu', 'us', 'ap'] as const;
const POLICIES = ['allkeys-lru', 'allkeys-lfu', 'volatile-ttl'];
/** So little that keys are evicted in the second half of each cycle. */
const MAX_MEMORY = 500_000;
const COMMANDS_PER_SECOND = 5;
const KEYS = 4000;
/** Longer than any TTL here, and than the grace that expiry leaves to other regions. */
const SETTLE_MS = 30_000;
const TTL_SECONDS_MAX = 20;

type Words = (string | number)[];

export type SoakOptions = {
  readonly cycles: number;
  readonly cycleMinutes: number;
  readonly seed: number;
  /** Bytes of the JavaScript heap after a collection; null: not looked at. */
  readonly heapBytes: (() => number) | null;
  readonly each: (row: SoakRow) => void;
};

/** What was measured of one cycle: sums over all regions, bytes. */
export type SoakRow = {
  readonly cycle: number;
  /** Keyspaces when the load was at its end. */
  readonly peak: number;
  /** Keyspaces when all keys were gone, and how many keys were not. */
  readonly end: number;
  readonly keysLeft: number;
  /** Arena blocks in use, and chunks, when all keys were gone. */
  readonly arena: number;
  readonly reserved: number;
  readonly heap: number;
  readonly expired: number;
  readonly evicted: number;
};

/** Runs the cycles. Returns what has grown, in sentences; none: nothing has. */
export function runSoak(options: SoakOptions): string[] {
  const soak = new Soak(options.seed);
  const problems: string[] = [];
  const rows: SoakRow[] = [];
  const base = soak.sum(({ db }) => db.memoryBytes);
  for (let cycle = 1; cycle <= options.cycles; cycle++) {
    const row = soak.cycle(cycle, options);
    options.each(row);
    rows.push(row);
    if (row.keysLeft > 0) problems.push(`cycle ${cycle}: ${row.keysLeft} keys are left`);
    if (row.end !== base) problems.push(`cycle ${cycle}: ${row.end} bytes are held, not ${base}`);
  }
  // The first cycles compile code and fill what has a fixed size.
  const settled = rows[Math.min(2, rows.length - 1)];
  const last = rows[rows.length - 1];
  if (last.heap > settled.heap * 1.1 + 1e6) {
    problems.push(`the JavaScript heap grew from ${settled.heap} to ${last.heap} bytes`);
  }
  if (last.reserved > Math.max(...rows.slice(0, 3).map(({ reserved }) => reserved)) * 1.5) {
    problems.push(`the arena's chunks grew to ${last.reserved} bytes`);
  }
  if (rows.some(({ expired, evicted }) => expired === 0 || evicted === 0)) {
    problems.push('a cycle without expiry or eviction shows nothing');
  }
  return problems.concat(soak.problems);
}

class Soak {
  readonly problems: string[] = [];
  private readonly world = new World(0);
  private readonly random: Prng;
  private readonly processes: SimProcess[];
  private fresh = 0;

  constructor(seed: number) {
    this.random = new Prng(seed);
    const { world, random } = this;
    const network = new Network(world, random.fork());
    network.resolve = ({ host }) => host;
    this.processes = REGIONS.map((_name, index) => {
      return new SimProcess({
        ...{ world, network, random: random.fork(), config: configOf(index) },
        sizes: { segmentBytesMax: 200_000, imageAfterBytes: 400_000 },
        broken: (problem) => this.problems.push(problem),
      });
    });
    for (const process of this.processes) {
      process.start();
      process.calmDown();
    }
    this.run(3000);
  }

  /** The sum of something over all members. */
  sum(of: (member: NonNullable<SimProcess['member']>) => number): number {
    return this.processes.reduce((sum, { member }) => sum + of(member!), 0);
  }

  cycle(cycle: number, { cycleMinutes, heapBytes }: SoakOptions): SoakRow {
    const expired = this.sum(({ db }) => db.evictor.expired);
    const evicted = this.sum(({ db }) => db.evictor.evicted);
    for (let second = 0; second < cycleMinutes * 60; second++) {
      for (const index of REGIONS.keys()) {
        const commands = Array.from({ length: COMMANDS_PER_SECOND }, () => this.command());
        this.ask(index, commands.flat());
      }
      this.run(1000);
    }
    const peak = this.sum(({ db }) => db.memoryBytes);
    this.run(SETTLE_MS);
    this.compare(cycle);
    if (cycle % 2 === 0) this.ask(cycle % REGIONS.length, [['FLUSHALL']]);
    else this.deleteAll(cycle % REGIONS.length);
    this.run(SETTLE_MS);
    return {
      ...{ cycle, peak },
      end: this.sum(({ db }) => db.memoryBytes),
      keysLeft: this.sum(({ db }) => db.size),
      arena: this.sum(({ db }) => db.arenaBytes.usedBytes),
      reserved: this.sum(({ db }) => db.arenaBytes.reservedBytes),
      heap: heapBytes?.() ?? 0,
      expired: this.sum(({ db }) => db.evictor.expired) - expired,
      evicted: this.sum(({ db }) => db.evictor.evicted) - evicted,
    };
  }

  /** All regions must hold the same, whatever each of them has evicted. */
  private compare(cycle: number): void {
    const [first, ...others] = this.processes.map(({ member }) => member!.db);
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const digest = first.states.slotDigest(slot);
      if (others.every((db) => db.states.slotDigest(slot) === digest)) continue;
      this.problems.push(`cycle ${cycle}: slot ${slot} differs between regions`);
      return;
    }
  }

  private run(ms: number): void {
    this.world.runUntil(this.world.nowMs + ms);
  }

  /** One thing that a client does, in one or more commands. */
  private command(): Words[] {
    const { random } = this;
    const number = (max: number): number => random.between(0, max - 1);
    const key = (kind: string): string => `${kind}:${number(KEYS)}`;
    const value = 'v'.repeat(random.pick([5, 40, 300, 2000]));
    const some = (n: number): string[] => Array.from({ length: n }, () => `name${number(300)}`);
    const ttl = random.between(1, TTL_SECONDS_MAX);
    return random.pick<() => Words[]>([
      () => [['SET', key('s'), value]],
      () => [['SET', key('s'), value]],
      () => [['SET', `fresh:${this.fresh++}`, value, 'EX', ttl]],
      () => [['EXPIRE', key(random.pick(['s', 'h', 'm'])), ttl]],
      () => [['PERSIST', key('s')]],
      () => [['GET', key('s')]],
      () => [['APPEND', key('s'), 'x']],
      () => [['INCRBY', key('c'), number(100)]],
      () => [['INCRBYFLOAT', key('c'), '0.5']],
      () => [['HSET', key('h'), ...some(3).flatMap((name) => [name, value.slice(0, 40)])]],
      () => [['HINCRBY', key('h'), 'count', 1]],
      () => [['HDEL', key('h'), ...some(3)]],
      () => [['HSET', `large:${number(5)}`, ...some(100).flatMap((name) => [name, 'v'])]],
      () => [['SADD', key('m'), ...some(4)]],
      () => [['SREM', key('m'), ...some(4)]],
      () => [['SADD', `crowd:${number(5)}`, ...some(100)]],
      () => [['DEL', `large:${number(5)}`, `crowd:${number(5)}`]],
      () => [['DEL', key('s'), key('c'), key('h'), key('m')]],
      () => [['RENAME', key('s'), key('s')]],
      () => [['SUNIONSTORE', key('m'), key('m'), key('m')]],
      () => [['MULTI'], ['SET', key('s'), 'a'], ['DEL', key('c')], ['EXEC']],
    ])();
  }

  /** What an application does that cleans up: SCAN and DEL. */
  private deleteAll(index: number): void {
    let cursor = '0';
    do {
      const [reply] = this.ask(index, [['SCAN', cursor, 'COUNT', 200]]) as [[string, string[]]];
      cursor = reply[0];
      if (reply[1].length > 0) this.ask(index, [['DEL', ...reply[1]]]);
    } while (cursor !== '0');
  }

  private ask(index: number, commands: readonly Words[]): Reply[] {
    const member = this.processes[index].member!;
    const parser = new ReplyParser();
    const client = member.connectClient('soak', 'soak', {
      send: (bytes) => parser.push(bytes),
      bufferedBytes: () => 0,
      close: () => {},
    });
    for (const command of commands) member.clients.receive(client, encodeRequest(command));
    member.turn();
    const replies = commands.map(() => parser.next() as Reply);
    member.clients.closed(client);
    return replies;
  }
}

function configOf(index: number): Config {
  const name = REGIONS[index];
  const flags = ['--region', name, '--region-number', `${index + 1}`, '--member', name];
  for (const other of REGIONS) if (other !== name) flags.push('--peer', `${other}=${other}:7443`);
  flags.push('--dir', 'simulated', '--fsync', 'everysec', '--backlog-bytes', '300000');
  flags.push('--maxmemory', `${MAX_MEMORY}`, '--maxmemory-policy', POLICIES[index]);
  const result = readConfig([...flags, '--database', 'sim'], {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.config;
}
