import type { Args } from '../resp/args.ts';
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
    summary: 'Returns the bit value at offset in the string value stored at key.',
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
    summary: 'Sets or clears the bit at offset in the string value stored at key.',
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
    summary: 'Count set bits in a string.',
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
    summary: 'Find first bit set or clear in a string.',
    complexity: 'O(N)',
    reply: integer,
    run: bitPos,
  },
];

function getBit(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function setBit(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function bitCount(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function bitPos(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
