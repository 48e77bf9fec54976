/**
 * Shell: speed and size of the database alone, without sockets and log. Run: bun engine/core/db-bench.ts
 * [keys]. Prints million operations per second of processor time over random keys (one frame per 1000
 * writes, as in a busy turn), bytes per small key, and the growth of the JS heap over all of it.
 */

import { makeActorId } from '../crdt/roster.ts';
import { hugePageAdvice } from '../member/huge-pages.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { Db } from './db.ts';

const KEYS = Number(process.argv[2] ?? 1_000_000);
const OPS = 2_000_000;
const TURN = 1000;
const KEY_BYTES = 16;
const VALUE_BYTES = 10;

/** Writes key number `n` into `key`, as a command in an input buffer would have it. */
function writeKey(key: Buffer, n: number): void {
  for (let at = KEY_BYTES - 1; at >= 4; at--) {
    const rest = (n / 10) | 0;
    key[at] = 0x30 + n - rest * 10;
    n = rest;
  }
}

function heapBytes(): number {
  globalThis.gc?.();
  (globalThis as { Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
  return process.memoryUsage().heapUsed;
}

function measure(name: string, count: number, run: (i: number) => void): void {
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) run(i);
  const used = process.cpuUsage(start);
  const seconds = (used.user + used.system) / 1e6;
  process.stdout.write(`${name.padEnd(28)} ${(count / seconds / 1e6).toFixed(2)} M/s\n`);
}

function main(): void {
  const db = new Db({ random: Math.random, region: 1, adviseMemory: hugePageAdvice() });
  db.newActor(makeActorId(1, 0, 1n));
  db.writable = true;
  db.beginTurn(Date.now());
  const key = Buffer.from('key:000000000000');
  const counter = Buffer.from('hit:000000000000');
  const value = Buffer.from('0123456789').subarray(0, VALUE_BYTES);
  const order = new Uint32Array(OPS);
  for (let i = 0; i < OPS; i++) order[i] = Math.floor(Math.random() * KEYS);
  const out = new ReplyWriter();
  const turn = (i: number): void => {
    if (i % TURN === 0) db.takeFrame();
  };
  const set = (i: number): void => {
    turn(i);
    writeKey(key, order[i % OPS]);
    db.setString(key, 0, KEY_BYTES, value, 0, VALUE_BYTES, Number.POSITIVE_INFINITY);
  };
  const get = (i: number): void => {
    if (i % TURN === 0) out.reset();
    writeKey(key, order[i % OPS]);
    db.readString(key, 0, KEY_BYTES, out);
  };
  const incr = (i: number): void => {
    turn(i);
    writeKey(counter, order[i % OPS]);
    db.increment(counter, 0, KEY_BYTES, 1);
  };

  const emptyBytes = db.memoryBytes;
  measure('SET new keys', KEYS, (i) => {
    turn(i);
    writeKey(key, i);
    db.setString(key, 0, KEY_BYTES, value, 0, VALUE_BYTES, Number.POSITIVE_INFINITY);
  });
  const perKey = (db.memoryBytes - emptyBytes) / KEYS;
  process.stdout.write(`${'bytes per key (16 + 10)'.padEnd(28)} ${perKey.toFixed(1)}\n`);
  measure('SET random', OPS, set);
  measure('GET random', OPS, get);
  measure('INCR random', OPS, incr);
  measure('INCR random again', OPS, incr);
  measure('SET random again', OPS, set);
  measure('GET random again', OPS, get);
  const before = heapBytes();
  for (let i = 0; i < 5_000_000; i++) {
    if (i % 3 === 0) set(i);
    else if (i % 3 === 1) get(i);
    else incr(i);
  }
  db.takeFrame();
  const growth = (heapBytes() - before) / 1024;
  process.stdout.write(`${'heap growth over 5 M'.padEnd(28)} ${growth.toFixed(0)} KB\n`);
  measure('DEL', KEYS, (i) => {
    turn(i);
    writeKey(key, i);
    db.deleteKey(key, 0, KEY_BYTES);
  });
}

main();
