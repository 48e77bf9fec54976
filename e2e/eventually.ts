/**
 * Shell: the one way this suite waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats a probe until it stops throwing.
 *
 * @param what what is waited for, as it should read in "waited 60 s for …"
 * @param limitMs how long at most; the probe that runs at that time is still awaited
 * @param probe returns the value waited for, or throws saying what is still missing
 * @returns the probe's value
 * @throws Error that names what was waited for, for how long, and what was missing last
 */
export async function eventually<T>(
  what: string,
  limitMs: number,
  probe: () => Promise<T> | T,
  everyMs = 500,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      const waitedMs = performance.now() - startedMs;
      if (waitedMs >= limitMs) {
        const seconds = Math.round(waitedMs / 1000);
        throw new Error(`waited ${seconds} s for ${what}; last: ${text(error)}`, { cause: error });
      }
    }
    await sleep(everyMs);
  }
}

/**
 * Repeats a probe for a time in which it must never throw: for what should not happen.
 *
 * @throws Error that says after how long the probe first failed, and its reason
 */
export async function consistently(
  what: string,
  forMs: number,
  probe: () => Promise<void> | void,
  everyMs = 500,
): Promise<void> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < forMs) {
    try {
      await probe();
    } catch (error) {
      const heldMs = Math.round(performance.now() - startedMs);
      throw new Error(`${what} held for ${heldMs} ms only; then: ${text(error)}`, { cause: error });
    }
    await sleep(everyMs);
  }
}

/** Ends a probe that found the state of the world not there yet. */
export function notYet(missing: string): never {
  throw new Error(missing);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
