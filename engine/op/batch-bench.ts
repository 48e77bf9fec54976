/**
 * Shell: measures the batch writer and reader. `bun engine/op/batch-bench.ts` prints millions of
 * ops per second, median of the rounds, for batches of 512 ops with keys of 16 and values of 32 bytes.
 */
import { HLC_EPOCH_MS } from '../crdt/hlc.ts';
import type { Op } from '../crdt/op.ts';
import { emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { slotOf } from '../keyspace/slot.ts';
import { BatchReader } from './batch-reader.ts';
import { BatchWriter } from './batch-writer.ts';
import { FRAME_HEADER_BYTES } from './op.ts';

const BATCH_OPS = 512;
const ROUND_OPS = 512 * 1024;
const ROUNDS = 9;

const roster = emptyRoster();
const actor = internActor(roster, makeActorId(1, 0, 7n));
const writer = new BatchWriter(roster);
const reader = new BatchReader(roster);
const key = new TextEncoder().encode('key:000000012345');
const value = new Uint8Array(32).fill(120);
const slot = slotOf(key, 0, key.length);
const op: Op = {
  kind: 'string-set',
  key: 'key:000000012345',
  value: 'x'.repeat(32),
  drops: [{ actor, seq: 1 }],
  floors: [],
  ttl: { drops: [{ actor, seq: 1 }], expiry: Number.POSITIVE_INFINITY },
  clear: null,
};
const forever = Number.POSITIVE_INFINITY;
writer.begin(actor, 2);

function inBatches(write: () => void): void {
  for (let done = 0; done < ROUND_OPS; done += BATCH_OPS) {
    for (let n = 0; n < BATCH_OPS; n++) write();
    writer.sealFrame();
  }
}

function readAll(body: Uint8Array): void {
  let seen = 0;
  for (let done = 0; done < ROUND_OPS; done += BATCH_OPS) {
    const problem = reader.open(body, HLC_EPOCH_MS);
    if (problem !== null) throw new Error(problem);
    while (reader.next()) seen += reader.valueEnd - reader.valueStart;
  }
  if (seen !== ROUND_OPS * value.length) throw new Error('values were not read');
}

function measure(name: string, round: () => void): void {
  const rates: number[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    const start = performance.now();
    round();
    rates.push(ROUND_OPS / (performance.now() - start) / 1000);
  }
  rates.sort((a, b) => a - b);
  process.stdout.write(`${name}: ${rates[ROUNDS >> 1].toFixed(1)} M ops/s\n`);
}

function hotSet(): void {
  writer.stringSet(
    slot,
    1000,
    key,
    0,
    key.length,
    value,
    0,
    value.length,
    actor,
    1,
    actor,
    1,
    forever,
  );
}

measure('hot string-set', () => inBatches(hotSet));
measure('hot string-add', () =>
  inBatches(() => writer.stringAdd(slot, 1000, key, 0, key.length, 5, 1, 4)),
);
measure('general string-set', () => inBatches(() => writer.op(slot, 1000, op)));
for (let n = 0; n < BATCH_OPS; n++) hotSet();
const body = (writer.sealFrame() as Uint8Array).subarray(FRAME_HEADER_BYTES);
measure('check and read', () => readAll(body));
