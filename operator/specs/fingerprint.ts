/** A short, stable digest of a value: equal content gives equal text, whatever the key order. */
import { createHash } from 'node:crypto';

/** 16 hexadecimal digits of SHA-256 over canonical JSON; undefined fields do not count. */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
}

/** JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    const sorted: Record<string, unknown> = {};
    for (const key of Object.keys(part).sort()) sorted[key] = (part as never)[key];
    return sorted;
  });
}
