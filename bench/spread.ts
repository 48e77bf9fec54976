/**
 * Minimum, median and maximum of a handful of runs: the three figures that a claim about speed owes.
 */
export type Spread = { readonly min: number; readonly median: number; readonly max: number };

/** The spread of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { min: sorted[0] as number, median, max: sorted.at(-1) as number };
}

/** `0.91 (0.84 to 0.97)` with the given number of decimals. */
export function printSpread({ min, median, max }: Spread, decimals = 2): string {
  return `${median.toFixed(decimals)} (${min.toFixed(decimals)} to ${max.toFixed(decimals)})`;
}
