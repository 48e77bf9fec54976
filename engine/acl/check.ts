/**
 * May this user run this command? The command itself, its keys and its channels are looked at, one
 * selector after the other; the first that allows everything decides.
 *
 * Users without restrictions are not asked about at all: dispatch looks at `user.unrestricted` only.
 */
import { findKeys } from '../command/command-describe.ts';
import { type Entry, NO_AUTH } from '../command/dispatch.ts';
import type { Command } from '../command/table.ts';
import type { Args } from '../resp/args.ts';
import { type KeyFlags, keyFlagsOf } from './key-rights-table.ts';
import { READ, type Selector, WRITE } from './selector.ts';
import type { User } from './user.ts';

/** What was refused, and the name of the command, key or channel. */
export type Denied = {
  readonly reason: 'command' | 'key' | 'channel';
  readonly object: string;
};

type Channels = { readonly first: number; readonly last: number; readonly isPattern: boolean };

const CHANNEL: Channels = { first: 1, last: 1, isPattern: false };
const ALL_CHANNELS: Channels = { first: 1, last: -1, isPattern: false };
const channelsByName: Readonly<Record<string, Channels>> = {
  PUBLISH: CHANNEL,
  SPUBLISH: CHANNEL,
  SUBSCRIBE: ALL_CHANNELS,
  SSUBSCRIBE: ALL_CHANNELS,
  PSUBSCRIBE: { first: 1, last: -1, isPattern: true },
};
/** Their channels are routed like keys, and are none. */
const WITHOUT_KEYS = new Set(['SSUBSCRIBE', 'SUNSUBSCRIBE', 'SPUBLISH']);

/** What a selector refuses, and where: later arguments say more, as do channels than keys. */
type Refusal = { readonly weight: number; readonly at: number };

const COMMAND = 1;
const KEY = 2;
const CHANNEL_REFUSED = 4;

/** Why the user may not run the command with these arguments; null: they may. */
export function checkCommand(user: User, entry: Entry, args: Args): Denied | null {
  if (user.unrestricted) return null;
  let worst: Refusal = { weight: COMMAND, at: 0 };
  for (const selector of user.allSelectors) {
    const refusal = checkSelector(selector, entry, args);
    if (refusal === null) return null;
    const { weight, at } = refusal;
    if (weight > worst.weight || (weight === worst.weight && at > worst.at)) worst = refusal;
  }
  if (worst.weight === COMMAND) return { reason: 'command', object: entry.name };
  const object = args.text(worst.at);
  return { reason: worst.weight === KEY ? 'key' : 'channel', object };
}

/**
 * BY and GET of SORT read keys that stand nowhere in the request, so they take the right to read all of
 * them. Returns the option that is refused; null: none is.
 */
export function refusedSortOption(user: User, { command }: Entry, args: Args): 'BY' | 'GET' | null {
  if (command.name !== 'SORT' && command.name !== 'SORT_RO') return null;
  const mayReadAll = user.allSelectors.some(
    (selector) =>
      selector.commands.has(command) &&
      (selector.allKeys ||
        selector.keyPatterns.some(
          ({ pattern, rights }) => pattern === '*' && (rights & READ) !== 0,
        )),
  );
  for (let i = 2; i + 1 < args.count && !mayReadAll; i++) {
    if (args.equalsIgnoreCase(i, 'BY') && args.text(i + 1).includes('*')) return 'BY';
    if (args.equalsIgnoreCase(i, 'GET')) return 'GET';
  }
  return null;
}

/** Whether the user may listen to a channel or pattern. */
export function maySubscribe(user: User, name: string, isPattern: boolean): boolean {
  return (
    user.unrestricted ||
    user.allSelectors.some((selector) => selector.allowsChannel(name, isPattern))
  );
}

/** Argument numbers of the keys, and what the command does with each; null: cannot be told. */
export function keysWithFlags(
  command: Command,
  args: Args,
): [at: number, flags: KeyFlags][] | null {
  if (WITHOUT_KEYS.has(command.name)) return [];
  const places = findKeys(command, args);
  if (places === null) return null;
  const flags = flagsFor(command, args);
  return places.map((at, i) => [at, flags[Math.min(i, flags.length - 1)]]);
}

function checkSelector(selector: Selector, entry: Entry, args: Args): Refusal | null {
  const { command } = entry;
  if (!mayRun(selector, entry, args)) return { weight: COMMAND, at: 0 };
  if (!selector.allKeys) {
    for (const [at, flags] of keysWithFlags(command, args) ?? []) {
      if (!selector.allowsKey(args.text(at), rightsOf(flags))) return { weight: KEY, at };
    }
  }
  const channels = channelsByName[command.name];
  if (channels === undefined || selector.allChannels) return null;
  const last = channels.last < 0 ? args.count - 1 : channels.last;
  for (let at = channels.first; at <= last; at++) {
    if (!selector.allowsChannel(args.text(at), channels.isPattern)) {
      return { weight: CHANNEL_REFUSED, at };
    }
  }
  return null;
}

function mayRun(selector: Selector, { command, bits }: Entry, args: Args): boolean {
  if (selector.allCommands || (bits & NO_AUTH) !== 0 || selector.commands.has(command)) return true;
  const words = selector.firstArguments.get(command);
  return words !== undefined && args.count > 1 && words.has(args.text(1).toLowerCase());
}

/** Rights that a pattern must give for a key that is touched so. */
function rightsOf(flags: KeyFlags): number {
  const read = flags.includes('access') ? READ : 0;
  return /insert|update|delete/.test(flags) ? read | WRITE : read;
}

/** SET and BITFIELD touch their key as their options say. */
function flagsFor(command: Command, args: Args): readonly KeyFlags[] {
  if (command.name === 'SET') {
    for (let i = 3; i < args.count; i++) {
      if (args.equalsIgnoreCase(i, 'GET')) return ['RW access update'];
    }
    return ['OW update'];
  }
  if (command.name === 'BITFIELD' && onlyGets(args)) return ['RO access'];
  return keyFlagsOf(command);
}

function onlyGets(args: Args): boolean {
  for (let i = 2; i < args.count; i++) {
    if (args.equalsIgnoreCase(i, 'SET') || args.equalsIgnoreCase(i, 'INCRBY')) return false;
  }
  return true;
}
