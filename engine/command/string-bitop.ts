/** BITOP: strings combined bit by bit; shorter ones count as filled up with zeros. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const bitOpCommands: readonly Command[] = [
  {
    name: 'BITOP',
    arity: -4,
    group: 'bitmap',
    flags: ['write', 'denyoom'],
    keys: { first: 2, last: -1, step: 1 },
    since: '2.6.0',
    summary: 'Combines strings bit by bit and stores the result.',
    complexity: 'O(N)',
    conflict: 'Stores what was computed here, as a SET by this region.',
    reply: count,
    run: bitOp,
  },
];

type Combine = (a: number, b: number) => number;

const COMBINES: Readonly<Record<string, Combine>> = {
  AND: (a, b) => a & b,
  OR: (a, b) => a | b,
  XOR: (a, b) => a ^ b,
};

function bitOp(session: ClientSession, args: Args): void {
  const { db } = session.server;
  const name = args.text(1).toUpperCase();
  const combine = Object.hasOwn(COMBINES, name) ? COMBINES[name] : null;
  if (combine === null && name !== 'NOT') throw commandError('syntax');
  if (name === 'NOT' && args.count !== 4) throw commandError('bitOpNot');
  const sources: Buffer[] = [];
  for (let i = 3; i < args.count; i++) {
    sources.push(Buffer.from(db.getString(args.text(i)) ?? '', 'latin1'));
  }
  const length = Math.max(...sources.map((source) => source.length));
  const target = args.text(2);
  if (length === 0) db.delete(target);
  else {
    const result = combine === null ? inverted(sources[0]) : combined(sources, length, combine);
    db.setStringText(target, result.latin1Slice(), Number.POSITIVE_INFINITY);
  }
  session.output.integer(length);
}

function inverted(source: Buffer): Buffer {
  for (let at = 0; at < source.length; at++) source[at] ^= 0xff;
  return source;
}

function combined(sources: readonly Buffer[], length: number, combine: Combine): Buffer {
  const result = Buffer.alloc(length);
  sources[0].copy(result);
  for (const source of sources.slice(1)) {
    for (let at = 0; at < length; at++) result[at] = combine(result[at], source[at] ?? 0);
  }
  return result;
}
