/** One command in the form of COMMAND INFO, and where the keys of a request are. */

import { categoriesOf } from '../acl/categories.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';

import type { Command, KeyRange } from './table.ts';

/** Writes the ten fields of COMMAND INFO. */
export function writeCommand(output: ReplyWriter, command: Command): void {
  const { keys } = command;
  output.array(10);
  output.bulk(command.name.toLowerCase());
  output.integer(command.arity);
  writeWords(output, command.flags);
  output.integer(keys?.first ?? 0);
  output.integer(keys?.last ?? 0);
  output.integer(keys?.step ?? 0);
  writeWords(
    output,
    categoriesOf(command).map((category) => `@${category}`),
  );
  output.array(0);
  output.array(0);
  output.array(command.subcommands?.length ?? 0);
  for (const subcommand of command.subcommands ?? []) writeCommand(output, subcommand);
}

function writeWords(output: ReplyWriter, words: readonly string[]): void {
  output.set(words.length);
  for (const word of words) output.simple(word);
}

/** Whether a command may have keys at all. */
export function hasKeys({ keys, keyCountAt, keysAfter }: Command): boolean {
  return keys !== null || keyCountAt !== undefined || keysAfter !== undefined;
}

/** Argument numbers of a request's keys; null: the counted keys are not all there. */
export function findKeys(command: Command, args: Args): number[] | null {
  const { keys, keyCountAt } = command;
  const counted: number[] = [];
  if (keyCountAt !== undefined) {
    const count = args.integer(keyCountAt);
    if (!(count > 0) || keyCountAt + count >= args.count) return null;
    for (let i = 1; i <= count; i++) counted.push(keyCountAt + i);
  }
  if (command.keysAfter !== undefined) return keysAfterWord(command.keysAfter, args);
  if (keys === null) return counted;
  const last = keys.last < 0 ? args.count + keys.last : keys.last;
  const found: number[] = [];
  for (let i = keys.first; i <= last; i += keys.step) found.push(i);
  const after = keyAfterWord(command.keyAfter ?? null, keys, args);
  if (after > 0) found.push(after);
  return [...found, ...counted];
}

/** Words of options with so many arguments, which may look like the word that is sought. */
const OPTION_ARGUMENTS: Readonly<Record<string, number>> = {
  ...{ BLOCK: 1, COUNT: 1, GROUP: 2, NOACK: 0 },
  ...{ LIMIT: 2, GET: 1, BY: 1 },
};

/**
 * The first half of the arguments behind a word; null: there is no such word, or they are not two halves.
 * Who asks for rights must look where the command does: a group may be named like the word.
 */
export function keysAfterWord(word: string, args: Args): number[] | null {
  let at = 1;
  while (at < args.count && !args.equalsIgnoreCase(at, word)) {
    const skipped = OPTION_ARGUMENTS[args.text(at).toUpperCase()];
    // What the command does not know it refuses.
    if (skipped === undefined) return null;
    at += 1 + skipped;
  }
  const behind = args.count - at - 1;
  if (behind <= 0 || behind % 2 !== 0) return null;
  return Array.from({ length: behind / 2 }, (_, i) => at + 1 + i);
}

/** The argument behind the last of these words in a request; 0: there is none. */
export function keyAfterWord(words: readonly string[] | null, keys: KeyRange, args: Args): number {
  if (words === null) return 0;
  let found = 0;
  for (let i = keys.last + 1; i + 1 < args.count; i++) {
    const word = args.text(i).toUpperCase();
    if (words.includes(word)) {
      i++;
      found = i;
    } else {
      i += OPTION_ARGUMENTS[word] ?? 0;
    }
  }
  return found;
}
