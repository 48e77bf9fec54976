/**
 * Amounts: what counters add up. Sums must not depend on the order in which regions' parts
 * arrive, so they are exact: a safe integer as a JS number (nearly always), anything else as a
 * bigint that counts units of 1e-17, the last digit that Redis prints of a float (%.17Lf).
 *
 * One value has one form: a bigint that is a whole safe integer is normalised to the number.
 */

/** A safe integer, or a bigint in units of 1e-17. */
export type Amount = number | bigint;

export const AMOUNT_SCALE = 17;
export const UNITS_PER_ONE = 10n ** 17n;
export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

const SAFE_MAX_UNITS = BigInt(Number.MAX_SAFE_INTEGER) * UNITS_PER_ONE;

/** The amount in units of 1e-17. */
export function toUnits(amount: Amount): bigint {
  return typeof amount === 'bigint' ? amount : BigInt(amount) * UNITS_PER_ONE;
}

/** The normal form of a number of units. */
export function fromUnits(units: bigint): Amount {
  if (units > SAFE_MAX_UNITS || units < -SAFE_MAX_UNITS) return units;
  return units % UNITS_PER_ONE === 0n ? Number(units / UNITS_PER_ONE) : units;
}

/** The amount of a whole number of any size. */
export function fromInteger(whole: bigint): Amount {
  return fromUnits(whole * UNITS_PER_ONE);
}

export function addAmounts(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    // A sum of safe integers that is itself safe is exact. Adding 0 turns -0 into 0.
    if (Number.isSafeInteger(sum)) return sum + 0;
  }
  return fromUnits(toUnits(a) + toUnits(b));
}

export function negateAmount(amount: Amount): Amount {
  return typeof amount === 'bigint' ? -amount : 0 - amount;
}

export function subtractAmounts(a: Amount, b: Amount): Amount {
  return addAmounts(a, negateAmount(b));
}

export function isWhole(amount: Amount): boolean {
  return typeof amount === 'number' || amount % UNITS_PER_ONE === 0n;
}

/** Whether the amount is an integer that Redis' int64 holds. */
export function isInt64(amount: Amount): boolean {
  if (typeof amount === 'number') return true;
  if (amount % UNITS_PER_ONE !== 0n) return false;
  const whole = amount / UNITS_PER_ONE;
  return whole <= INT64_MAX && whole >= INT64_MIN;
}

/** The nearest int64 of a whole amount; others come back as they are. */
export function clampInt64(amount: Amount): Amount {
  if (typeof amount === 'number' || !isWhole(amount)) return amount;
  const whole = amount / UNITS_PER_ONE;
  if (whole > INT64_MAX) return fromInteger(INT64_MAX);
  return whole < INT64_MIN ? fromInteger(INT64_MIN) : amount;
}

/** Whether this is the one normal form of its value (peers are checked with it). */
export function isNormalAmount(amount: Amount): boolean {
  if (typeof amount === 'bigint') return fromUnits(amount) === amount;
  return Number.isSafeInteger(amount) && !Object.is(amount, -0);
}
