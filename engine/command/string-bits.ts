/**
 * Bits of strings. Bit 0 is the highest bit of the first byte. SETBIT writes the whole new value.
 */
import type { Args } from '../resp/args.ts';
import { commandError, type ErrorName } from './errors.ts';
import { readInteger } from './numbers.ts';
import { count, flag, integer } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const bitCommands: readonly Command[] = [
  {
    name: 'GETBIT',
    arity: 3,
    group: 'bitmap',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Returns a bit.',
    complexity: 'O(1)',
    reply: flag,
    run: getBit,
  },
  {
    name: 'SETBIT',
    arity: 4,
    group: 'bitmap',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.2.0',
    summary: 'Sets a bit and returns what it was.',
    complexity: 'O(1)',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: flag,
    run: setBit,
  },
  {
    name: 'BITCOUNT',
    arity: -2,
    group: 'bitmap',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.6.0',
    summary: 'Counts the bits that are 1.',
    complexity: 'O(N)',
    reply: count,
    run: bitCount,
  },
  {
    name: 'BITPOS',
    arity: -3,
    group: 'bitmap',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.7',
    summary: 'Finds the first bit that is 0 or 1.',
    complexity: 'O(N)',
    reply: integer,
    run: bitPos,
  },
];

const BIT_OFFSET_MAX = 2 ** 32 - 1;

const onesInByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});

function getBit(session: ClientSession, args: Args): void {
  const offset = readBitOffset(args, 2);
  const value = session.server.db.getString(args.text(1)) ?? '';
  session.output.integer(bitOf(value, offset));
}

function setBit(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const offset = readBitOffset(args, 2);
  const bit = readInteger(args, 3, 'bitValue');
  if (bit !== 0 && bit !== 1) throw commandError('bitValue');
  const key = args.text(1);
  const old = db.getString(key);
  const at = Math.floor(offset / 8);
  if (at >= session.server.limits.stringBytesMax) throw commandError('bitOffset');
  const padded = (old ?? '').padEnd(at + 1, '\0');
  const mask = 0x80 >> (offset % 8);
  const byte = padded.charCodeAt(at);
  const changed = bit === 1 ? byte | mask : byte & ~mask;
  if (changed !== byte || padded.length !== old?.length) {
    const value = padded.slice(0, at) + String.fromCharCode(changed) + padded.slice(at + 1);
    db.setStringText(key, value, Number.NaN);
  }
  session.output.integer((byte & mask) !== 0 ? 1 : 0);
}

function bitCount(session: ClientSession, args: Args): void {
  const value = session.server.db.getString(args.text(1));
  if (value === null) {
    session.output.integer(0);
    return;
  }
  if (args.count !== 2 && args.count !== 4 && args.count !== 5) throw commandError('syntax');
  let range = { first: 0, last: value.length * 8 - 1 };
  if (args.count > 2) {
    const first = readInteger(args, 2);
    const last = readInteger(args, 3);
    // Redis sees this before it looks at the unit.
    const empty = first < 0 && last < 0 && first > last;
    const unit = empty ? 'BYTE' : readUnit(args, 4);
    range = empty ? { first: 0, last: -1 } : bitRange(first, last, unit, value.length);
  }
  session.output.integer(countOnes(value, range.first, range.last));
}

function bitPos(session: ClientSession, args: Args): void {
  const bit = readInteger(args, 2);
  if (bit !== 0 && bit !== 1) throw commandError('bitArgument');
  const value = session.server.db.getString(args.text(1));
  if (value === null) {
    session.output.integer(bit === 1 ? -1 : 0);
    return;
  }
  if (args.count > 6) throw commandError('syntax');
  const first = args.count > 3 ? readInteger(args, 3) : 0;
  const unit = readUnit(args, 5);
  const last = args.count > 4 ? readInteger(args, 4) : -1;
  const range = bitRange(first, last, unit, value.length);
  session.output.integer(findBit(value, bit, range.first, range.last, args.count > 4));
}

/** The first such bit within [first, last]; a zero may follow an open end. */
function findBit(
  value: string,
  bit: number,
  first: number,
  last: number,
  endGiven: boolean,
): number {
  if (first > last) return -1;
  const skipped = bit === 1 ? 0 : 0xff;
  for (let at = first; at <= last; ) {
    if (at % 8 === 0 && value.charCodeAt(at / 8) === skipped) at += 8;
    else if (bitOf(value, at) === bit) return at;
    else at++;
  }
  return bit === 1 || endGiven ? -1 : value.length * 8;
}

/** Inclusive range of bits, from an inclusive range of bytes or bits that may be negative. */
function bitRange(
  first: number,
  last: number,
  unit: 'BYTE' | 'BIT',
  bytes: number,
): { first: number; last: number } {
  const size = unit === 'BIT' ? bytes * 8 : bytes;
  const start = Math.max(0, first < 0 ? size + first : first);
  const end = Math.min(size - 1, Math.max(0, last < 0 ? size + last : last));
  if (start > end) return { first: 0, last: -1 };
  return unit === 'BIT' ? { first: start, last: end } : { first: start * 8, last: end * 8 + 7 };
}

function countOnes(value: string, first: number, last: number): number {
  let ones = 0;
  for (let at = first; at <= last; ) {
    if (at % 8 === 0 && at + 7 <= last) {
      ones += onesInByte[value.charCodeAt(at / 8)];
      at += 8;
    } else {
      ones += bitOf(value, at);
      at++;
    }
  }
  return ones;
}

/** Bit `offset`; 0 beyond the end. */
function bitOf(value: string, offset: number): number {
  const at = Math.floor(offset / 8);
  return at < value.length ? (value.charCodeAt(at) >> (7 - (offset % 8))) & 1 : 0;
}

function readUnit(args: Args, i: number): 'BYTE' | 'BIT' {
  if (i >= args.count || args.equalsIgnoreCase(i, 'BYTE')) return 'BYTE';
  if (args.equalsIgnoreCase(i, 'BIT')) return 'BIT';
  throw commandError('syntax');
}

function readBitOffset(args: Args, i: number): number {
  const error: ErrorName = 'bitOffset';
  const offset = readInteger(args, i, error);
  if (offset < 0 || offset > BIT_OFFSET_MAX) throw commandError(error);
  return offset;
}
