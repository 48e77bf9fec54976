/** SLOWLOG, LATENCY and MONITOR: what commands do and how long they take. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { latencyDoctor, latencyGraph } from './latency-words.ts';
import { any, anyMap, arrayOf, bulk, count, ok, type ReplyShape } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const ADMIN: readonly CommandFlag[] = ['admin', 'loading', 'stale'];
const SEEN: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale'];

type Row = readonly [
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  summary: string,
  reply: ReplyShape,
  run: NonNullable<Command['run']>,
];

function command([name, arity, flags, since, summary, reply, run]: Row): Command {
  const complexity = 'O(N) for N entries';
  return {
    name,
    arity,
    group: 'server',
    flags,
    keys: null,
    since,
    summary,
    complexity,
    reply,
    run,
  };
}

const HELP: readonly CommandFlag[] = ['loading', 'stale'];
const slowlogRows: readonly Row[] = [
  ['SLOWLOG|GET', -2, ADMIN, '2.2.12', 'Shows commands that took long.', arrayOf(any), slowlogGet],
  ['SLOWLOG|LEN', 2, ADMIN, '2.2.12', 'Counts them.', count, slowlogLen],
  ['SLOWLOG|RESET', 2, ADMIN, '2.2.12', 'Forgets them.', ok, slowlogReset],
  ['SLOWLOG|HELP', 2, HELP, '6.2.0', 'Lists the subcommands.', arrayOf(any), slowlogHelp],
];
const latencyRows: readonly Row[] = [
  ['LATENCY|DOCTOR', 2, SEEN, '2.8.13', 'Says in words what took long.', bulk, latencyDoctorRun],
  ['LATENCY|GRAPH', 3, SEEN, '2.8.13', 'Draws the times of an event.', bulk, latencyGraphRun],
  ['LATENCY|HISTORY', 3, SEEN, '2.8.13', 'Lists the times of an event.', arrayOf(any), history],
  ['LATENCY|LATEST', 2, SEEN, '2.8.13', 'Lists the last time of each event.', arrayOf(any), latest],
  ['LATENCY|RESET', -2, SEEN, '2.8.13', 'Forgets events.', count, latencyReset],
  ['LATENCY|HISTOGRAM', -2, SEEN, '7.0.0', 'Shows how long commands took.', anyMap, histogram],
  ['LATENCY|HELP', 2, HELP, '2.8.13', 'Lists the subcommands.', arrayOf(any), latencyHelp],
];

/** A container of subcommands. */
function container(name: string, since: string, summary: string, rows: readonly Row[]): Command {
  return {
    name,
    arity: -2,
    group: 'server',
    flags: [],
    keys: null,
    since,
    summary,
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: rows.map(command),
  };
}

export const observeCommands: readonly Command[] = [
  container('SLOWLOG', '2.2.12', 'The commands of this process that took long.', slowlogRows),
  container('LATENCY', '2.8.13', 'How long things take in this process.', latencyRows),
  command([
    'MONITOR',
    1,
    SEEN,
    '1.0.0',
    'Shows every command that this process runs.',
    ok,
    monitor,
  ]),
];

const SLOWLOG_ENTRIES = 10;

function slowlogGet(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('subcommandArity', args.text(1), 'SLOWLOG');
  const wanted = args.count === 3 ? args.integer(2) : SLOWLOG_ENTRIES;
  if (!(wanted >= -1)) throw commandError('slowlogCount');
  const { output, server } = session;
  const entries = server.observer.slowLog.list(wanted);
  output.array(entries.length);
  for (const entry of entries) {
    output.array(6);
    output.integer(entry.id);
    output.integer(Math.floor(entry.atMs / 1000));
    output.integer(entry.microseconds);
    output.array(entry.words.length);
    for (const word of entry.words) output.bulk(word);
    output.bulk(entry.remote);
    output.bulk(entry.name);
  }
}

function slowlogLen({ output, server }: ClientSession): void {
  output.integer(server.observer.slowLog.length);
}

function slowlogReset({ output, server }: ClientSession): void {
  server.observer.slowLog.reset();
  output.ok();
}

function slowlogHelp(session: ClientSession): void {
  writeHelp(session, 'SLOWLOG');
}

function latest({ output, server }: ClientSession): void {
  const events = server.observer.latency.latest();
  output.array(events.length);
  for (const { name, last, longest } of events) {
    output.array(4);
    output.bulk(name);
    output.integer(last.second);
    output.integer(last.milliseconds);
    output.integer(longest);
  }
}

function history({ output, server }: ClientSession, args: Args): void {
  const samples = server.observer.latency.history(args.text(2));
  output.array(samples.length);
  for (const { second, milliseconds } of samples) {
    output.array(2);
    output.integer(second);
    output.integer(milliseconds);
  }
}

function latencyReset({ output, server }: ClientSession, args: Args): void {
  const names = Array.from({ length: args.count - 2 }, (_, i) => args.text(i + 2));
  output.integer(server.observer.latency.reset(names));
}

function latencyGraphRun({ output, server }: ClientSession, args: Args): void {
  const name = args.text(2);
  const samples = server.observer.latency.history(name);
  if (samples.length === 0) throw commandError('noLatencySamples', name);
  const now = Math.floor(server.clockMs() / 1000);
  output.verbatim('txt', latencyGraph(name, samples, now));
}

function latencyDoctorRun({ output, server }: ClientSession): void {
  output.verbatim('txt', latencyDoctor(server.observer.latency));
}

/** Of the commands named, or of all that were timed. */
function histogram({ output, server }: ClientSession, args: Args): void {
  const wanted = Array.from({ length: args.count - 2 }, (_, i) => args.text(i + 2).toLowerCase());
  const found = server.commands
    .entries()
    .filter(({ name }) => wanted.length === 0 || wanted.some((one) => isPart(name, one)))
    .map(({ name, stats }) => ({ name, counts: stats.cumulative() }))
    .filter(({ counts }) => counts.length > 0);
  output.map(found.length);
  for (const { name, counts } of found) {
    output.bulk(name);
    output.map(2);
    output.bulk('calls');
    output.integer(counts.at(-1)![1]);
    output.bulk('histogram_usec');
    output.map(counts.length);
    for (const [microseconds, calls] of counts) {
      output.integer(microseconds);
      output.integer(calls);
    }
  }
}

/** `config` names its subcommands as well. */
function isPart(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}|`);
}

function latencyHelp(session: ClientSession): void {
  writeHelp(session, 'LATENCY');
}

function monitor(session: ClientSession): void {
  if (session.executing) throw commandError('monitorInMulti');
  session.server.observer.monitors.add(session);
  session.output.ok();
}
