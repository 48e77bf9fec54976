/**
 * Who writes in this directory, and under which actor.
 *
 * An actor is never used by two runs: a crash may have lost the end of the log after peers had got
 * it, and the same dot would then name two writes. So every start takes a new incarnation and
 * stores it, for good, before the first write.
 */

import { HLC_EPOCH_MS } from '../crdt/hlc.ts';
import { makeActorId, parseActorText } from '../crdt/roster.ts';
import type { Disk, Random } from '../env.ts';

export const IDENTITY_FILE = 'identity.json';
const FORMAT = 1;

export type Identity = {
  readonly format: number;
  readonly database: string;
  readonly region: string;
  readonly regionNumber: number;
  readonly member: string;
  readonly actor: string;
};

/** The identity stored here, null when there is none, or what is wrong with it. */
export function readIdentity(disk: Disk): Identity | null | { readonly invalid: string } {
  const size = disk.size(IDENTITY_FILE);
  if (size < 0) return null;
  try {
    const text = new TextDecoder().decode(disk.read(IDENTITY_FILE, 0, size));
    const identity = JSON.parse(text) as Identity;
    if (identity.format !== FORMAT) {
      return { invalid: `${IDENTITY_FILE} has format ${identity.format}, not ${FORMAT}` };
    }
    if (parseActorText(identity.actor) === null) return { invalid: 'its actor is no actor' };
    return identity;
  } catch (error) {
    return { invalid: `${IDENTITY_FILE} cannot be read: ${(error as Error).message}` };
  }
}

/** What of the stored identity contradicts how the engine was started; null: nothing. */
export function describeForeignIdentity(
  stored: Identity,
  wanted: { database: string; region: string; regionNumber: number },
): string | null {
  for (const name of ['database', 'region', 'regionNumber'] as const) {
    if (stored[name] === wanted[name]) continue;
    return `the directory holds ${name} "${stored[name]}", the flags say "${wanted[name]}"`;
  }
  return null;
}

export function storeIdentity(disk: Disk, identity: Omit<Identity, 'format'>): void {
  const text = `${JSON.stringify({ format: FORMAT, ...identity }, null, 2)}\n`;
  disk.replace(IDENTITY_FILE, new TextEncoder().encode(text));
}

/** A new actor id: seconds since 2024 and chance make the incarnation. */
export function newActorId(
  regionNumber: number,
  member: string,
  wallMs: number,
  random: Random,
): string {
  const seconds = BigInt(Math.max(0, Math.floor((wallMs - HLC_EPOCH_MS) / 1000))) & 0xffffffffn;
  const incarnation = (seconds << 32n) | BigInt(random.uint32());
  return makeActorId(regionNumber, memberNumber(member), incarnation);
}

/** "carts-1-2" is member 2 of shard 1: 1 × 64 + 2. A name without numbers is 0. */
export function memberNumber(name: string): number {
  const match = /-(\d+)-(\d+)$/.exec(name);
  return match ? (Number(match[1]) * 64 + Number(match[2])) & 0xffff : 0;
}
