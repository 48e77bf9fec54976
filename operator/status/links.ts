/** Links to the other regions, as the primaries of this region report them. */

import type { Spec } from '../api/schema.ts';
import type { RegionStatus } from '../api/status-schema.ts';
import { isUp, type Observed, type PeerReport } from '../plan/observed.ts';

const LAG_STEPS_MS = [0, 10, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

/**
 * One entry for each other region: connected when every shard is, the worst age, the sums of ops.
 * Empty until the first primary has reported.
 */
export function regionLinks(spec: Spec, own: string, observed: Observed): RegionStatus[] {
  const primaries = observed.pods.filter(
    (pod) => isUp(pod) && pod.health.report?.role === 'primary',
  );
  if (primaries.length === 0) return [];
  return spec.regions
    .filter(({ name }) => name !== own)
    .map(({ name, number }) => {
      const links = primaries.map((pod) =>
        pod.health.report?.peers.find(({ region }) => region === name),
      );
      const known = links.filter((link): link is PeerReport => link !== undefined);
      return {
        name,
        number,
        connected: links.every((link) => link?.connected === true && !link.paused),
        lagMs: lagStep(Math.max(0, ...known.map(({ lagMs }) => lagMs))),
        lagOps: sum(known.map(({ lagOps }) => lagOps)),
        pendingOps: sum(known.map(({ pendingOps }) => pendingOps)),
      };
    });
}

/** Lag rounded up to a step, so that status does not change with every ping. */
export function lagStep(lagMs: number): number {
  const step = LAG_STEPS_MS.find((ms) => lagMs <= ms);
  return step ?? Math.ceil(lagMs / 60_000) * 60_000;
}

/** The largest lag in words, for people. */
export function worstLag(regions: readonly RegionStatus[]): string {
  if (regions.length === 0) return '-';
  const lagMs = Math.max(...regions.map((region) => region.lagMs));
  return lagMs < 1_000 ? `${lagMs}ms` : `${lagMs / 1_000}s`;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + Math.max(0, Math.round(value)), 0);
