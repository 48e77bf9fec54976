/**
 * Where a key stands: the answer to "find this key", passed on to whoever changes it. One such
 * object is filled in again and again, so that looking a key up allocates nothing.
 */
export type KeyPlace = {
  /** The table's hash of the key. */
  hash: number;
  /** Its entry; 0: it has none. */
  ref: number;
  slot: number;
  /** The key's bytes are `buf[start, end)`. */
  buf: Uint8Array;
  start: number;
  end: number;
};

export function newKeyPlace(): KeyPlace {
  return { hash: 0, ref: 0, slot: 0, buf: new Uint8Array(0), start: 0, end: 0 };
}
