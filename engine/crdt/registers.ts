/**
 * The registers of a HyperLogLog: 16384 numbers from 0 to 63, of which only the greatest ever seen
 * counts. So their merge is the greater of each, and any order and number of merges comes to the same.
 *
 * In memory they take one of two forms, told apart by their length:
 *
 *     pairs   3 bytes for each register above 0, by index: u16 index (high byte first) | u8 value
 *     dense   12288 bytes, 6 bits for each register, low bits first: as Redis keeps them
 *
 * On the wire and on disk (`packRegisters`) the choice depends on nothing but the values, so that
 * equal registers have equal bytes.
 *
 * (Flajolet, Fusy, Gandouet and Meunier, HyperLogLog, 2007.)
 */
import type { Bytes } from './dot.ts';

export type Registers = Uint8Array<ArrayBufferLike>;

export const REGISTER_COUNT = 16_384;
export const REGISTER_VALUE_MAX = 63;
export const DENSE_BYTES = (REGISTER_COUNT * 6) / 8;
/** Longer lists of pairs become dense in memory: finding a place in them costs a copy. */
const PAIRS_BYTES_MAX = 1536;
const PAIR_BYTES = 3;

export const NO_REGISTERS: Registers = new Uint8Array(0);

export function isDense(registers: Registers): boolean {
  return registers.length === DENSE_BYTES;
}

/** The value of one register. */
export function registerAt(registers: Registers, index: number): number {
  if (isDense(registers)) return denseAt(registers, index);
  const at = findPair(registers, index);
  return isPairAt(registers, at, index) ? registers[at + 2] : 0;
}

/** The registers with this one at least at `value`: changed in place or new. */
export function raise(registers: Registers, index: number, value: number): Registers {
  if (isDense(registers)) {
    if (denseAt(registers, index) < value) setDense(registers, index, value);
    return registers;
  }
  const at = findPair(registers, index);
  if (isPairAt(registers, at, index)) {
    if (registers[at + 2] < value) registers[at + 2] = value;
    return registers;
  }
  if (registers.length + PAIR_BYTES > PAIRS_BYTES_MAX) {
    return raise(toDense(registers), index, value);
  }
  const grown = new Uint8Array(registers.length + PAIR_BYTES);
  grown.set(registers.subarray(0, at));
  grown[at] = index >> 8;
  grown[at + 1] = index & 0xff;
  grown[at + 2] = value;
  grown.set(registers.subarray(at), at + PAIR_BYTES);
  return grown;
}

/** Calls `each` for every register above 0, by index. */
export function eachRegister(
  registers: Registers,
  each: (index: number, value: number) => void,
): void {
  if (!isDense(registers)) {
    for (let at = 0; at < registers.length; at += PAIR_BYTES) {
      each((registers[at] << 8) | registers[at + 1], registers[at + 2]);
    }
    return;
  }
  for (let index = 0; index < REGISTER_COUNT; index++) {
    const value = denseAt(registers, index);
    if (value > 0) each(index, value);
  }
}

/** How many registers are above 0. */
export function countRegisters(registers: Registers): number {
  if (!isDense(registers)) return registers.length / PAIR_BYTES;
  let count = 0;
  eachRegister(registers, () => count++);
  return count;
}

/** The greater of each; `mine` may be changed, `theirs` is left as it was. */
export function mergeRegisters(mine: Registers, theirs: Registers): Registers {
  if (mine.length === 0) return theirs.slice();
  let merged = isDense(theirs) ? toDense(mine) : mine;
  eachRegister(theirs, (index, value) => {
    merged = raise(merged, index, value);
  });
  return merged;
}

/** The dense form: the same bytes if they are dense already. */
export function toDense(registers: Registers): Registers {
  if (isDense(registers)) return registers;
  const dense = new Uint8Array(DENSE_BYTES);
  eachRegister(registers, (index, value) => setDense(dense, index, value));
  return dense;
}

/** How often each value occurs, by value. */
export function histogram(registers: Registers): Uint32Array {
  const counts = new Uint32Array(REGISTER_VALUE_MAX + 1);
  if (!isDense(registers)) {
    counts[0] = REGISTER_COUNT - registers.length / PAIR_BYTES;
    for (let at = 2; at < registers.length; at += PAIR_BYTES) counts[registers[at]]++;
    return counts;
  }
  for (let at = 0; at < DENSE_BYTES; at += 3) {
    const a = registers[at];
    const b = registers[at + 1];
    const c = registers[at + 2];
    counts[a & 63]++;
    counts[((a >> 6) | (b << 2)) & 63]++;
    counts[((b >> 4) | (c << 4)) & 63]++;
    counts[c >> 2]++;
  }
  return counts;
}

// ── Packed: what ops and states carry ───────────────────────────────────────────────────────

/** Pairs while they are shorter than the dense form, else that. */
export function packRegisters(registers: Registers): Bytes {
  if (countRegisters(registers) * PAIR_BYTES >= DENSE_BYTES) return latin1(toDense(registers));
  if (!isDense(registers)) return latin1(registers);
  const pairs: number[] = [];
  eachRegister(registers, (index, value) => pairs.push(index >> 8, index & 0xff, value));
  return latin1(Uint8Array.from(pairs));
}

/** One register alone, packed. */
export function packRegister(index: number, value: number): Bytes {
  return String.fromCharCode(index >> 8, index & 0xff, value);
}

/** The registers of packed bytes that `describeBadRegisters` finds nothing wrong with. */
export function unpackRegisters(packed: Bytes): Registers {
  const registers = new Uint8Array(Buffer.from(packed, 'latin1'));
  const isLong = registers.length > PAIRS_BYTES_MAX;
  return isLong ? toDense(registers) : registers;
}

/** What is wrong with packed registers, or null. Only the one form that `packRegisters` gives is right. */
export function describeBadRegisters(packed: Bytes): string | null {
  const { length } = packed;
  if (length === DENSE_BYTES) {
    const count = countRegisters(Buffer.from(packed, 'latin1'));
    return count * PAIR_BYTES >= DENSE_BYTES ? null : 'dense registers that pairs would hold';
  }
  if (length > DENSE_BYTES || length % PAIR_BYTES !== 0) return 'registers of a wrong length';
  let last = -1;
  for (let at = 0; at < length; at += PAIR_BYTES) {
    const index = (packed.charCodeAt(at) << 8) | packed.charCodeAt(at + 1);
    const value = packed.charCodeAt(at + 2);
    if (index <= last) return 'registers that are not in order';
    if (index >= REGISTER_COUNT) return 'a register that does not exist';
    if (value === 0 || value > REGISTER_VALUE_MAX) return 'a register out of range';
    last = index;
  }
  return null;
}

function latin1(bytes: Uint8Array): Bytes {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).latin1Slice();
}

/** Where the pair of `index` is, or would be. */
function findPair(pairs: Registers, index: number): number {
  let low = 0;
  let high = pairs.length / PAIR_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = middle * PAIR_BYTES;
    if (((pairs[at] << 8) | pairs[at + 1]) < index) low = middle + 1;
    else high = middle;
  }
  return low * PAIR_BYTES;
}

function isPairAt(pairs: Registers, at: number, index: number): boolean {
  return at < pairs.length && ((pairs[at] << 8) | pairs[at + 1]) === index;
}

function denseAt(dense: Registers, index: number): number {
  const bit = index * 6;
  const at = bit >> 3;
  // Behind the last byte there is nothing that the shift would let through.
  return ((dense[at] | (dense[at + 1] << 8)) >> (bit & 7)) & 63;
}

function setDense(dense: Registers, index: number, value: number): void {
  const bit = index * 6;
  const at = bit >> 3;
  const shift = bit & 7;
  const mask = 63 << shift;
  const set = value << shift;
  dense[at] = (dense[at] & ~mask) | set;
  if (shift > 2) dense[at + 1] = (dense[at + 1] & ~(mask >> 8)) | (set >> 8);
}
