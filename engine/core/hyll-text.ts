/**
 * The bytes in which Redis keeps a HyperLogLog: what GET of one gives, and what a client may SET.
 *
 *     0   "HYLL"
 *     4   u8 encoding: 0 dense, 1 sparse          5   3 bytes unused
 *     8   u64 cached cardinality; the highest bit says that it is not valid, and here it never is
 *     16  dense: 16384 registers of 6 bits, low bits first
 *         sparse: runs,   00nnnnnn            n + 1 registers of 0
 *                         01nnnnnn nnnnnnnn   n + 1 registers of 0
 *                         1vvvvvnn            n + 1 registers of v + 1
 *
 * The bytes of a client are not trusted: runs are counted before anything is written.
 */
import type { Bytes } from '../crdt/dot.ts';
import {
  DENSE_BYTES,
  eachRegister,
  NO_REGISTERS,
  REGISTER_COUNT,
  type Registers,
  raise,
  toDense,
} from '../crdt/registers.ts';

const HEADER_BYTES = 16;
const DENSE = 0;
const SPARSE = 1;
/** Longer sparse forms become dense, as with Redis' hll-sparse-max-bytes by default. */
const SPARSE_BYTES_MAX = 3000;
const SPARSE_VALUE_MAX = 32;
const ZEROS_MAX = 64;
const LONG_ZEROS_MAX = REGISTER_COUNT;
const VALUES_MAX = 4;

/** Whether a string begins as a HyperLogLog does and is as long as it says. */
export function isHyllText(text: Bytes): boolean {
  if (text.length < HEADER_BYTES || !text.startsWith('HYLL')) return false;
  const encoding = text.charCodeAt(4);
  if (encoding === DENSE) return text.length === HEADER_BYTES + DENSE_BYTES;
  return encoding === SPARSE;
}

/** The registers in a text that `isHyllText`; null: its runs are not 16384 registers. */
export function parseHyll(text: Bytes): Registers | null {
  const bytes = Buffer.from(text, 'latin1').subarray(HEADER_BYTES);
  if (text.charCodeAt(4) === DENSE) return new Uint8Array(bytes);
  let registers = NO_REGISTERS;
  let index = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    let length = (byte & 0x3f) + 1;
    let value = 0;
    if ((byte & 0xc0) === 0x40) {
      if (++at === bytes.length) return null;
      length = (((byte & 0x3f) << 8) | bytes[at]) + 1;
    } else if ((byte & 0x80) !== 0) {
      length = (byte & 3) + 1;
      value = ((byte >> 2) & 0x1f) + 1;
    }
    if (index + length > REGISTER_COUNT) return null;
    for (const end = index + length; index < end; index++) {
      if (value > 0) registers = raise(registers, index, value);
      else {
        index = end;
        break;
      }
    }
  }
  return index === REGISTER_COUNT ? registers : null;
}

/** The text of some registers, in the form that Redis would choose. */
export function writeHyll(registers: Registers): Bytes {
  const sparse = writeSparse(registers);
  const body = sparse ?? toDense(registers);
  const text = Buffer.alloc(HEADER_BYTES + body.length);
  text.write('HYLL', 'latin1');
  text[4] = sparse === null ? DENSE : SPARSE;
  text[15] = 0x80;
  text.set(body, HEADER_BYTES);
  return text.latin1Slice();
}

/** The runs, or null when there are too many or a value is too great for them. */
function writeSparse(registers: Registers): Uint8Array | null {
  const runs: number[] = [];
  let next = 0;
  let value = 0;
  let length = 0;
  let fits = true;
  const endValues = (): void => {
    if (length > 0) runs.push(0x80 | ((value - 1) << 2) | (length - 1));
    length = 0;
  };
  eachRegister(registers, (index, held) => {
    if (held > SPARSE_VALUE_MAX || runs.length > SPARSE_BYTES_MAX) fits = false;
    if (!fits) return;
    if (index !== next || held !== value || length === VALUES_MAX) {
      endValues();
      pushZeros(runs, index - next);
      value = held;
    }
    length++;
    next = index + 1;
  });
  if (!fits) return null;
  endValues();
  pushZeros(runs, REGISTER_COUNT - next);
  return runs.length > SPARSE_BYTES_MAX ? null : Uint8Array.from(runs);
}

function pushZeros(runs: number[], count: number): void {
  if (count === 0) return;
  if (count <= ZEROS_MAX) {
    runs.push(count - 1);
    return;
  }
  const length = Math.min(count, LONG_ZEROS_MAX) - 1;
  runs.push(0x40 | (length >> 8), length & 0xff);
}
