/**
 * Shell: how fast one region applies what another has written, and what a cut costs afterwards.
 */
import { stopAll } from '../engine/acceptance/processes.ts';
import { TwoRegions } from '../engine/acceptance/two-regions.ts';
import { pipe, resp } from './pipe.ts';
import { cpuSeconds } from './servers.ts';

export type ReplicationOptions = { keys: number };

const write = (line: string) => process.stdout.write(`${line}\n`);
const convergeMsMax = 120_000;
const key = (number: number) => `key:${String(number).padStart(12, '0')}`;
const value = 'v'.repeat(32);

/** Prints the table; returns sentences about targets that were missed. */
export async function measureReplication({ keys }: ReplicationOptions): Promise<string[]> {
  const missed: string[] = [];
  const changed = Math.floor(keys / 20);
  // The whole load must fit the backlog, else the state is sent and not the ops.
  const regions = await TwoRegions.start(['--backlog-bytes', `${keys * 400 + 64_000_000}`]);
  try {
    const { port } = regions.engine('eu');
    const cpuOf = (name: 'eu' | 'us') => cpuSeconds(regions.engine(name).child.pid as number);
    const fill = (count: number) => pipe(port, count, (i) => resp('SET', key(i), value));
    await fill(50_000);
    await regions.converged(convergeMsMax);
    await regions.split();
    const cpuBefore = cpuOf('eu');
    const localRate = keys / (await fill(keys));
    const [cpuSender, cpuApplier] = [cpuOf('eu'), cpuOf('us')];
    const applySeconds = await mended(regions);
    const micros = (seconds: number) => ((seconds * 1e6) / keys).toFixed(2);
    const cpuLocal = micros(cpuSender - cpuBefore);
    const cpuApply = `${micros(cpuOf('us') - cpuApplier)} (sender ${micros(cpuOf('eu') - cpuSender)})`;
    const applyRate = keys / applySeconds;
    const opBytes = regions.bytesTo('us') / keys;
    await regions.split();
    await pipe(port, changed, (i) => resp('SET', key(i * 20), value));
    const cutSeconds = await mended(regions);
    const changedBytes = changed * (key(0).length + value.length);
    const factor = regions.bytesTo('us') / changedBytes;
    write('');
    write('| what | figure |');
    write('| --- | --- |');
    write(`| local writes, one connection, pipelined | ${kilo(localRate)} k/s |`);
    write(`| applied from a peer that has ${keys} ops waiting | ${kilo(applyRate)} k/s |`);
    write(`| apply rate ÷ local write rate | ${(applyRate / localRate).toFixed(2)} (target ≥ 2) |`);
    write(`| CPU an op, written locally | ${cpuLocal} µs |`);
    write(`| CPU an op, applied from a peer, images included | ${cpuApply} µs |`);
    write(`| bytes sent for an op (48 B of key and value) | ${opBytes.toFixed(0)} |`);
    write(
      `| cut with ${changed} of ${keys} keys changed: bytes sent ÷ changed bytes | ` +
        `${factor.toFixed(2)} (target ≤ 1.2) |`,
    );
    write(`| the same: time until both regions have all | ${cutSeconds.toFixed(2)} s |`);
    const ratio = applyRate / localRate;
    if (ratio < 2) missed.push(`apply rate: ${ratio.toFixed(2)} × local writes, target ≥ 2`);
    if (factor > 1.2) {
      missed.push(`catch-up: ${factor.toFixed(2)} × the changed bytes (48 B a key), target ≤ 1.2`);
    }
  } finally {
    await regions.close();
    await stopAll();
  }
  return missed;
}

const kilo = (perSecond: number) => (perSecond / 1000).toFixed(0);

/** Mends the cable; seconds from the first byte of data until everything is applied. */
async function mended(regions: TwoRegions): Promise<number> {
  regions.mend();
  // The handshake and its backoff are not what is measured.
  while (regions.bytesTo('us') < 20_000) await new Promise((resolve) => setTimeout(resolve, 1));
  const began = performance.now();
  await regions.converged(convergeMsMax);
  return (performance.now() - began) / 1000;
}
