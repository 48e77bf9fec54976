/**
 * Kubernetes quantities ("512Mi", "2G", "100m") and Go durations ("5m", "1h30m") as numbers.
 *
 * Only the suffixes that make sense for bytes and time are understood; everything else is null,
 * so that a caller must say what a bad value means.
 */

const BYTES_PER_SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

const MS_PER_UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };

/** What a byte quantity may look like in the resource; the CRD uses the same pattern. */
export const QUANTITY_PATTERN = '^[0-9]{1,12}(\\.[0-9]{1,3})?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$';

/** What a duration may look like in the resource; the CRD uses the same pattern. */
export const DURATION_PATTERN = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$';

/** Bytes of a quantity such as "512Mi", or null when it is not a byte quantity. */
export function parseBytes(quantity: string): number | null {
  const match = /^([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)$/.exec(quantity);
  if (match === null) return null;
  const unit = BYTES_PER_SUFFIX[match[2]];
  return unit === undefined ? null : Math.round(Number(match[1]) * unit);
}

/** Bytes of a quantity that validation has already accepted; throws when it has not. */
export function getBytes(quantity: string): number {
  const bytes = parseBytes(quantity);
  if (bytes === null) throw new Error(`not a byte quantity: ${quantity}`);
  return bytes;
}

/** The shortest binary quantity for a number of bytes, as the API server itself would write it. */
export function formatBytes(bytes: number): string {
  for (const suffix of ['Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
    const unit = BYTES_PER_SUFFIX[suffix];
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return String(bytes);
}

/** Milliseconds of a duration such as "5m" or "1h30m", or null when it is not one. */
export function parseDurationMs(duration: string): number | null {
  if (duration === '' || !new RegExp(DURATION_PATTERN).test(duration)) return null;
  let totalMs = 0;
  for (const part of duration.matchAll(/([0-9]+)([hms])/g)) {
    totalMs += Number(part[1]) * MS_PER_UNIT[part[2]];
  }
  return totalMs;
}
