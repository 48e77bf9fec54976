/**
 * BITFIELD: integers of any width from 1 to 64 bits at any bit of a string.
 *
 * All operations are read and checked before the first one runs, as in Redis. Fields up to 64 bits
 * are bigints here: the commands are rare, and exact sums make overflow a comparison.
 */
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError } from './errors.ts';
import { readInt64 } from './numbers.ts';
import { arrayOf, either, integer, nil } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import { checkLength } from './string-range.ts';
import type { Command } from './table.ts';

export const bitFieldCommands: readonly Command[] = [
  {
    name: 'BITFIELD',
    arity: -2,
    group: 'bitmap',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 1, step: 1 },
    since: '3.2.0',
    summary: 'Reads and writes integers of any width inside a string.',
    complexity: 'O(1) for each operation',
    conflict: 'Writes the whole new value, so the last of concurrent writers wins.',
    reply: arrayOf(either(integer, nil)),
    run: (session, args) => bitField(session, args, true),
  },
  {
    name: 'BITFIELD_RO',
    arity: -2,
    group: 'bitmap',
    flags: ['readonly', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '6.0.0',
    summary: 'Reads integers of any width inside a string.',
    complexity: 'O(1) for each operation',
    reply: arrayOf(integer),
    run: (session, args) => bitField(session, args, false),
  },
];

type Overflow = 'WRAP' | 'SAT' | 'FAIL';

type Operation = {
  readonly kind: 'GET' | 'SET' | 'INCRBY';
  readonly signed: boolean;
  readonly bits: number;
  readonly offset: number;
  /** The value of SET or the increment. */
  readonly operand: bigint;
  readonly overflow: Overflow;
};

/** Bits of the longest string that a bit offset may reach, as in Redis with its default limits. */
const BITS_MAX = 2 ** 32;
const OFFSET_TEXT = /^(0|[1-9]\d{0,18})$/;
const WIDTH_TEXT = /^[iu][1-9]\d?$/;

function bitField(session: ClientSession, args: Args, mayWrite: boolean): void {
  const { output } = session;
  const { db } = session.server;
  const operations = readOperations(args);
  const writes = operations.filter(({ kind }) => kind !== 'GET');
  if (writes.length > 0 && !mayWrite) throw commandError('bitFieldReadOnly');
  const key = args.text(1);
  const old = db.getString(key);
  const lastBit = Math.max(-1, ...writes.map(({ offset, bits }) => offset + bits - 1));
  const bytesNeeded = Math.floor(lastBit / 8) + 1;
  checkLength(session, bytesNeeded);
  const value = Buffer.alloc(Math.max(old?.length ?? 0, bytesNeeded));
  value.latin1Write(old ?? '', 0);
  const replies = operations.map((operation) => runOperation(value, operation));
  // Redis makes the string long enough even when no operation then writes.
  if (writes.length > 0) db.setStringText(key, value.latin1Slice(), Number.NaN);
  writeReplies(output, replies);
}

function writeReplies(output: ReplyWriter, replies: readonly (bigint | null)[]): void {
  output.array(replies.length);
  for (const reply of replies) {
    if (reply === null) output.nullBulk();
    else output.integer(reply);
  }
}

function readOperations(args: Args): Operation[] {
  const operations: Operation[] = [];
  let overflow: Overflow = 'WRAP';
  for (let i = 2; i < args.count; ) {
    const left = args.count - i - 1;
    if (args.equalsIgnoreCase(i, 'OVERFLOW') && left >= 1) {
      overflow = readOverflow(args, i + 1);
      i += 2;
      continue;
    }
    const kind = readKind(args, i, left);
    const { signed, bits } = readWidth(args.text(i + 1));
    const offset = readOffset(args.text(i + 2), bits);
    const operand = kind === 'GET' ? 0n : readInt64(args, i + 3);
    operations.push({ kind, signed, bits, offset, operand, overflow });
    i += kind === 'GET' ? 3 : 4;
  }
  return operations;
}

function readKind(args: Args, i: number, left: number): Operation['kind'] {
  if (args.equalsIgnoreCase(i, 'GET') && left >= 2) return 'GET';
  if (args.equalsIgnoreCase(i, 'SET') && left >= 3) return 'SET';
  if (args.equalsIgnoreCase(i, 'INCRBY') && left >= 3) return 'INCRBY';
  throw commandError('syntax');
}

function readOverflow(args: Args, i: number): Overflow {
  for (const mode of ['WRAP', 'SAT', 'FAIL'] as const) {
    if (args.equalsIgnoreCase(i, mode)) return mode;
  }
  throw commandError('bitFieldOverflow');
}

function readWidth(text: string): { signed: boolean; bits: number } {
  const bits = WIDTH_TEXT.test(text) ? Number(text.slice(1)) : 0;
  const signed = text[0] === 'i';
  if (bits < 1 || bits > (signed ? 64 : 63)) throw commandError('bitFieldType');
  return { signed, bits };
}

/** `#n` counts in fields of this width. */
function readOffset(text: string, bits: number): number {
  const counted = text.startsWith('#');
  const digits = counted ? text.slice(1) : text;
  const offset = OFFSET_TEXT.test(digits) ? Number(digits) * (counted ? bits : 1) : -1;
  if (offset < 0 || offset >= BITS_MAX) throw commandError('bitOffset');
  return offset;
}

/** Runs one operation on `value`; its reply, or null when OVERFLOW FAIL stopped it. */
function runOperation(value: Buffer, operation: Operation): bigint | null {
  const { kind, signed, bits, offset, operand, overflow } = operation;
  const raw = readBits(value, offset, bits);
  const before = signed ? BigInt.asIntN(bits, raw) : raw;
  if (kind === 'GET') return before;
  const operandSeen = kind === 'SET' && !signed ? BigInt.asUintN(64, operand) : operand;
  const wanted = kind === 'SET' ? operandSeen : before + operand;
  const after = fitToWidth(wanted, signed, bits, overflow);
  if (after === null) return null;
  writeBits(value, offset, bits, BigInt.asUintN(bits, after));
  return kind === 'SET' ? before : after;
}

/** `value` in the range of the field by the overflow rule; null: it must not be written. */
function fitToWidth(
  value: bigint,
  signed: boolean,
  bits: number,
  overflow: Overflow,
): bigint | null {
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const min = signed ? -max - 1n : 0n;
  if (value >= min && value <= max) return value;
  if (overflow === 'FAIL') return null;
  if (overflow === 'SAT') return value > max ? max : min;
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** Bits beyond the end are 0. */
function readBits(value: Buffer, offset: number, bits: number): bigint {
  const first = Math.floor(offset / 8);
  const last = Math.floor((offset + bits - 1) / 8);
  let all = 0n;
  for (let at = first; at <= last; at++) all = (all << 8n) | BigInt(value[at] ?? 0);
  const after = BigInt((last + 1) * 8 - (offset + bits));
  return BigInt.asUintN(bits, all >> after);
}

function writeBits(value: Buffer, offset: number, bits: number, field: bigint): void {
  let rest = field;
  for (let at = offset + bits - 1; at >= offset; at--, rest >>= 1n) {
    const byte = Math.floor(at / 8);
    const mask = 0x80 >> (at % 8);
    value[byte] = (rest & 1n) === 1n ? value[byte] | mask : value[byte] & ~mask;
  }
}
