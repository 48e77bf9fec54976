import type { Args } from '../resp/args.ts';
import { bulks, page } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const scanCommands: readonly Command[] = [
  {
    name: 'SCAN',
    arity: -2,
    group: 'generic',
    flags: ['readonly'],
    keys: null,
    since: '2.8.0',
    summary: 'Incrementally iterate the keys space.',
    complexity: 'O(1) for every call',
    reply: page,
    run: scan,
  },
  {
    name: 'KEYS',
    arity: 2,
    group: 'generic',
    flags: ['readonly'],
    keys: null,
    since: '1.0.0',
    summary: 'Find all keys matching the given pattern.',
    complexity: 'O(N) with N being the number of keys in the database',
    reply: bulks,
    run: keys,
  },
  {
    name: 'HSCAN',
    arity: -3,
    group: 'hash',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.0',
    summary: 'Incrementally iterate hash fields and associated values.',
    complexity: 'O(1) for every call',
    reply: page,
    run: hashScan,
  },
  {
    name: 'SSCAN',
    arity: -3,
    group: 'set',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '2.8.0',
    summary: 'Incrementally iterate Set elements.',
    complexity: 'O(1) for every call',
    reply: page,
    run: setScan,
  },
];

function scan(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function keys(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function hashScan(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function setScan(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
