/**
 * Shell: plays one table against a world, which may be real processes. What a world is made of (databases in memory, the simulator, real
 * processes) is its own affair; a table needs no more than this.
 */
import { type Reply, RespError } from '../resp/reply-parser.ts';
import { matches } from './expected-reply.ts';
import type { TableCase, TableCommand, TableRow } from './parse-tables.ts';

export interface World {
  /** In the order of their numbers. */
  readonly regions: readonly string[];
  /** After *wait*, what a tick brings may be asked for again so often; 0: it is there at once. */
  readonly triesMax: number;
  /** Runs a command of the region's one client (RESP3) and returns its reply. */
  run(region: string, words: readonly string[]): Reply | Promise<Reply>;
  /** The next message pushed to the region's client; null: none. */
  receive(region: string): Reply | Promise<Reply>;
  /**
   * Exchanges everything between regions that reach each other, over others if need be.
   * Calls `changed` after each change that a client of that region could see, one by one.
   */
  sync(changed: (region: string) => Promise<void>): Promise<void>;
  cut(a: string, b: string): void;
  heal(a: string, b: string): void;
  /** Lets time pass everywhere; what is due happens. */
  wait(ms: number): void | Promise<void>;
  /** Sets a region's clock that far off the others. */
  setClock(region: string, offMs: number): void | Promise<void>;
}

/** Plays the rows in order. Null when every reply is as the table says, else what is wrong where. */
export async function playCase(world: World, table: TableCase): Promise<string | null> {
  const player: Player = { world, table, never: [], problem: null };
  for (const row of table.rows) {
    await playRow(player, row);
    for (const region of table.regions) await checkNever(player, region);
    if (player.problem !== null) return player.problem;
  }
  return null;
}

type Player = {
  readonly world: World;
  readonly table: TableCase;
  readonly never: { region: string; command: TableCommand; row: TableRow }[];
  problem: string | null;
};

async function playRow(player: Player, row: TableRow): Promise<void> {
  const { world, table } = player;
  const { step } = row;
  switch (step.kind) {
    case 'moment':
      await world.wait(1);
      await runCells(player, row);
      return;
    case 'all':
      for (const region of table.regions) {
        for (const command of row.cells[0]) await runOne(player, row, region, command);
      }
      return;
    case 'never':
      for (const [index, region] of table.regions.entries()) {
        for (const command of row.cells[index]) player.never.push({ region, command, row });
      }
      return;
    case 'sync':
      await world.sync((region) => checkNever(player, region));
      return;
    case 'wait':
      await world.wait(step.ms);
      break;
    case 'clock':
      await world.setClock(step.region, step.ms);
      break;
    case 'cut':
      world.cut(...step.between);
      break;
    default:
      world.heal(...step.between);
  }
  await runCells(player, row);
}

async function runCells(player: Player, row: TableRow): Promise<void> {
  for (const [index, region] of player.table.regions.entries()) {
    for (const command of row.cells[index]) await runOne(player, row, region, command);
  }
}

async function runOne(
  player: Player,
  row: TableRow,
  region: string,
  command: TableCommand,
): Promise<void> {
  if (player.problem !== null) return;
  const { world } = player;
  const { expected } = command;
  const isGood = (reply: Reply): boolean =>
    expected === null ? !(reply instanceof RespError) : matches(expected, reply);
  let reply = await ask(world, region, command);
  if (row.step.kind === 'wait') {
    for (let tries = 0; !isGood(reply) && tries < world.triesMax; tries++) {
      await world.wait(0);
      reply = await ask(world, region, command);
    }
  }
  if (isGood(reply)) return;
  player.problem = `line ${row.line}, ${row.label}, ${region}: ${command.text}: got ${show(reply)}`;
}

async function checkNever(player: Player, region: string): Promise<void> {
  if (player.problem !== null) return;
  for (const { region: where, command, row } of player.never) {
    if (where !== region || command.expected === null) continue;
    const reply = await ask(player.world, region, command);
    if (!matches(command.expected, reply)) continue;
    player.problem = `line ${row.line}: ${region} did answer ${command.text}`;
  }
}

function ask(world: World, region: string, command: TableCommand): Reply | Promise<Reply> {
  if (command.words[0] === 'RECEIVE') return world.receive(region);
  return world.run(region, command.words);
}

/** A reply in the notation of the tables, more or less. */
function show(reply: Reply): string {
  if (reply === null) return 'nil';
  if (reply instanceof RespError) return `error ${reply.error}`;
  if (Array.isArray(reply)) return `[${reply.map(show).join(', ')}]`;
  if (reply instanceof Map) {
    return `{${[...reply].map(([name, part]) => `${show(name)}: ${show(part)}`).join(', ')}}`;
  }
  return typeof reply === 'string' ? JSON.stringify(reply) : String(reply);
}
