/**
 * Shell: `make keydb-cut`: KeyDB's issue 367 at its size. Two regions with 2 million keys are cut from
 * each other for five minutes while 100,000 keys change; then the cable is mended, and what is
 * printed is how long it takes until both have everything, and how many bytes went through the cable.
 * (KeyDB took 70 minutes and reloaded everything,
 * 4.5 GB over a link of 100 Mbit/s.) At the end every key of both sides is compared.
 */
import { createHash } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import type { Redis } from 'ioredis';
import { stopAll } from '../engine/acceptance/processes.ts';
import { TwoRegions } from '../engine/acceptance/two-regions.ts';

const write = (line: string) => process.stdout.write(`${line}\n`);
const convergeMsMax = 15 * 60_000;
const batchKeys = 1000;
const mega = (bytes: number) => (bytes / 1e6).toFixed(1);

type Options = {
  keys: number;
  changed: number;
  bytes: number;
  seconds: number;
  backlog: string;
  compression: string;
};

/** Writes the named keys, many with one command; returns the bytes of keys and values. */
async function writeKeys(
  client: Redis,
  names: readonly string[],
  value: (name: string) => string,
): Promise<number> {
  let bytes = 0;
  for (let from = 0; from < names.length; from += batchKeys) {
    const pairs = names.slice(from, from + batchKeys).flatMap((name) => [name, value(name)]);
    for (const part of pairs) bytes += part.length;
    await client.mset(...pairs);
  }
  return bytes;
}

/** Changes keys on both sides, evenly over the time of the cut; bytes changed in each region. */
async function changeDuringCut(regions: TwoRegions, options: Options) {
  const { keys, changed, bytes, seconds } = options;
  const steps = Math.max(1, Math.min(seconds, 300));
  const step = Math.floor(keys / changed) || 1;
  const changedBytes = { eu: 0, us: 0 };
  const began = performance.now();
  for (let i = 0; i < steps; i++) {
    const first = Math.floor((changed * i) / steps);
    const end = Math.floor((changed * (i + 1)) / steps);
    const names = Array.from({ length: end - first }, (_, n) => keyName((first + n) * step));
    // Two thirds in eu, a third in us, so that the log flows both ways.
    const split = Math.floor((names.length * 2) / 3);
    const value = (name: string) => randomText(`${name} ${i}`, bytes);
    changedBytes.eu += await writeKeys(regions.at('eu'), names.slice(0, split), value);
    changedBytes.us += await writeKeys(regions.at('us'), names.slice(split), value);
    const dueMs = began + ((i + 1) * seconds * 1000) / steps;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
  }
  return changedBytes;
}

/** Base64 of a hash of the seed: text that no compression makes smaller than three quarters. */
function randomText(seed: string, bytes: number): string {
  let text = '';
  while (text.length < bytes)
    text += createHash('sha512').update(`${seed} ${text.length}`).digest('base64');
  return text.slice(0, bytes);
}

const keyName = (number: number) => `key:${String(number).padStart(12, '0')}`;

async function main(options: Options): Promise<void> {
  const { keys, changed, bytes, seconds } = options;
  const regions = await TwoRegions.start([
    '--backlog-bytes',
    options.backlog,
    '--peer-compression',
    options.compression,
  ]);
  try {
    const names = Array.from({ length: keys }, (_, i) => keyName(i));
    const dataBytes = await writeKeys(regions.at('eu'), names, (name) => randomText(name, bytes));
    await regions.converged(convergeMsMax);
    write(`${keys} keys of ${bytes} bytes (${mega(dataBytes)} MB) are in both regions`);
    await regions.split();
    write(`cut for ${seconds} s, ${changed} keys change meanwhile`);
    const changedBytes = await changeDuringCut(regions, options);
    const began = performance.now();
    regions.mend();
    await regions.converged(convergeMsMax);
    const caughtUp = (performance.now() - began) / 1000;
    const changedSum = changedBytes.eu + changedBytes.us;
    const sent = regions.bytesTo('us') + regions.bytesTo('eu');
    write(
      `caught up ${caughtUp.toFixed(2)} s after the cable was mended; ${mega(sent)} MB sent for ` +
        `${mega(changedSum)} MB of changed keys and values (× ${(sent / changedSum).toFixed(2)}); ` +
        `to us ${mega(regions.bytesTo('us'))} MB, to eu ${mega(regions.bytesTo('eu'))} MB`,
    );
    const [eu, us] = await Promise.all([regions.contents('eu'), regions.contents('us')]);
    const equal = eu.hash === us.hash && eu.keys === keys;
    write(equal ? `all ${eu.keys} keys are equal` : `NOT equal: ${eu.keys} and ${us.keys} keys`);
    if (!equal) process.exitCode = 1;
  } finally {
    await regions.close();
    await stopAll();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1');
  return value;
}

const program = new Command('keydb-cut')
  .option('--keys <n>', 'keys in both regions', wholeNumber, 2_000_000)
  .option('--changed <n>', 'keys that change during the cut', wholeNumber, 100_000)
  .option('--bytes <n>', 'size of a value', wholeNumber, 100)
  .option('--seconds <n>', 'length of the cut', wholeNumber, 300)
  .option('--compression <zstd|none>', 'of the links', 'none')
  .option('--backlog <bytes>', 'log that is kept in memory for peers that were away', '64mb')
  .parse();
await main(program.opts<Options>());
