import type { Args } from '../resp/args.ts';
import { flag, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const keyCopyCommands: readonly Command[] = [
  {
    name: 'RENAME',
    arity: 3,
    group: 'generic',
    flags: ['write'],
    keys: { first: 1, last: 2, step: 1 },
    since: '1.0.0',
    summary: 'Rename a key.',
    complexity: 'O(1)',
    conflict:
      'Removes what this region has seen of the source, and writes its value afresh into the target.',
    reply: ok,
    run: rename,
  },
  {
    name: 'RENAMENX',
    arity: 3,
    group: 'generic',
    flags: ['write', 'fast'],
    keys: { first: 1, last: 2, step: 1 },
    since: '1.0.0',
    summary: 'Rename a key, only if the new key does not exist.',
    complexity: 'O(1)',
    conflict: 'As RENAME; whether the target exists is judged in this region.',
    reply: flag,
    run: renameNx,
  },
  {
    name: 'COPY',
    arity: -3,
    group: 'generic',
    flags: ['write', 'denyoom'],
    keys: { first: 1, last: 2, step: 1 },
    since: '6.2.0',
    summary: 'Copy a key.',
    complexity: 'O(N) worst case for collections',
    conflict: 'Writes the value afresh into the target, as a SET, SADD or HSET by this region.',
    reply: flag,
    run: copy,
  },
];

function rename(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function renameNx(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function copy(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
