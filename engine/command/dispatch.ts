/**
 * From the bytes of a command's name to its table entry, and the gates before it runs.
 *
 * The lookup allocates nothing: the name is hashed from the input buffer with letters folded to
 * upper case, and compared byte by byte with the few entries of its bucket. The gates come in the
 * order of Redis' processCommand, because clients see which of two errors wins: unknown, arity,
 * authentication, MULTI, rights, slot, memory, role, subscribe mode, loading.
 */
import type { Args } from '../resp/args.ts';
import { redirection } from './cluster-redirect.ts';
import { CommandStats } from './command-stats.ts';
import { errorText } from './errors.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

/** Flags as bits, plus what MULTI needs to know. */
export const WRITE = 1;
export const DATA = 2;
export const DENY_OOM = 4;
export const LOADING = 8;
export const NO_AUTH = 16;
export const NO_MULTI = 32;
/** Runs at once inside MULTI instead of being queued. */
export const CONTROLS_MULTI = 64;
/** Allowed to a RESP2 client with subscriptions. */
export const SUBSCRIBE_MODE = 128;
/** Replies by pushes, which CLIENT REPLY OFF lets through. */
export const PUSHES = 256;
export const REFUSED = 512;
export const EXEC = 1024;
export const NO_SCRIPT = 2048;
export const FAST = 4096;
export const ADMIN = 8192;

export type Entry = {
  readonly command: Command;
  /** Lower case, with the container: `client|id`; as error texts print it. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly arity: number;
  readonly bits: number;
  readonly run: ((session: ClientSession, args: Args) => void) | null;
  readonly subcommands: CommandLookup | null;
  /** How often it ran in this process, and how long that took. */
  readonly stats: CommandStats;
};

const CONTROL = new Set(['MULTI', 'EXEC', 'DISCARD', 'WATCH', 'QUIT', 'RESET']);
const SUBSCRIBER = new Set([
  ...['SUBSCRIBE', 'UNSUBSCRIBE', 'PSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE'],
  ...['PING', 'QUIT', 'RESET'],
]);

/** Commands by name: open addressing over a power of two of places. */
export class CommandLookup {
  private readonly places: (Entry | null)[];
  private readonly mask: number;

  /** `prefix` (such as `CLIENT|`) stands before the names in `commands` but not in requests. */
  constructor(commands: Iterable<Command>, prefix = '') {
    const entries = Array.from(commands, (command) => makeEntry(command, prefix));
    let size = 16;
    while (size < entries.length * 4) size *= 2;
    this.mask = size - 1;
    this.places = new Array<Entry | null>(size).fill(null);
    for (const entry of entries) {
      let at = hashName(entry.nameBytes, 0, entry.nameBytes.length) & this.mask;
      while (this.places[at] !== null) at = (at + 1) & this.mask;
      this.places[at] = entry;
    }
  }

  /** The entry whose name lies in `buffer` at [start, end), in any case; null: there is none. */
  find(buffer: Uint8Array, start: number, end: number): Entry | null {
    let at = hashName(buffer, start, end) & this.mask;
    for (;;) {
      const entry = this.places[at];
      if (entry === null || sameName(entry.nameBytes, buffer, start, end)) return entry;
      at = (at + 1) & this.mask;
    }
  }

  /** The entry of `get` or `client|id`, in any case. */
  findByName(name: string): Entry | null {
    const bar = name.indexOf('|');
    const bytes = Buffer.from(bar < 0 ? name : name.slice(0, bar), 'latin1');
    const entry = this.find(bytes, 0, bytes.length);
    return bar < 0 ? entry : (entry?.subcommands?.findByName(name.slice(bar + 1)) ?? null);
  }

  /** The entry that would run, a subcommand's if the command has them; null: see `unknownText`. */
  resolve(args: Args): Entry | null {
    const entry = this.find(args.buffer, args.start[0], args.end[0]);
    if (entry === null || entry.subcommands === null || args.count < 2) return entry;
    return entry.subcommands.find(args.buffer, args.start[1], args.end[1]);
  }

  /** The error for a command that `resolve` did not find. */
  unknownText(args: Args): string {
    const name = clip(args.text(0), 128);
    if (this.find(args.buffer, args.start[0], args.end[0]) !== null) {
      return errorText('unknownSubcommand', clip(args.text(1), 128), args.text(0).toUpperCase());
    }
    let list = '';
    for (let i = 1; i < args.count && list.length < 128; i++) {
      list += `'${clip(args.text(i), 128 - list.length)}' `;
    }
    return errorText('unknownCommand', name, list);
  }

  /** All that can run, by name: commands and subcommands. */
  entries(): Entry[] {
    const own = this.places.filter((entry) => entry !== null);
    const all = own.flatMap((entry) => [entry, ...(entry.subcommands?.entries() ?? [])]);
    return all.filter(({ run }) => run !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All commands, by name, without subcommands. */
  list(): Command[] {
    const commands = this.places.flatMap((entry) => (entry === null ? [] : [entry.command]));
    return commands.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** Whether the number of arguments fits; containers alone never do. */
export function arityFits(entry: Entry, count: number): boolean {
  if (entry.run === null) return false;
  return entry.arity > 0 ? count === entry.arity : count >= -entry.arity;
}

/** Why the command may not run now, as the text of the reply; null: it may. */
export function refusal(session: ClientSession, entry: Entry, args: Args): string | null {
  const { bits } = entry;
  if (!arityFits(entry, args.count)) return errorText('arity', entry.name);
  if ((bits & REFUSED) !== 0) return errorText('debugRefused');
  const { db, member, config, acl } = session.server;
  if (!session.authenticated && acl.authRequired && (bits & NO_AUTH) === 0) {
    return errorText('noAuth');
  }
  const transaction = session.transaction;
  if (transaction !== null && (bits & NO_MULTI) !== 0) return errorText('notInMulti');
  if (!session.user.unrestricted) {
    const denied = acl.refusal(session, entry, args);
    if (denied !== null) return denied;
  }
  if (member.cluster && !session.routed) {
    const elsewhere = redirection(session, entry, args, member.cluster);
    if (elsewhere !== null) return elsewhere;
  }
  // EXEC is what it runs: it meets the gates of all queued commands.
  const effect = (bits & EXEC) !== 0 && transaction !== null ? transaction.bits : bits;
  const role = member.role();
  // A replica takes what its primary has; only a primary refuses and evicts.
  if (role === 'primary' && config.isFull(db)) {
    const queues = transaction !== null && (bits & CONTROLS_MULTI) === 0;
    if (((effect & DENY_OOM) !== 0 || queues) && !config.makeRoom(db)) {
      return errorText('outOfMemory');
    }
  }
  if (role === 'replica' && (effect & WRITE) !== 0) return errorText('readOnly');
  if (session.subscribed && session.output.protocol === 2 && (bits & SUBSCRIBE_MODE) === 0) {
    return errorText('subscribeMode', entry.name);
  }
  if (role === 'starting' && (effect & (WRITE | DATA)) !== 0 && (bits & LOADING) === 0) {
    return errorText('loading', member.startingReason());
  }
  return null;
}

function makeEntry(command: Command, prefix: string): Entry {
  const own = command.name.slice(prefix.length);
  return {
    command,
    stats: new CommandStats(command.flags.includes('fast') || command.name === 'SET'),
    name: command.name.toLowerCase(),
    nameBytes: Buffer.from(own, 'latin1'),
    arity: command.arity,
    bits: bitsOf(command),
    run: command.run ?? null,
    subcommands: command.subcommands
      ? new CommandLookup(command.subcommands, `${command.name}|`)
      : null,
  };
}

const bitsByFlag: Partial<Record<CommandFlag, number>> = {
  write: WRITE,
  readonly: DATA,
  denyoom: DENY_OOM,
  loading: LOADING,
  no_auth: NO_AUTH,
  no_multi: NO_MULTI,
  noscript: NO_SCRIPT,
  fast: FAST,
  admin: ADMIN,
};

function bitsOf(command: Command): number {
  let bits = 0;
  for (const flag of command.flags) bits |= bitsByFlag[flag] ?? 0;
  if (CONTROL.has(command.name)) bits |= CONTROLS_MULTI;
  if (SUBSCRIBER.has(command.name)) bits |= SUBSCRIBE_MODE;
  if (command.name.endsWith('SUBSCRIBE')) bits |= PUSHES;
  if (command.name === 'DEBUG') bits |= REFUSED;
  if (command.name === 'EXEC') bits |= EXEC;
  return bits;
}

function hashName(buffer: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  // Folding by one mask maps more than letters together; sameName tells those apart.
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (buffer[i] & 0xdf)) | 0;
  return hash ^ (hash >>> 11);
}

function sameName(name: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    let byte = buffer[start + i];
    if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
    if (byte !== name[i]) return false;
  }
  return true;
}

/** As C prints `%.<n>s`: up to `n` characters, and not beyond a NUL. */
function clip(text: string, n: number): string {
  const nul = text.indexOf('\0');
  return text.slice(0, nul >= 0 && nul < n ? nul : n);
}
