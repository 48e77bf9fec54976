/**
 * The increments of actors (crdt/cell.ts) as they lie in the arena, five units each:
 *
 *     dot | f64 hlc | f64 cum | f64 floorSeq | f64 floorCum
 *
 * Only safe integers have this form; a cell with another amount, or with more actors than
 * CONTRIBUTIONS_MAX, is kept outside.
 */

import type { Cell, Contribution } from '../crdt/cell.ts';
import { type Arena, CHUNK_SHIFT } from './arena.ts';
import { CONTRIBUTION_UNITS, CONTRIBUTIONS_MAX, dotActor, dotSeq, writeDot } from './entry.ts';

/** Whether the cell has this form: at most one sibling, few actors, safe integers. */
export function isFlatCell({ siblings, contributions }: Cell): boolean {
  if (siblings.length > 1 || contributions.length > CONTRIBUTIONS_MAX) return false;
  for (const { cum, floorCum } of contributions) {
    if (typeof cum !== 'number' || typeof floorCum !== 'number') return false;
  }
  return true;
}

/** Reads `count` contributions from unit `unit` of the chunk that holds `ref` on. */
export function readContributions(
  arena: Arena,
  ref: number,
  unit: number,
  count: number,
): Contribution[] {
  const words = arena.u32[ref >>> CHUNK_SHIFT];
  const floats = arena.f64[ref >>> CHUNK_SHIFT];
  const contributions: Contribution[] = [];
  for (let i = 0; i < count; i++) {
    contributions.push({
      actor: dotActor(words, unit << 1),
      seq: dotSeq(words, unit << 1),
      hlc: floats[unit + 1],
      cum: floats[unit + 2],
      floorSeq: floats[unit + 3],
      floorCum: floats[unit + 4],
    });
    unit += CONTRIBUTION_UNITS;
  }
  return contributions;
}

/** Writes contributions of a flat cell to unit `unit` of the chunk that holds `ref` on. */
export function writeContributions(
  arena: Arena,
  ref: number,
  unit: number,
  contributions: readonly Contribution[],
): void {
  const words = arena.u32[ref >>> CHUNK_SHIFT];
  const floats = arena.f64[ref >>> CHUNK_SHIFT];
  for (const contribution of contributions) {
    writeDot(words, unit << 1, contribution.actor, contribution.seq);
    floats[unit + 1] = contribution.hlc;
    floats[unit + 2] = contribution.cum as number;
    floats[unit + 3] = contribution.floorSeq;
    floats[unit + 4] = contribution.floorCum as number;
    unit += CONTRIBUTION_UNITS;
  }
}
