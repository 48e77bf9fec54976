import type { Args } from '../resp/args.ts';
import { bulkSet, count } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const setAlgebraCommands: readonly Command[] = [
  {
    name: 'SINTER',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Intersect multiple sets.',
    complexity: 'O(N*M)',
    reply: bulkSet,
    run: sinter,
  },
  {
    name: 'SUNION',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Add multiple sets.',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    reply: bulkSet,
    run: sunion,
  },
  {
    name: 'SDIFF',
    arity: -2,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Subtract multiple sets.',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    reply: bulkSet,
    run: sdiff,
  },
  {
    name: 'SINTERCARD',
    arity: -3,
    group: 'set',
    flags: ['readonly', 'movablekeys'],
    keys: null,
    keyCountAt: 1,
    since: '7.0.0',
    summary: 'Intersect multiple sets and return the cardinality of the result.',
    complexity: 'O(N*M)',
    reply: count,
    run: sinterCard,
  },
  {
    name: 'SINTERSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Intersect multiple sets and store the resulting set in a key.',
    complexity: 'O(N*M)',
    conflict: 'Replaces what this region has seen of the target by the result computed here.',
    reply: count,
    run: sinterStore,
  },
  {
    name: 'SUNIONSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Add multiple sets and store the resulting set in a key.',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    conflict: 'As SINTERSTORE.',
    reply: count,
    run: sunionStore,
  },
  {
    name: 'SDIFFSTORE',
    arity: -3,
    group: 'set',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: -1, step: 1 },
    since: '1.0.0',
    summary: 'Subtract multiple sets and store the resulting set in a key.',
    complexity: 'O(N) where N is the total number of elements in all given sets.',
    conflict: 'As SINTERSTORE.',
    reply: count,
    run: sdiffStore,
  },
];

function sinter(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sunion(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sdiff(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sinterCard(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sinterStore(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sunionStore(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sdiffStore(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
