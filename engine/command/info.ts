import type { Args } from '../resp/args.ts';
import { bulk } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const infoCommands: readonly Command[] = [
  {
    name: 'INFO',
    arity: -1,
    group: 'server',
    flags: ['loading', 'stale'],
    keys: null,
    since: '1.0.0',
    summary: 'Get information and statistics about the server.',
    complexity: 'O(1)',
    reply: bulk,
    run: info,
  },
];

function info(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
