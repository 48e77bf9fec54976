/**
 * Amounts as text, by Redis' rules. Integers as `string2ll` takes them: no sign but a minus,
 * no leading zero, int64. Floats as `string2ld` takes them: what C's strtold reads to the end,
 * no leading space, so also ".5", "5.", "1e3", "+1" and hexadecimal "0x1.8p3". NaN and infinity
 * are no amounts here. Output as `%.17Lf` with the trailing zeros (and point) cut.
 *
 * Digits below 1e-17 are rounded, half away from zero: Redis would not print them.
 */
import {
  AMOUNT_SCALE,
  type Amount,
  fromInteger,
  fromUnits,
  INT64_MAX,
  INT64_MIN,
  UNITS_PER_ONE,
} from './amount.ts';
import type { Bytes } from './dot.ts';

/** Redis refuses longer float texts (MAX_LONG_DOUBLE_CHARS). */
const FLOAT_CHARS_MAX = 5 * 1024 - 1;
/**
 * Exponents that a long double has; beyond them strtold reports ERANGE. For values written as
 * 0.DIGITS × 10^n, and as BITS × 2^n.
 */
const DECIMAL_EXPONENT_MAX = 4933;
const DECIMAL_EXPONENT_MIN = -4949;
const BINARY_EXPONENT_MIN = -16444;
/** 1.189731495357231765e4932: the greatest long double, as a power of two that is above it. */
const MAGNITUDE_LIMIT = 2n ** 16384n * UNITS_PER_ONE;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const INFINITY = /^[+-]?inf(inity)?$/i;

/** The amount of an integer text (Redis' string2ll), or null. */
export function parseInteger(text: Bytes): Amount | null {
  if (text.length === 0 || text.length > 20 || !/^(0|-?[1-9]\d*)$/.test(text)) return null;
  if (text.length <= 15) return Number(text);
  const whole = BigInt(text);
  return whole <= INT64_MAX && whole >= INT64_MIN ? fromInteger(whole) : null;
}

/** The amount of a float text (Redis' string2ld), or null; integers are float texts too. */
export function parseAmount(text: Bytes): Amount | null {
  const integer = parseInteger(text);
  if (integer !== null) return integer;
  if (text.length === 0 || text.length > FLOAT_CHARS_MAX) return null;
  return parseDecimal(text) ?? parseHexadecimal(text);
}

/** Whether Redis reads the text as an infinite float (legal there, but no sum can use it). */
export function isInfinityText(text: Bytes): boolean {
  return INFINITY.test(text);
}

/** Whether a long double could hold it; Redis refuses increments that leave this range. */
export function isInFloatRange(amount: Amount): boolean {
  if (typeof amount === 'number') return true;
  return amount < MAGNITUDE_LIMIT && amount > -MAGNITUDE_LIMIT;
}

/** The text that Redis shows for the amount. */
export function formatAmount(amount: Amount): Bytes {
  if (typeof amount === 'number') return String(amount);
  const magnitude = amount < 0n ? -amount : amount;
  const whole = (magnitude / UNITS_PER_ONE).toString();
  const units = magnitude % UNITS_PER_ONE;
  const sign = amount < 0n ? '-' : '';
  if (units === 0n) return sign + whole;
  const fraction = units.toString().padStart(AMOUNT_SCALE, '0').replace(/0+$/, '');
  return `${sign}${whole}.${fraction}`;
}

function parseDecimal(text: Bytes): Amount | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const fraction = match[3] ?? '';
  const digits = (match[2] + fraction).replace(/^0+/, '');
  if (match[2] === '' && fraction === '') return null;
  if (digits === '') return 0;
  // The value is 0.DIGITS × 10^magnitude; an absurd exponent is refused before any big power.
  const exponent = Number(match[4] ?? 0);
  const leadingZeros = match[2].length + fraction.length - digits.length;
  const magnitude = match[2].length - leadingZeros + exponent;
  if (magnitude > DECIMAL_EXPONENT_MAX || magnitude < DECIMAL_EXPONENT_MIN) return null;
  const shift = exponent - fraction.length + AMOUNT_SCALE;
  const units =
    shift >= 0
      ? BigInt(digits) * 10n ** BigInt(shift)
      : divideRounded(BigInt(digits), 10n ** BigInt(-shift));
  return finish(units, match[1]);
}

function parseHexadecimal(text: Bytes): Amount | null {
  const match = HEXADECIMAL.exec(text);
  if (match === null) return null;
  const fraction = match[3] ?? '';
  const digits = match[2] + fraction;
  if (digits === '') return null;
  const mantissa = BigInt(`0x${digits}`);
  if (mantissa === 0n) return 0;
  const exponent = Number(match[4] ?? 0) - 4 * fraction.length;
  if (exponent > 16384 || exponent + bits(mantissa) < BINARY_EXPONENT_MIN) return null;
  const units =
    exponent >= 0
      ? (mantissa << BigInt(exponent)) * UNITS_PER_ONE
      : divideRounded(mantissa * UNITS_PER_ONE, 1n << BigInt(-exponent));
  return finish(units, match[1]);
}

function finish(units: bigint, sign: string): Amount | null {
  if (units >= MAGNITUDE_LIMIT) return null;
  return fromUnits(sign === '-' ? -units : units);
}

function bits(positive: bigint): number {
  return positive.toString(2).length;
}

/** Both positive; half away from zero. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}
