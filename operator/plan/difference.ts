/**
 * Does a live object still hold everything that the operator wants of it?
 *
 * The API server adds defaults, so the live object has more fields; what counts is that every
 * wanted field is there with the wanted value. Quantities are compared by amount, because the
 * server rewrites them ("1024Mi" comes back as "1Gi").
 */
import { parseBytes } from '../api/quantity.ts';

const QUANTITY_PARENTS = new Set(['requests', 'limits']);

/** Path of the first wanted field that the live value lacks or has otherwise, or null. */
export function findDifference(wanted: unknown, live: unknown, path = ''): string | null {
  if (wanted === undefined) return null;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return path;
    return firstOf(wanted.map((item, i) => () => findDifference(item, live[i], `${path}[${i}]`)));
  }
  if (wanted !== null && typeof wanted === 'object') {
    if (live === null || typeof live !== 'object') return path;
    return firstOf(
      Object.entries(wanted).map(
        ([key, value]) =>
          () =>
            findDifference(
              value,
              (live as Record<string, unknown>)[key],
              path === '' ? key : `${path}.${key}`,
            ),
      ),
    );
  }
  if (wanted === live) return null;
  return isQuantity(path) && sameAmount(wanted, live) ? null : path;
}

function firstOf(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const found = check();
    if (found !== null) return found;
  }
  return null;
}

function isQuantity(path: string): boolean {
  const parts = path.split('.');
  return QUANTITY_PARENTS.has(parts[parts.length - 2]) || path.endsWith('.sizeLimit');
}

function sameAmount(a: unknown, b: unknown): boolean {
  const [left, right] = [parseBytes(String(a)), parseBytes(String(b))];
  return left !== null && left === right;
}
