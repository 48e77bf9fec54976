/**
 * Shell: random commands against a real redis-server, segment by segment, each from an empty database.
 * A segment that differs is shrunk to a short script, printed as a case for
 * engine/command/redis-cases.ts.
 */
import { type Grammar, parseGrammar } from '../command/argument-grammar.ts';
import type { RedisConnection } from '../command/redis-process.ts';
import { seededRandom } from '../command/session-fixture.ts';
import { type Command, commandTable } from '../command/table.ts';
import { allowedFor } from './allowed-table.ts';
import { type Draw, drawFrom } from './kinds.ts';
import { type Difference, encode, type Fault, play } from './play.ts';
import { type DrawnCommand, randomCommand } from './random-command.ts';

export const SEGMENT = 1000;

export type Finding = Difference & {
  readonly seed: number;
  /** Shrunk: the last command differs. */
  readonly script: readonly (readonly string[])[];
};

/** One command in so many opens or ends a transaction. */
const TRANSACTIONS = 16;
const FLUSHES = 20;

type Drawable = DrawnCommand & { readonly full: string };

/** The commands that are drawn: those with a grammar that Redis knows and that may be compared. */
export async function drawable(redis: RedisConnection): Promise<readonly Drawable[]> {
  const all = allCommands().filter(
    ({ name, args, run }) => run !== undefined && args !== undefined && !allowedFor(name)?.skip,
  );
  redis.write(encode(['COMMAND', 'INFO', ...all.map(({ name }) => name.toLowerCase())]));
  const known = await redis.next();
  if (known.kind !== 'array') throw new Error('COMMAND INFO answered no array');
  return all
    .filter((_, i) => known.items[i].kind === 'array')
    .map(({ name, group, args }) => ({
      full: name,
      name: name.split('|'),
      group,
      grammar: parseGrammar(args as string) as Grammar,
    }));
}

/** Every command of the table, subcommands included. */
export function allCommands(): Command[] {
  return [...commandTable.values()].flatMap((one) => [one, ...(one.subcommands ?? [])]);
}

/** Plays one segment; null: nothing differed. The same seed draws the same commands. */
export async function playSegment(
  redis: RedisConnection,
  commands: readonly Drawable[],
  seed: number,
  fault?: Fault,
): Promise<Finding | null> {
  const draw = drawFrom(seededRandom(seed));
  const script = drawScript(draw, commands, SEGMENT);
  const protocol = seed % 2 === 0 ? 2 : 3;
  const found = await play(redis, protocol, script, draw, fault);
  if (found === null) return null;
  const name = found.words[0].toUpperCase();
  const fails = async (tried: readonly (readonly string[])[]): Promise<Difference | null> => {
    if (mayBlock(tried)) return null;
    const again = await play(redis, protocol, tried, drawFrom(seededRandom(seed)), fault);
    return again !== null && again.words[0].toUpperCase() === name ? again : null;
  };
  const short = await shrink(script.slice(0, found.at + 1), fails);
  const last = (await fails(short)) ?? found;
  return { ...last, seed, script: short };
}

const BLOCKING = /^B([LR]POP|RPOPLPUSH|LMOVE|LMPOP|ZM?POP)/i;

/** Whether a command that blocks has lost its MULTI: on a real server it would. */
function mayBlock(script: readonly (readonly string[])[]): boolean {
  let queueing = false;
  for (const [name, ...rest] of script) {
    if (/^multi$/i.test(name) && rest.length === 0) queueing = true;
    if (/^(exec|discard)$/i.test(name)) queueing = false;
    if (BLOCKING.test(name) && !queueing) return true;
  }
  return false;
}

function drawScript(draw: Draw, commands: readonly Drawable[], length: number): string[][] {
  const script: string[][] = [];
  let queueing = false;
  while (script.length < length) {
    if (draw.below(TRANSACTIONS) === 0) {
      const word = queueing ? draw.pick(['EXEC', 'EXEC', 'DISCARD']) : 'MULTI';
      queueing = !queueing;
      script.push([word]);
      continue;
    }
    const command = draw.pick(commands);
    if (/^FLUSH/.test(command.full) && draw.below(FLUSHES) > 0) continue;
    const words = randomCommand(draw, command);
    const { tame } = allowedFor(command.full) ?? {};
    script.push(...(tame === undefined ? [words] : tame(words, draw)));
  }
  return script;
}

/** Leaves away what is not needed: halves, quarters … single commands, then single words. */
async function shrink(
  script: readonly (readonly string[])[],
  fails: (script: readonly (readonly string[])[]) => Promise<Difference | null>,
): Promise<readonly (readonly string[])[]> {
  let held = script;
  const accepts = async (tried: readonly (readonly string[])[]): Promise<boolean> => {
    const difference = await fails(tried);
    if (difference === null) return false;
    held = tried.slice(0, difference.at + 1);
    return true;
  };
  for (let size = Math.ceil(held.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < held.length; ) {
      const tried = [...held.slice(0, from), ...held.slice(from + size)];
      if (!(await accepts(tried))) from += size;
    }
  }
  for (let i = 0; i < held.length; i++) {
    for (let word = 1; word < (held[i]?.length ?? 0); ) {
      const shorter = held[i].filter((_, k) => k !== word);
      const tried = held.map((words, k) => (k === i ? shorter : words));
      if (!(await accepts(tried))) word++;
    }
  }
  return held;
}

/** The script as a case that can be pasted into redis-cases.ts. */
export function asCase(finding: Finding): string {
  const line = (words: readonly string[]): string => {
    const shown = words.map((word) =>
      /^[\w:{}.+*?^$#@!,;=~<>()/&%|-]+$/.test(word) ? word : asciiJson(word),
    );
    return `    same ${shown.join(' ')}`;
  };
  return [
    `  // Ours ${finding.ours}, Redis ${finding.theirs}`,
    `  'difference of seed ${finding.seed} at ${finding.words[0]}': play(\``,
    ...finding.script.map(line),
    '  `),',
  ].join('\n');
}

/** A word as JSON within a template literal: nothing but printable ASCII, backslashes doubled. */
function asciiJson(word: string): string {
  const json = JSON.stringify(word).replace(/[^ -~]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return json.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
}
