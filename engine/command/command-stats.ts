/**
 * How often a command ran and how long it took: for INFO commandstats and latencystats, LATENCY
 * HISTOGRAM, SLOWLOG and LATENCY.
 *
 * Reading a clock costs a tenth of a pipelined GET, twice for each command. So commands that may take
 * long are all timed: those that are not `fast`, and any with many arguments or bytes. Of small `fast`
 * ones every 128th is, and stands for those before it; all are while SLOWLOG or LATENCY ask for times
 * that such commands could take.
 */
import type { Args } from '../resp/args.ts';

/** Of small fast commands, one in so many is timed; a power of two. */
const SAMPLED = 128;
/** A command with more arguments or bytes may take long. */
const SMALL_ARGUMENTS = 8;
const SMALL_BYTES = 4096;
/** Buckets of a histogram: so many for each doubling, from 2^-4 µs up. */
const PER_DOUBLING = 8;
const LOWEST_EXPONENT = -4;
const BUCKETS = PER_DOUBLING * 36;

export class CommandStats {
  calls = 0;
  microseconds = 0;
  /** Refused before they ran, and answered by an error when they ran. */
  rejected = 0;
  failed = 0;
  private readonly isFast: boolean;
  /** Calls since the last one that was timed. */
  private untimed = 0;
  private histogram: Float64Array | null = null;
  private timed = 0;

  constructor(isFast: boolean) {
    this.isFast = isFast;
  }

  /** Counts a call; true: it is to be timed. */
  count(args: Args): boolean {
    this.calls++;
    this.untimed++;
    return (
      !this.isFast ||
      (this.calls & (SAMPLED - 1)) === 1 ||
      args.count > SMALL_ARGUMENTS ||
      args.end[args.count - 1] - args.start[0] > SMALL_BYTES
    );
  }

  /** A call was timed: it stands for those before it that were not. */
  time(microseconds: number, keepsHistogram: boolean): void {
    const weight = this.untimed;
    this.untimed = 0;
    this.microseconds += microseconds * weight;
    if (!keepsHistogram) return;
    this.histogram ??= new Float64Array(BUCKETS);
    this.histogram[bucketOf(microseconds)] += weight;
    this.timed += weight;
  }

  reset(): void {
    this.calls = 0;
    this.microseconds = 0;
    this.rejected = 0;
    this.failed = 0;
    this.untimed = 0;
    this.histogram = null;
    this.timed = 0;
  }

  /** The time in µs that so many percent of the calls did not exceed; 0: nothing was timed. */
  percentile(percent: number): number {
    if (this.histogram === null) return 0;
    const wanted = (this.timed * percent) / 100;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.histogram[i];
      if (seen >= wanted) return upperEnd(i);
    }
    return upperEnd(BUCKETS - 1);
  }

  /** Calls up to 2^n µs, for each n at which there are more than at the last. */
  cumulative(): [microseconds: number, calls: number][] {
    const found: [number, number][] = [];
    let seen = 0;
    for (let i = 0; i < BUCKETS && this.histogram !== null; i++) {
      seen += this.histogram[i];
      const isPower = (i + 1) % PER_DOUBLING === 0;
      const end = upperEnd(i);
      if (isPower && end >= 1 && seen > (found.at(-1)?.[1] ?? 0)) found.push([end, seen]);
    }
    return found;
  }
}

function bucketOf(microseconds: number): number {
  if (microseconds <= 2 ** LOWEST_EXPONENT) return 0;
  const place = Math.ceil((Math.log2(microseconds) - LOWEST_EXPONENT) * PER_DOUBLING) - 1;
  return Math.min(BUCKETS - 1, place);
}

/** The longest time that a bucket counts, in µs. */
function upperEnd(bucket: number): number {
  return 2 ** (LOWEST_EXPONENT + (bucket + 1) / PER_DOUBLING);
}
