/**
 * The cursor of SCAN through a proxy: the shard being scanned and that shard's own cursor, in one
 * decimal number, because clients treat cursors as unsigned 64-bit integers.
 *
 *     cursor = inner * 1024 + index of the shard        0: begin, and at the end
 *
 * A shard's cursor stays below 2^53, so the whole fits. After the last key of a shard comes inner 0
 * of the next one, which is not 0 as a whole.
 */

const SHARDS = 1024n;
const INNER_MAX = 2n ** 53n;

export type ScanCursor = { readonly shard: number; readonly inner: bigint };

/** Null when it is no cursor that a proxy with so many shards has given. */
export function readCursor(text: string, shards: number): ScanCursor | null {
  if (!/^\d{1,20}$/.test(text)) return null;
  const value = BigInt(text);
  const shard = Number(value % SHARDS);
  const inner = value / SHARDS;
  return shard < shards && inner <= INNER_MAX ? { shard, inner } : null;
}

/** The cursor to answer after `shard` answered `inner`. */
export function nextCursor(shard: number, inner: bigint, shards: number): string {
  if (inner !== 0n) return String(inner * SHARDS + BigInt(shard));
  return shard + 1 < shards ? String(shard + 1) : '0';
}
