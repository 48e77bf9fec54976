/**
 * Shell: how much of a core this thread has used, and how long it has waited for one.
 *
 * The runtimes' own `process.threadCpuUsage()` moves on with the system's ticks (4 ms), which is
 * as long as the pauses that it should explain. Under Bun we ask clock_gettime(2) itself, which is
 * exact and takes 0.3 µs; under Node there is only the former.
 */

import { openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

type Ffi = {
  dlopen(
    library: string,
    symbols: object,
  ): { symbols: { clock_gettime(clock: number, time: BigInt64Array): number } };
};

const CLOCK_THREAD_CPUTIME_ID = 3;

/** A clock of this thread's CPU time, in ms. */
export function threadClock(): () => number {
  return exactClock() ?? tickingClock;
}

function tickingClock(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function exactClock(): (() => number) | null {
  if (process.platform !== 'linux' || process.versions.bun === undefined) return null;
  try {
    const ffi = createRequire(import.meta.url)('bun:ffi') as Ffi;
    const { symbols } = ffi.dlopen('libc.so.6', {
      clock_gettime: { args: ['int', 'ptr'], returns: 'int' },
    });
    const time = new BigInt64Array(2);
    // The same bytes by halves: seconds and nanoseconds fit 32 bits, and BigInts cost more.
    const words = new Uint32Array(time.buffer);
    return () => {
      symbols.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
      return words[0] * 1000 + words[2] / 1e6;
    };
  } catch {
    // Another C library.
    return null;
  }
}

/**
 * A clock of the time, in ms, for which this thread could have run and got no core; null where the
 * system does not tell. A reading takes 2 µs.
 */
export function waitingClock(): (() => number) | null {
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r');
    const bytes = Buffer.alloc(64);
    return () => {
      // Nanoseconds on a core, nanoseconds waiting for one, turns.
      const length = readSync(file, bytes, 0, bytes.length, 0);
      return Number(bytes.latin1Slice(0, length).split(' ')[1]) / 1e6;
    };
  } catch {
    return null;
  }
}
