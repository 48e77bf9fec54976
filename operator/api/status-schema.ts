/** The status of the resource: what the operator found out, and the persisted part of the map. */
import { z } from 'zod';

const text = (max: number, description: string) => z.string().max(max).describe(description);
const number = (description: string) =>
  z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe(description);
const instant = (description: string) => z.iso.datetime().describe(description);

const condition = z.object({
  type: text(316, 'Name of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: text(1024, 'One word, for programs.'),
  message: text(32768, 'A sentence, for people.'),
  observedGeneration: number('The generation it was computed for.').optional(),
  lastTransitionTime: instant('When status last changed.'),
});

const member = z.object({
  name: text(253, 'Pod of the member.'),
  node: text(253, 'Node of the pod, empty while it has none.'),
  zone: text(253, 'Zone of the node, empty when unknown.'),
  role: z.enum(['primary', 'replica']).describe('What the map says.'),
  up: z.boolean().describe('Whether it answers on the data path.'),
  lagOps: number('Ops that the primary has and it has not.').optional(),
  memoryBytes: number('Memory used by data, in steps of 1 MiB.').optional(),
});

const shard = z.object({
  slots: text(11, 'Hash slots, first-last.'),
  epoch: number('Grows with each change of the primary.'),
  primary: text(253, 'Member that takes the writes; empty before the first election.'),
  members: z.array(member).max(6).default([]).describe('Members of the shard.'),
});

const region = z.object({
  name: text(40, 'Name of the region.'),
  number: number('Number of the region.'),
  connected: z.boolean().describe('Whether every shard exchanges ops with it.'),
  lagMs: number('Age of the oldest op that this region still lacks, rounded up to a step.'),
  lagOps: number('Ops of that region that this region still lacks.'),
  pendingOps: number('Own ops that the region has not confirmed.'),
});

const failover = z.object({
  shard: number('Number of the shard.'),
  from: text(253, 'Primary before.'),
  to: text(253, 'Primary after.'),
  reason: text(64, 'Why, in one word.'),
  suspectedAt: instant('First failed probe.').optional(),
  decidedAt: instant('The new map was recorded.'),
  promotedAt: instant('The new primary took the map.').optional(),
  routedAt: instant('Every reachable proxy routes to it.').optional(),
  firstWriteAt: instant('The new primary took its first write.').optional(),
});

const loss = z.object({
  lose: text(260, 'What is lost: zone/NAME or node/NAME.'),
  writers: number('Shards that would still have a member to take writes.'),
  lastCopies: number('Shards that would have no copy left in this region.'),
});

const plannedStep = z.object({
  step: text(32, 'Kind of the step.'),
  object: text(300, 'What it touches.'),
  reason: text(1024, 'Why.'),
});

/** The status of the resource. */
export const statusSchema = z.object({
  observedGeneration: number('The generation of the spec that this status describes.').optional(),
  shardsReady: text(16, 'Shards with a primary that answers, of all.').optional(),
  regionsConnected: text(16, 'Other regions connected, of all.').optional(),
  worstLag: text(32, 'Largest lag behind another region.').optional(),
  mapVersion: number('Version of the map that was last recorded.').optional(),
  mapDigest: text(64, 'Digest of the content of that version.').optional(),
  conditions: z.array(condition).max(32).default([]).describe('See docs: conditions.'),
  regions: z.array(region).max(16).default([]).describe('Links to the other regions.'),
  shards: z.array(shard).max(128).default([]).describe('Shards of this region.'),
  survivability: z
    .array(loss)
    .max(512)
    .default([])
    .describe('What happens if one zone or node is lost now.'),
  failovers: z.array(failover).max(10).default([]).describe('The last ten, newest first.'),
  plan: z.array(plannedStep).max(128).optional().describe('In mode Plan: what would be done.'),
});

export type Status = z.output<typeof statusSchema>;
export type Condition = z.output<typeof condition>;
export type ShardStatus = z.output<typeof shard>;
export type MemberStatus = z.output<typeof member>;
export type RegionStatus = z.output<typeof region>;
export type FailoverRecord = z.output<typeof failover>;
export type Loss = z.output<typeof loss>;
export type PlannedStep = z.output<typeof plannedStep>;
