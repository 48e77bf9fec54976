/**
 * Every condition that a database can have, its reasons, and what they mean. Status, docs/api.md
 * and events use only these; there is no phase.
 */

export const CONDITIONS = {
  Ready: {
    meaning: 'Every shard has a primary that answers, and at least one proxy is ready.',
    reasons: ['Serving', 'ShardWithoutPrimary', 'NoProxyReady', 'Starting'],
  },
  Progressing: {
    meaning: 'The operator is changing something or waits for a change to finish.',
    reasons: ['UpToDate', 'Changing', 'Waiting', 'StepFailed', 'PlanOnly'],
  },
  Degraded: {
    meaning: 'A member or proxy is missing or does not answer; fewer failures can be survived.',
    reasons: ['FullRedundancy', 'MembersDown', 'ProxiesDown', 'Starting'],
  },
  Converged: {
    meaning: 'This region has the ops of every other region, and they have those of this one.',
    reasons: ['CaughtUp', 'Behind', 'RegionDisconnected', 'NoOtherRegion', 'NotKnown'],
  },
  ZonesSpread: {
    meaning: 'The members of every shard are in different zones.',
    reasons: ['Spread', 'TooFewZones', 'ZoneShared', 'ZoneKeyMissing', 'NotKnown'],
  },
  PeersConnected: {
    meaning: 'Every shard exchanges ops with every other region.',
    reasons: ['AllConnected', 'RegionDisconnected', 'NoOtherRegion', 'NotKnown'],
  },
  SpecValid: {
    meaning: 'The spec is one that can be run. While it is not, the last valid one stays in force.',
    reasons: ['Valid', 'Invalid', 'SecretMissing'],
  },
} as const satisfies Record<string, { meaning: string; reasons: readonly string[] }>;

export type ConditionType = keyof typeof CONDITIONS;
export type ReasonOf<Type extends ConditionType> = (typeof CONDITIONS)[Type]['reasons'][number];
