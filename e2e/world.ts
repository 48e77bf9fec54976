/**
 * Shell: what the set-up tells the features: a file, because Jest runs them apart from it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARTIFACTS, type Machine } from './cluster.ts';

export type World = {
  readonly machine: Machine;
  /** Names of the images under test as pod specs have them. */
  readonly images: { readonly engine: string; readonly operator: string };
  /** Where this run saves what it finds. */
  readonly artifacts: string;
  readonly keep: boolean;
};

const FILE = join(ARTIFACTS, 'world.json');

export function writeWorld(world: World): void {
  writeFileSync(FILE, JSON.stringify(world, null, 2));
}

export function readWorld(): World {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** Writes a line about the suite's progress. */
export function say(line: string): void {
  process.stderr.write(`e2e: ${line}\n`);
}
