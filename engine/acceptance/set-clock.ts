/**
 * Shell: loaded into an engine before its own code (`bun --preload`), so that a test decides what time it is there.
 *
 * `MERIDIAN_TEST_CLOCK` names a file of 8 bytes: ms since the Unix epoch as f64, little-endian. Everything
 * that asks for the wall clock gets what stands there at that moment.
 */
import { openSync, readSync } from 'node:fs';

const file = openSync(process.env.MERIDIAN_TEST_CLOCK as string, 'r');
const moment = new Float64Array(1);
const bytes = new Uint8Array(moment.buffer);

Date.now = () => {
  readSync(file, bytes, 0, 8, 0);
  return moment[0] as number;
};
