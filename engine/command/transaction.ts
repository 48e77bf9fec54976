/**
 * MULTI, EXEC, DISCARD, WATCH.
 *
 * A queue holds copies of the arguments, because the input buffer is reused. EXEC runs the whole
 * queue in this turn, and one turn is one batch of ops: no replica and no region ever shows half of
 * it. Any command refused while queueing breaks the transaction; an error while running does not.
 */
import type { Args } from '../resp/args.ts';
import type { Entry } from './dispatch.ts';
import { commandError, errorText } from './errors.ts';
import { any, arrayOf, either, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

/** Bytes that the queued commands of one transaction may take; more of them are refused. */
export const QUEUE_BYTES_MAX = 256 * 1024 * 1024;
/** What a queued command costs beside its arguments, by estimate. */
const QUEUED_COMMAND_BYTES = 200;

/** What sends a client elsewhere stands for the whole of EXEC: cluster clients read it. */
const ELSEWHERE = /^(MOVED|CROSSSLOT|CLUSTERDOWN) /;

export type Transaction = {
  readonly queue: { readonly entry: Entry; readonly args: Args }[];
  /** Flags of all queued commands together. */
  bits: number;
  bytes: number;
  /** A command was refused: EXEC will refuse all. */
  broken: boolean;
};

export const transactionCommands: readonly Command[] = [
  {
    name: 'MULTI',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '1.2.0',
    summary: 'Begins a transaction.',
    complexity: 'O(1)',
    reply: ok,
    run: multi,
  },
  {
    name: 'EXEC',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '1.2.0',
    summary: 'Runs the commands queued since MULTI, as one.',
    complexity: 'Depends on commands in the transaction',
    reply: either(arrayOf(any), nil),
    run: exec,
  },
  {
    name: 'DISCARD',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.0.0',
    summary: 'Forgets the commands queued since MULTI.',
    complexity: 'O(N) for N queued commands',
    reply: ok,
    run: discard,
  },
  {
    name: 'WATCH',
    arity: -2,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: { first: 1, last: -1, step: 1 },
    since: '2.2.0',
    summary: 'Lets EXEC fail if one of the keys changes before it.',
    complexity: 'O(1) for every key',
    reply: ok,
    run: watch,
  },
  {
    name: 'UNWATCH',
    arity: 1,
    group: 'transactions',
    flags: ['noscript', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.2.0',
    summary: 'Forgets all watched keys.',
    complexity: 'O(1)',
    reply: ok,
    run: unwatch,
  },
];

/** Keeps a command until EXEC and replies QUEUED. */
export function queueCommand(session: ClientSession, entry: Entry, args: Args): void {
  const transaction = session.transaction!;
  let bytes = QUEUED_COMMAND_BYTES;
  for (let i = 0; i < args.count; i++) bytes += args.length(i) + 8;
  if (transaction.bytes + bytes > QUEUE_BYTES_MAX) {
    transaction.broken = true;
    session.output.error(errorText('queueFull', QUEUE_BYTES_MAX));
    return;
  }
  transaction.bytes += bytes;
  transaction.bits |= entry.bits;
  transaction.queue.push({ entry, args: args.clone() });
  session.output.queued();
}

/** EXEC itself was refused: ends the transaction and says why. */
export function abortExec(session: ClientSession, reason: string): void {
  endTransaction(session);
  if (ELSEWHERE.test(reason)) {
    session.output.error(reason);
    return;
  }
  // Redis names the reason without its code when that is only ERR.
  session.output.error(errorText('execAbortedBy', reason.replace(/^ERR /, '')));
}

function multi(session: ClientSession): void {
  if (session.transaction !== null) throw commandError('multiNested');
  session.transaction = { queue: [], bits: 0, bytes: 0, broken: false };
  session.output.ok();
}

function exec(session: ClientSession): void {
  const { transaction, output } = session;
  if (transaction === null) throw commandError('execWithoutMulti');
  const changed = session.server.watches.broken(session);
  endTransaction(session);
  if (transaction.broken) throw commandError('execAborted');
  if (changed) {
    output.nullArray();
    return;
  }
  output.array(transaction.queue.length);
  session.executing = true;
  for (const { entry, args } of transaction.queue) {
    // Rights may have changed since it was queued.
    const denied = session.server.acl.refusalAtExec(session, entry, args);
    if (denied === null) session.call(entry, args);
    else output.error(denied);
  }
  session.endExecuting();
}

function discard(session: ClientSession): void {
  if (session.transaction === null) throw commandError('discardWithoutMulti');
  endTransaction(session);
  session.output.ok();
}

function watch(session: ClientSession, args: Args): void {
  if (session.transaction !== null) throw commandError('watchInMulti');
  for (let i = 1; i < args.count; i++) session.server.watches.watch(session, args.text(i));
  session.output.ok();
}

function unwatch(session: ClientSession): void {
  session.server.watches.unwatch(session);
  session.output.ok();
}

/** Forgets the queue and all watches, as EXEC, DISCARD and RESET do. */
export function endTransaction(session: ClientSession): void {
  session.transaction = null;
  session.server.watches.unwatch(session);
}
