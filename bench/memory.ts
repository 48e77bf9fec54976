/**
 * Shell: bytes that keys of several shapes cost, by INFO memory and by resident growth.
 *
 * Every shape gets a fresh server. Before the first measured key the server is warmed up: 1,200,000
 * writes over a few keys compile what will run and fill what has a fixed size (our backlog of 64 MB,
 * buffers, the heap of the runtime), then all is deleted and some seconds pass. Without them the
 * heap's own ups and downs drown the keys: an engine that had served a benchmark stood at 180 MB, at
 * 353 MB right after its FLUSHALL and at 194 MB a second later, so that resident growth counted from
 * the FLUSHALL on came out negative.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pipe, resp } from './pipe.ts';
import { residentBytes, type Server, startEngine, startRedis } from './servers.ts';

const run = promisify(execFile);
const write = (line: string) => process.stdout.write(`${line}\n`);
const warmUpWrites = 1_200_000;
const settleMs = 2500;

export type Shape = {
  readonly name: string;
  /** What a figure is given for: so many keys, fields or members. */
  readonly units: number;
  readonly unit: string;
  /** Bytes for a unit, at most so much of Redis'; null: nothing was promised. */
  readonly target: number | null;
  readonly commands: number;
  command(number: number): string;
};

const number = (value: number, digits: number) => String(value).padStart(digits, '0');
const many = 10_000;

/** Fields or members of one key, some hundred in one command. */
function large(keys: number, name: string, part: (i: number) => string[], verb: string): Shape {
  const each = 500;
  return {
    name,
    units: keys * many,
    unit: verb === 'HSET' ? 'field' : 'member',
    target: null,
    commands: (keys * many) / each,
    command: (i) => {
      const parts = Array.from({ length: each }, (_, n) => part((i * each + n) % many)).flat();
      return resp(verb, `big:${Math.floor((i * each) / many)}`, ...parts);
    },
  };
}

function shapes(keys: number): Shape[] {
  const small = Math.floor(keys / 10);
  const fields = Array.from({ length: 10 }, (_, i) => [`field${i}`, 'value-of-16-byte']).flat();
  const members = Array.from({ length: 10 }, (_, i) => `member-${number(i, 5)}`);
  const value = 'v'.repeat(32);
  return [
    {
      name: 'strings, 16 B key and 32 B value',
      units: keys,
      unit: 'key',
      target: 0.65,
      commands: keys,
      command: (i) => resp('SET', `key:${number(i, 12)}`, value),
    },
    {
      name: 'hashes of 10 fields (6 B and 16 B)',
      units: small,
      unit: 'hash',
      target: 1,
      commands: small,
      command: (i) => resp('HSET', `hash:${number(i, 11)}`, ...fields),
    },
    large(20, 'hashes of 10,000 fields (12 B and 16 B)', fieldOf, 'HSET'),
    {
      name: 'sets of 10 members (12 B)',
      units: small,
      unit: 'set',
      target: 1,
      commands: small,
      command: (i) => resp('SADD', `set:${number(i, 12)}`, ...members),
    },
    large(20, 'sets of 10,000 members (12 B)', (i) => [`member-${number(i, 5)}`], 'SADD'),
  ];
}

function fieldOf(i: number): string[] {
  return [`field-${number(i, 6)}`, 'value-of-16-byte'];
}

export type Cost = { readonly used: number; readonly resident: number; readonly base: number };

/** Prints the table; returns sentences about targets that were missed. */
export async function measureMemory({ keys }: { keys: number }): Promise<string[]> {
  const missed: string[] = [];
  write('');
  write(
    '| shape | bytes for a | Meridian, INFO | Redis | ratio | target | Meridian, resident | Redis |',
  );
  write(`|${' --- |'.repeat(8)}`);
  const bases: Cost[] = [];
  for (const shape of shapes(keys)) {
    // A rewrite of its log would fork and count twice.
    const theirs = await costOf(
      await startRedis({ extra: ['--auto-aof-rewrite-percentage', '0'] }),
      shape,
    );
    const ours = await costOf(await startEngine(), shape);
    bases.push(ours);
    const ratio = ours.used / theirs.used;
    write(
      `| ${shape.name} | ${shape.unit} | ${ours.used.toFixed(0)} | ${theirs.used.toFixed(0)} | ` +
        `${ratio.toFixed(2)} | ${shape.target === null ? '' : `≤ ${shape.target}`} | ` +
        `${ours.resident.toFixed(0)} | ${theirs.resident.toFixed(0)} |`,
    );
    if (shape.target !== null && ratio > shape.target) {
      missed.push(`${shape.name}: ${ratio.toFixed(2)} × Redis' bytes, target ≤ ${shape.target}`);
    }
  }
  const base = Math.min(...bases.map((cost) => cost.base)) / 1e6;
  write('');
  write(`Resident before the first key, warmed up and with a full backlog: ${base.toFixed(0)} MB.`);
  return missed;
}

/** Bytes that a unit of the shape takes in a fresh server, which is stopped. */
export async function costOf(server: Server, shape: Shape): Promise<Cost> {
  const pid = server.process.pid as number;
  try {
    await pipe(server.port, warmUpWrites, (i) => resp('SET', `warm:${i % 1000}`, 'v'.repeat(32)));
    await run('redis-cli', ['-p', `${server.port}`, 'flushall']);
    await settled();
    const before = { used: await usedMemory(server), resident: residentBytes(pid) };
    await pipe(server.port, shape.commands, (i) => shape.command(i));
    await settled();
    const used = ((await usedMemory(server)) - before.used) / shape.units;
    const resident = (residentBytes(pid) - before.resident) / shape.units;
    return { used, resident, base: before.resident };
  } finally {
    await server.stop();
  }
}

/** Lets buffers be written and garbage be given back. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}

async function usedMemory(server: Server): Promise<number> {
  const { stdout } = await run('redis-cli', ['-p', `${server.port}`, 'info', 'memory']);
  return Number(/used_memory:(\d+)/.exec(stdout)?.[1]);
}
