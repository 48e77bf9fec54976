/** Numbers as C's printf writes them. */

/** `%.<digits>g`: the shortest of fixed and exponential notation, without trailing zeros. */
export function formatG(value: number, digits: number): string {
  if (Number.isNaN(value)) return Object.is(Math.sign(value), -0) ? '-nan' : 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Number.isInteger(value) && Math.abs(value) < 10 ** Math.min(digits, 15)) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  const [mantissa, power] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? '-' : '+';
    return `${trimZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return trimZeros(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** As C casts a double to a 64-bit integer on the machines that Redis runs on. */
export function toInt64(value: number): number | bigint {
  if (Number.isSafeInteger(value)) return value;
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return whole + 0;
  if (Number.isNaN(whole) || whole >= 2 ** 63 || whole < -(2 ** 63)) return -(2n ** 63n);
  return BigInt(whole);
}
