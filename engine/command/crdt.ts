import type { Args } from '../resp/args.ts';
import { any, anyMap, bulk, bulkOrNull, count, either, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const crdtCommands: readonly Command[] = [
  {
    name: 'CRDT.STATUS',
    arity: -1,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'Says who this member is, what it has applied and how its links are.',
    complexity: 'O(1)',
    reply: either(bulk, anyMap),
    run: crdtStatus,
  },
  {
    name: 'CRDT.MAP',
    arity: -2,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'A container for commands about the map.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'CRDT.MAP|SET',
        arity: 3,
        group: 'crdt',
        flags: ['admin', 'loading', 'stale'],
        keys: null,
        since: '0.1.0',
        summary: 'Hands a newer map to this member or proxy.',
        complexity: 'O(N) for N members',
        reply: ok,
        run: crdtMapSet,
      },
      {
        name: 'CRDT.MAP|GET',
        arity: 2,
        group: 'crdt',
        flags: ['admin', 'loading', 'stale'],
        keys: null,
        since: '0.1.0',
        summary: 'Returns the map this member or proxy holds.',
        complexity: 'O(N) for N members',
        reply: bulkOrNull,
        run: crdtMapGet,
      },
    ],
  },
  {
    name: 'CRDT.WAIT',
    arity: -3,
    group: 'crdt',
    flags: ['noscript', 'blocking'],
    keys: null,
    since: '0.1.0',
    summary: "Waits until other regions have applied this connection's writes.",
    complexity: 'O(1)',
    reply: count,
    run: crdtWait,
  },
  {
    name: 'CRDT.LINK',
    arity: 3,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'Stops or restarts the exchange with a region, both ways.',
    complexity: 'O(1)',
    reply: ok,
    run: crdtLink,
  },
  {
    name: 'CRDT.EXPLAIN',
    arity: 2,
    group: 'crdt',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '0.1.0',
    summary: 'Shows all states of a key, also those that lost a conflict.',
    complexity: 'O(N) for N parts of the value',
    reply: anyMap,
    run: crdtExplain,
  },
];

function crdtStatus(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function crdtMapSet(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function crdtMapGet(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function crdtWait(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function crdtLink(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function crdtExplain(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
