/**
 * Plays one table against a world. What a world is made of (databases in memory, the simulator, real
 * processes) is its own affair; a table needs no more than this.
 */
import { type Reply, RespError } from '../resp/reply-parser.ts';
import { matches } from './expected-reply.ts';
import type { TableCase, TableCommand, TableRow } from './parse-tables.ts';

export interface World {
  /** In the order of their numbers. */
  readonly regions: readonly string[];
  /** Runs a command of the region's one client (RESP3) and returns its reply. */
  run(region: string, words: readonly string[]): Reply;
  /** The next message pushed to the region's client; null: none. */
  receive(region: string): Reply;
  /**
   * Exchanges everything between regions that reach each other, over others if need be.
   * Calls `changed` after each change that a client of that region could see, one by one.
   */
  sync(changed: (region: string) => void): void;
  cut(a: string, b: string): void;
  heal(a: string, b: string): void;
  /** Lets time pass everywhere; what is due happens. */
  wait(ms: number): void;
  /** Sets a region's clock that far off the others. */
  setClock(region: string, offMs: number): void;
}

/** Plays the rows in order. Null when every reply is as the table says, else what is wrong where. */
export function playCase(world: World, table: TableCase): string | null {
  const player: Player = { world, table, never: [], problem: null };
  for (const row of table.rows) {
    playRow(player, row);
    for (const region of table.regions) checkNever(player, region);
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

function playRow(player: Player, row: TableRow): void {
  const { world, table } = player;
  const { step } = row;
  switch (step.kind) {
    case 'moment':
      world.wait(1);
      runCells(player, row);
      return;
    case 'all':
      for (const region of table.regions) {
        for (const command of row.cells[0]) runOne(player, row, region, command);
      }
      return;
    case 'never':
      for (const [index, region] of table.regions.entries()) {
        for (const command of row.cells[index]) player.never.push({ region, command, row });
      }
      return;
    case 'sync':
      world.sync((region) => checkNever(player, region));
      return;
    case 'wait':
      world.wait(step.ms);
      break;
    case 'clock':
      world.setClock(step.region, step.ms);
      break;
    case 'cut':
      world.cut(...step.between);
      break;
    default:
      world.heal(...step.between);
  }
  runCells(player, row);
}

function runCells(player: Player, row: TableRow): void {
  for (const [index, region] of player.table.regions.entries()) {
    for (const command of row.cells[index]) runOne(player, row, region, command);
  }
}

function runOne(player: Player, row: TableRow, region: string, command: TableCommand): void {
  const reply = ask(player.world, region, command);
  const { expected } = command;
  const good = expected === null ? !(reply instanceof RespError) : matches(expected, reply);
  if (good || player.problem !== null) return;
  player.problem = `line ${row.line}, ${row.label}, ${region}: ${command.text}: got ${show(reply)}`;
}

function checkNever(player: Player, region: string): void {
  if (player.problem !== null) return;
  for (const { region: where, command, row } of player.never) {
    if (where !== region || command.expected === null) continue;
    const reply = ask(player.world, region, command);
    if (!matches(command.expected, reply)) continue;
    player.problem = `line ${row.line}: ${region} did answer ${command.text}`;
  }
}

function ask(world: World, region: string, command: TableCommand): Reply {
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
