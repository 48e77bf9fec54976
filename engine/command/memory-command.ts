/** MEMORY: where the memory of this process goes. */
import type { Args } from '../resp/args.ts';
import { clientMemory } from './client-describe.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import { any, anyMap, arrayOf, bulk, count, either, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const OPEN: readonly CommandFlag[] = ['loading', 'stale'];
const group = 'server';
const since = '4.0.0';
const keys = null;

export const memoryCommands: readonly Command[] = [
  {
    name: 'MEMORY',
    arity: -2,
    group,
    flags: [],
    keys,
    since,
    summary: 'Shows where memory goes.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'MEMORY|USAGE',
        arity: -3,
        group,
        flags: ['readonly'],
        keys: { first: 2, last: 2, step: 1 },
        since,
        summary: 'Returns the bytes that a key takes.',
        complexity: 'O(1)',
        reply: either(count, nil),
        run: usage,
      },
      {
        name: 'MEMORY|STATS',
        arity: 2,
        group,
        flags: [],
        keys,
        since,
        summary: 'Tells what takes how many bytes.',
        complexity: 'O(N) for N clients',
        reply: anyMap,
        run: stats,
      },
      {
        name: 'MEMORY|DOCTOR',
        arity: 2,
        group,
        flags: [],
        keys,
        since,
        summary: 'Says in words whether memory is in order.',
        complexity: 'O(N) for N clients',
        reply: bulk,
        run: doctor,
      },
      {
        name: 'MEMORY|MALLOC-STATS',
        arity: 2,
        group,
        flags: [],
        keys,
        since,
        summary: 'Shows the arena, which takes the place of malloc.',
        complexity: 'O(1)',
        reply: bulk,
        run: mallocStats,
      },
      {
        name: 'MEMORY|PURGE',
        arity: 2,
        group,
        flags: [],
        keys,
        since,
        summary: 'Does nothing: blocks of the arena are used again as they are freed.',
        complexity: 'O(1)',
        reply: ok,
        run: purge,
      },
      {
        name: 'MEMORY|HELP',
        arity: 2,
        group,
        flags: OPEN,
        keys,
        since,
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: help,
      },
    ],
  },
];

/** A fragmentation or a resident size is looked at above so many bytes only. */
const WORTH_BYTES = 64 * 1024 * 1024;
const FRAGMENTED = 1.5;

function usage(session: ClientSession, args: Args): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.equalsIgnoreCase(i, 'SAMPLES') || i + 1 >= args.count) throw commandError('syntax');
    if (readInteger(args, i + 1) < 0) throw commandError('syntax');
  }
  const { db } = session.server;
  const key = args.text(2);
  if (db.type(key) === 'none') session.output.nullBulk();
  else session.output.integer(db.keyMemory(key));
}

/** Bytes by what takes them; `resident` is 0 where nobody knows. */
function measure({ server }: ClientSession) {
  const { db, clients, process: facts } = server;
  const clientBytes = clients.list().reduce((sum, client) => sum + clientMemory(client), 0);
  const resident = facts.residentBytes?.() ?? 0;
  return { clientBytes, resident, data: db.memoryBytes, ...db.arenaBytes };
}

function stats(session: ClientSession): void {
  const { output, server } = session;
  const { clientBytes, resident, data, usedBytes, reservedBytes } = measure(session);
  const keysCount = server.db.size;
  const lines: [string, number][] = [
    ['total.allocated', data + clientBytes],
    ['clients.slaves', 0],
    ['clients.normal', clientBytes],
    ['keys.count', keysCount],
    ['keys.bytes-per-key', keysCount === 0 ? 0 : Math.floor(data / keysCount)],
    ['dataset.bytes', data],
    ['allocator.allocated', usedBytes],
    ['allocator.active', reservedBytes],
    ['allocator.resident', resident],
  ];
  const ratios: [string, number][] = [
    ['allocator-fragmentation.ratio', reservedBytes / Math.max(1, usedBytes)],
    ['fragmentation', resident / Math.max(1, data)],
  ];
  output.map(lines.length + ratios.length);
  for (const [name, value] of lines) {
    output.bulk(name);
    output.integer(value);
  }
  for (const [name, value] of ratios) {
    output.bulk(name);
    output.double(value);
  }
}

function doctor(session: ClientSession): void {
  const { config } = session.server;
  const { clientBytes, resident, data, usedBytes, reservedBytes } = measure(session);
  const found: string[] = [];
  if (reservedBytes > WORTH_BYTES && reservedBytes > usedBytes * FRAGMENTED) {
    found.push(
      'The arena holds much more than is in use: many values were removed or have changed their ' +
        'size. New values fill it before it grows; a restart gives it back.',
    );
  }
  if (resident > WORTH_BYTES && clientBytes > resident / 4) {
    found.push(
      'Clients take a quarter of the memory: look at CLIENT LIST for large qbuf and omem, and set ' +
        'maxmemory-clients.',
    );
  }
  if (config.maxMemoryBytes !== 0 && data > config.maxMemoryBytes * 0.95) {
    found.push('The data is at maxmemory: give it more, or see that maxmemory-policy fits.');
  }
  if (found.length === 0) found.push('Nothing is wrong with the memory of this process.');
  session.output.verbatim('txt', `${found.join('\n')}\n`);
}

function mallocStats(session: ClientSession): void {
  const { usedBytes, reservedBytes } = session.server.db.arenaBytes;
  const text = `arena: ${usedBytes} bytes in use, ${reservedBytes} reserved\n`;
  session.output.verbatim('txt', text);
}

function purge(session: ClientSession): void {
  session.output.ok();
}

function help(session: ClientSession): void {
  writeHelp(session, 'MEMORY');
}
