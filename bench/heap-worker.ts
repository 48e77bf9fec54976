/**
 * Shell: one member in this process, fed by a client without a socket, to see what commands leave on
 * the JavaScript heap. Started by heap.ts under Node with a young generation so large that nothing is
 * collected while commands run: what has grown is what was allocated. Prints a line of JSON for each row.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../engine/config.ts';
import { silentJournal } from '../engine/env.ts';
import { openFileDisk } from '../engine/log/disk-file.ts';
import { Member } from '../engine/member/member.ts';
import { realRandom } from '../engine/member/server.ts';
import { encodeRequest } from '../engine/resp/request-writer.ts';

const KEYS = 10_000;
const VALUE = 'v'.repeat(32);
const collect = (globalThis as { gc?: () => void }).gc as () => void;

const kinds: Record<string, (number: number) => string[]> = {
  SET: (number) => ['SET', `key:${number}`, VALUE],
  GET: (number) => ['GET', `key:${number}`],
  INCR: (number) => ['INCR', `counter:${number}`],
  'SET with EX': (number) => ['SET', `key:${number}`, VALUE, 'EX', '1000'],
  HSET: (number) => ['HSET', `hash:${number % 1000}`, 'field', VALUE],
  HGET: (number) => ['HGET', `hash:${number % 1000}`, 'field'],
  SADD: (number) => ['SADD', `set:${number % 1000}`, 'member'],
  SISMEMBER: (number) => ['SISMEMBER', `set:${number % 1000}`, 'member'],
  GETEX: (number) => ['GETEX', `key:${number}`],
};

const directory = mkdtempSync(join(tmpdir(), 'meridian-heap-'));
const member = startMember(directory);
const client = member.connectClient('bench', 'bench', {
  send: () => {},
  bufferedBytes: () => 0,
  close: () => {},
});
const [commands, depth] = process.argv.slice(2).map(Number) as [number, number];
for (const [name, kind] of Object.entries(kinds)) {
  const chunks = makeChunks(kind, depth);
  // Compiled code and buffers that have found their size are no cost of a command.
  run(chunks, 100_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  run(chunks, commands);
  const allocated = process.memoryUsage().heapUsed - before;
  collect();
  const kept = process.memoryUsage().heapUsed - before;
  process.stdout.write(`${JSON.stringify({ name, commands, depth, allocated, kept })}\n`);
}
rmSync(directory, { recursive: true });
process.exit(0);

function startMember(dir: string): Member {
  const flags = [
    '--region',
    'eu',
    '--region-number',
    '1',
    '--peer-port',
    '1',
    '--dir',
    dir,
    '--backlog-bytes',
    '1mb',
  ];
  const result = readConfig(flags, {});
  if ('errors' in result) throw new Error(result.errors.join('; '));
  const { config } = result;
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const fatal = (reason: string) => {
    throw new Error(reason);
  };
  const transport = { dial: () => fatal('a member without peers dials nobody') };
  const disk = openFileDisk(dir);
  const env = { clock, random: realRandom(), disk, transport, journal: silentJournal, fatal };
  const facts = {
    ...{ version: '0', runtime: 'node', os: 'any', pid: process.pid, port: 0, runId: '0' },
    ...{ startedAtMs: Date.now(), region: 'eu', database: 'default' },
  };
  return new Member(env, config, { facts, wake: () => {}, shutdown: () => {} });
}

/** Requests of `depth` commands each, on different keys. */
function makeChunks(kind: (number: number) => string[], depth: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let first = 0; first < KEYS; first += depth) {
    const requests = Array.from({ length: depth }, (_, i) => encodeRequest(kind(first + i)));
    chunks.push(Buffer.concat(requests));
  }
  return chunks;
}

/** A turn for each chunk, as the event loop makes it, and a tick now and then. */
function run(chunks: readonly Buffer[], commands: number): void {
  for (let turn = 0; turn * depth < commands; turn++) {
    member.clients.receive(client, chunks[turn % chunks.length] as Buffer);
    member.turn();
  }
}
