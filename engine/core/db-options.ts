/** What a database is made with. */

export interface DbOptions {
  /** Uniform in [0, 1): for the hash of keys, RANDOMKEY, SRANDMEMBER, SPOP. */
  random: () => number;
  /** Number of this member's region: it expires at once what its own TTL writes decide. */
  region: number;
  /** Bytes; 0 or absent: no limit. */
  maxMemoryBytes?: number;
  /** False: sets and hashes are JavaScript objects, for comparison. */
  packing?: boolean;
  /** Larger sets and hashes are tables; at most PACKED_ELEMENTS_MAX, which is the default. */
  blockElementsMax?: number;
  /** What `hugePageAdvice()` returned; absent: memory as it comes. */
  adviseMemory?: ((buffer: ArrayBuffer) => void) | null;
}
