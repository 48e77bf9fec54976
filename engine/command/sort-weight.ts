/** Numbers as C's strtod reads them, which SORT accepts as weights. */

const HEX = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(inity)?$/i;

/**
 * The weight in `text`, or null when it is no number or out of range. Blanks may stand in front, an
 * empty text is 0, and everything from the first NUL on is not seen.
 */
export function parseWeight(text: string): number | null {
  const seen = text.split('\0', 1)[0];
  if (seen === '') return 0;
  const trimmed = seen.replace(/^[ \t\n\v\f\r]+/, '');
  if (DECIMAL.test(trimmed)) return inRange(Number(trimmed), /[1-9]/.test(trimmed.split(/e/i)[0]));
  const infinite = INFINITE.exec(trimmed);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const hex = HEX.exec(trimmed);
  if (hex === null || hex[2] + hex[3] === '') return null;
  const [, sign, whole, fraction, exponent] = hex;
  const digits = whole + fraction;
  const power = Number(exponent ?? 0) - 4 * fraction.length;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** power;
  return inRange(sign === '-' ? -value : value, /[1-9a-f]/i.test(digits));
}

/** Null for what C calls out of range: infinity, or so small that digits are lost. */
function inRange(value: number, isNonZero: boolean): number | null {
  if (!Number.isFinite(value)) return null;
  return isNonZero && Math.abs(value) < 2.2250738585072014e-308 ? null : value;
}
