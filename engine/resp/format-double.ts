/**
 * Floats as Redis prints them: the fewest digits that read back to the same value, integers
 * without exponent or point up to 2^62, otherwise an exponent once the plain form gets long.
 */

/** Beyond this, whole numbers are no longer printed as integers (LLONG_MAX / 2 in Redis). */
const WHOLE_MAX = 2 ** 62;

/** `value` in ASCII: `3`, `0.1`, `1e+25`, `inf`, `-inf`, `nan`, `-0`. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isInteger(value) && Math.abs(value) < WHOLE_MAX) {
    return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
  }
  const sign = value < 0 ? '-' : '';
  return sign + layOut(Math.abs(value));
}

/** Lays the shortest digits out as fpconv does: `digits` times ten to the power of `scale`. */
function layOut(value: number): string {
  const [mantissa, power] = value.toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  const scale = exponent - digits.length + 1;
  if (scale >= 0 && exponent < digits.length + 7) return digits + '0'.repeat(scale);
  if (scale < 0 && (scale > -7 || Math.abs(exponent) < 4)) {
    const point = digits.length + scale;
    if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
    return `${digits.slice(0, point)}.${digits.slice(point)}`;
  }
  const tail = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${tail}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}
