/**
 * Encodes commands as RESP requests: what a client sends.
 */

const CRLF = Buffer.from('\r\n');

/** One command. Strings are sent as UTF-8, numbers in decimal, bytes as they are. */
export function encodeRequest(values: readonly (string | number | bigint | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${values.length}\r\n`)];
  for (const value of values) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value), 'utf8');
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}
