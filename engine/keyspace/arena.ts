/**
 * Memory for small blocks outside the JS heap.
 *
 * The question: millions of records of some 50 to 200 bytes, made and freed all the time, without
 * one JS object each. The answer: a few large ArrayBuffers ("chunks"), cut into blocks of fixed
 * size classes; a freed block goes on the free list of its class and is handed out again.
 *
 *     ref (u32)   chunk index (9 bits) | offset in the chunk in units of 8 bytes (23 bits)
 *     unit        8 bytes, so that a block can hold f64 and u32 fields at aligned places
 *     class       1..16 units in steps of one, then eight steps per doubling up to 8192 units
 *     free block  u32 at offset 0: the next free block of the class
 *
 * A ref names 2^32 units = 32 GB. Chunks grow from 256 KB by doubling to 64 MB, so an empty engine
 * is small, growth never copies, and 512 chunk numbers suffice. Ref 0 is never handed out: it means
 * "none". Blocks are not coalesced: memory that one class has freed serves another one only by
 * cutting a larger block up, which is tried before a new chunk is made.
 *
 * The three arrays of views are public because the hot paths read fields in place:
 *
 *     const base = ref & UNIT_MASK, chunk = ref >>> CHUNK_SHIFT
 *     arena.f64[chunk][base + n]      the n-th unit of the block as a float
 *     arena.u32[chunk][base * 2 + n]  its n-th 32-bit word
 *     arena.u8[chunk][base * 8 + n]   its n-th byte
 */

export const CHUNK_SHIFT = 23;
export const UNIT_MASK = (1 << CHUNK_SHIFT) - 1;

const UNIT_BYTES = 8;
const CHUNK_BYTES_MIN = 256 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024 * 1024;
const CHUNKS_MAX = 512;
const SMALL_UNITS_MAX = 16;
const STEPS_PER_DOUBLING = 8;
/** Largest block in units; what is larger must live elsewhere. */
export const BLOCK_UNITS_MAX = 8192;
export const BLOCK_BYTES_MAX = BLOCK_UNITS_MAX * UNIT_BYTES;

/** Units of a block, by size class. */
export const CLASS_UNITS: Uint16Array = makeClasses();
/** Smallest class that holds so many units. */
export const CLASS_OF_UNITS: Uint8Array = makeClassIndex();
const CLASSES = CLASS_UNITS.length;

export class Arena {
  /** Buffers, as most input is, so that the hot loops see one kind of array. */
  u8: Buffer[] = [];
  u32: Uint32Array[] = [];
  f64: Float64Array[] = [];
  /** Bytes of all blocks handed out, whole size classes. */
  usedBytes = 0;
  /** Bytes of all chunks. */
  reservedBytes = 0;
  private readonly freeHeads = new Uint32Array(CLASSES);
  /** What has never been cut into blocks, or is to be cut anew, as refs: used from the front. */
  private bump = 0;
  private bumpEnd = 0;
  /** Further such runs: pairs of first and last + 1. */
  private readonly runs: number[] = [];

  private readonly advise: ((buffer: ArrayBuffer) => void) | null;

  /** `advise` is told of each chunk before it is used (see member/huge-pages.ts). */
  constructor(advise: ((buffer: ArrayBuffer) => void) | null = null) {
    this.advise = advise;
    this.addChunk();
  }

  /** A block of the class, with whatever bytes it had. Throws RangeError when 32 GB are used up. */
  allocate(sizeClass: number): number {
    const units = CLASS_UNITS[sizeClass];
    this.usedBytes += units * UNIT_BYTES;
    const ref = this.freeHeads[sizeClass];
    if (ref !== 0) {
      this.freeHeads[sizeClass] = this.u32[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) << 1];
      return ref;
    }
    if (this.bumpEnd - this.bump >= units) {
      const fresh = this.bump;
      this.bump = fresh + units;
      return fresh >>> 0;
    }
    return this.allocateSlow(sizeClass);
  }

  /** Gives a block back; `sizeClass` must be the one it was allocated with. */
  free(ref: number, sizeClass: number): void {
    this.usedBytes -= CLASS_UNITS[sizeClass] * UNIT_BYTES;
    this.pushFree(ref, sizeClass);
  }

  /**
   * Gives a large block back to be cut into small ones next, before memory that was never touched:
   * what a growing table leaves behind would else be as much again as the table.
   */
  recycle(ref: number, sizeClass: number): void {
    const units = CLASS_UNITS[sizeClass];
    this.usedBytes -= units * UNIT_BYTES;
    this.runs.push(this.bump, this.bumpEnd);
    this.bump = ref;
    this.bumpEnd = ref + units;
  }

  /** Frees everything at once; all refs are void. */
  reset(): void {
    // Detached buffers go back to the system at once; others only when the collector comes by, and
    // it does not come to a process whose JavaScript heap does not grow.
    for (const { buffer } of this.u32) (buffer as ArrayBuffer).transfer(0);
    this.u8 = [];
    this.u32 = [];
    this.f64 = [];
    this.usedBytes = 0;
    this.reservedBytes = 0;
    this.freeHeads.fill(0);
    this.runs.length = 0;
    this.bump = 0;
    this.bumpEnd = 0;
    this.addChunk();
  }

  private pushFree(ref: number, sizeClass: number): void {
    this.u32[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) << 1] = this.freeHeads[sizeClass];
    this.freeHeads[sizeClass] = ref;
  }

  private allocateSlow(sizeClass: number): number {
    const units = CLASS_UNITS[sizeClass];
    const fromRun = this.allocateFromRuns(units);
    if (fromRun !== 0) return fromRun;
    for (let larger = sizeClass + 1; larger < CLASSES; larger++) {
      const ref = this.freeHeads[larger];
      if (ref === 0) continue;
      this.freeHeads[larger] = this.u32[ref >>> CHUNK_SHIFT][(ref & UNIT_MASK) << 1];
      this.freeRun(ref + units, CLASS_UNITS[larger] - units);
      return ref;
    }
    this.freeRun(this.bump, this.bumpEnd - this.bump);
    this.addChunk();
    const fresh = this.bump;
    this.bump = fresh + units;
    return fresh >>> 0;
  }

  /** Cuts a block off another run, the newest that has room; 0: none has. */
  private allocateFromRuns(units: number): number {
    const { runs } = this;
    // The run in use is as good as empty when not even a small block fits.
    while (runs.length > 0 && this.bumpEnd - this.bump < SMALL_UNITS_MAX) {
      this.freeRun(this.bump, this.bumpEnd - this.bump);
      this.bumpEnd = runs.pop() as number;
      this.bump = runs.pop() as number;
      if (this.bumpEnd - this.bump >= units) {
        this.bump += units;
        return this.bump - units;
      }
    }
    for (let i = runs.length - 2; i >= 0; i -= 2) {
      if (runs[i + 1] - runs[i] < units) continue;
      runs[i] += units;
      return runs[i] - units;
    }
    return 0;
  }

  /** Puts a run of units on the free lists, largest blocks first. */
  private freeRun(ref: number, units: number): void {
    while (units > 0) {
      let sizeClass = CLASS_OF_UNITS[Math.min(units, BLOCK_UNITS_MAX)];
      if (CLASS_UNITS[sizeClass] > units) sizeClass--;
      this.pushFree(ref >>> 0, sizeClass);
      ref += CLASS_UNITS[sizeClass];
      units -= CLASS_UNITS[sizeClass];
    }
  }

  private addChunk(): void {
    const index = this.u8.length;
    if (index === CHUNKS_MAX) throw new RangeError('the keyspace arena is full (32 GB)');
    const bytes = Math.min(CHUNK_BYTES_MAX, CHUNK_BYTES_MIN * 2 ** Math.max(0, index - 1));
    const buffer = new ArrayBuffer(bytes);
    if (this.advise !== null) this.advise(buffer);
    this.u8.push(Buffer.from(buffer));
    this.u32.push(new Uint32Array(buffer));
    this.f64.push(new Float64Array(buffer));
    this.reservedBytes += bytes;
    // Refs are kept as non-negative doubles: chunk 256 and above would be negative as int32.
    this.bump = index * (UNIT_MASK + 1) + (index === 0 ? 1 : 0);
    this.bumpEnd = index * (UNIT_MASK + 1) + bytes / UNIT_BYTES;
  }
}

function makeClasses(): Uint16Array {
  const units: number[] = [];
  for (let u = 1; u <= SMALL_UNITS_MAX; u++) units.push(u);
  for (let base = SMALL_UNITS_MAX; base < BLOCK_UNITS_MAX; base *= 2) {
    for (let step = 1; step <= STEPS_PER_DOUBLING; step++) {
      units.push(base + (base / STEPS_PER_DOUBLING) * step);
    }
  }
  return Uint16Array.from(units);
}

function makeClassIndex(): Uint8Array {
  const index = new Uint8Array(BLOCK_UNITS_MAX + 1);
  let sizeClass = 0;
  for (let units = 1; units <= BLOCK_UNITS_MAX; units++) {
    if (CLASS_UNITS[sizeClass] < units) sizeClass++;
    index[units] = sizeClass;
  }
  return index;
}
