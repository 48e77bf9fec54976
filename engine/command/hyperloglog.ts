/** HyperLogLogs: how many different elements were added, in 12 KB at most, to within 0.81 %. */
import type { Args } from '../resp/args.ts';
import { count, flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const hyperLogLogCommands: readonly Command[] = [
  {
    name: 'PFADD',
    arity: -2,
    group: 'hyperloglog',
    flags: ['write', 'denyoom', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.9',
    summary: 'Adds elements to a HyperLogLog.',
    complexity: 'O(1) for each element',
    conflict: 'Adds of all regions count; a concurrent removal of the key takes them along.',
    reply: flag,
    run: pfAdd,
  },
  {
    name: 'PFCOUNT',
    arity: -2,
    group: 'hyperloglog',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '2.8.9',
    summary: 'Estimates how many different elements HyperLogLogs have seen together.',
    complexity: 'O(N) for N keys, with a large constant',
    reply: count,
    run: pfCount,
  },
  {
    name: 'PFMERGE',
    arity: -2,
    group: 'hyperloglog',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '2.8.9',
    summary: 'Adds all that some HyperLogLogs have seen to another one.',
    complexity: 'O(N) for N keys, with a large constant',
    conflict: 'As PFADD of what the sources hold in this region.',
    reply: ok,
    run: pfMerge,
  },
];

function pfAdd(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.hllAdd(args) ? 1 : 0);
}

function pfCount(session: ClientSession, args: Args): void {
  session.output.integer(session.server.db.hllCount(keysFrom(args, 1)));
}

function pfMerge(session: ClientSession, args: Args): void {
  session.server.db.hllMerge(args.text(1), keysFrom(args, 2));
  session.output.ok();
}

function keysFrom(args: Args, first: number): string[] {
  return Array.from({ length: args.count - first }, (_, i) => args.text(first + i));
}
