/** What CRDT.VERIFY says: by region, whether its slots hold what ours hold. */

/**
 *     converged    every slot was compared and is equal
 *     different    slots are not equal although both sides have applied the same ops to them
 *     busy         no difference, but some slots could not be compared: writes were always under way
 *     unreachable  the region could not be asked
 */
export type Verdict = 'converged' | 'different' | 'busy' | 'unreachable';

export type RegionReport = {
  readonly region: string;
  readonly verdict: Verdict;
  /** Slots compared and found equal. */
  readonly equalSlots: number;
  readonly differentSlots: number;
  /** Slots that could not be compared. */
  readonly busySlots: number;
  /** The first slots that differ, each with the first keys that do (JSON: latin1 bytes). */
  readonly differences: readonly SlotDifference[];
  /** Ops that one side has and the other has not, at the end. */
  readonly opsInFlight: number;
  /** Why the region could not be asked, or what hindered; '' when nothing did. */
  readonly reason: string;
};

export type SlotDifference = { readonly slot: number; readonly keys: readonly string[] };

export type VerifyReport = { readonly verdict: Verdict; readonly regions: readonly RegionReport[] };

/** Slots named in a report. */
export const DIFFERENT_SLOTS_MAX = 16;
/** Keys named of a slot. */
export const DIFFERENT_KEYS_MAX = 8;

/** Worst first. */
const VERDICTS: readonly Verdict[] = ['different', 'unreachable', 'busy', 'converged'];

export function reportOf(regions: readonly RegionReport[]): VerifyReport {
  return { verdict: worst(regions.map(({ verdict }) => verdict)), regions };
}

/** One report of those of several shards. */
export function joinReports(reports: readonly VerifyReport[]): VerifyReport {
  const names = [...new Set(reports.flatMap(({ regions }) => regions.map((r) => r.region)))];
  return reportOf(
    names.map((name) =>
      joinRegion(
        name,
        reports.flatMap(({ regions }) => regions.filter(({ region }) => region === name)),
      ),
    ),
  );
}

function joinRegion(region: string, parts: readonly RegionReport[]): RegionReport {
  const sum = (of: (part: RegionReport) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  return {
    region,
    verdict: worst(parts.map(({ verdict }) => verdict)),
    equalSlots: sum((part) => part.equalSlots),
    differentSlots: sum((part) => part.differentSlots),
    busySlots: sum((part) => part.busySlots),
    differences: parts.flatMap(({ differences }) => differences).slice(0, DIFFERENT_SLOTS_MAX),
    opsInFlight: sum((part) => part.opsInFlight),
    reason: [...new Set(parts.map(({ reason }) => reason).filter((text) => text !== ''))].join(
      '; ',
    ),
  };
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return VERDICTS.find((verdict) => verdicts.includes(verdict)) ?? 'converged';
}
