/**
 * What Bun's sockets hand over is a copy in memory of its own, which goes back only when the collector
 * comes by. Under a load of large values that is soon some tens of MB: each chunk lies on pages that the
 * system has to find and clear anew. Given back at once, the next chunk gets the same memory.
 *
 * Measured with SET of 16 KB, unpipelined: 3.7 page faults a command instead of 4.9.
 */

/** Smaller ones cost less to keep than to give back. */
const GIVEN_BACK_BYTES_MIN = 8192;
const isBun = 'Bun' in globalThis;

/** Frees a received chunk. Nothing may look at it any more. */
export function giveBack(chunk: Uint8Array): void {
  const { buffer, length } = chunk;
  // Node's chunks may share a buffer with others.
  if (!isBun || length < GIVEN_BACK_BYTES_MIN || length !== buffer.byteLength) return;
  (buffer as ArrayBuffer).transfer(0);
}
