/**
 * Seeds that once found something, each with what it found. `sim.test.ts` runs them all, for ever.
 * A change of the simulator changes what a seed does, so a kept seed is no proof that a bug is gone:
 * the bug's own test is. They stay because they made trouble once and may again.
 */

export type KeptSeed = { readonly seed: number; readonly found: string };

export const keptSeeds: readonly KeptSeed[] = [
  {
    seed: 476,
    found: 'recovery brought back half of a state merge: a torn write had split its outcome',
  },
  {
    seed: 582,
    found: 'a segment that a killed process left unsynced was torn later, under synced ones',
  },
  {
    seed: 770,
    found: 'the same after a failed fsync: what was read back at start was taken for synced',
  },
  {
    seed: 1065,
    found: 'a disk that failed while the map was stored did not end the process in words',
  },
  {
    seed: 342,
    found: 'slots stayed ahead of the vector after a merge that was cut off, until 64 more batches',
  },
  ...[7201796, 7202703, 7202791, 7203925].map((seed) => ({
    seed,
    found:
      'slots of a state were captured after its vector: a write over them came before its cause',
  })),
  ...[1795440354970, 1795440358557, 1795440360559, 7300738, 7301845].map((seed) => ({
    seed,
    found: 'a state merge lost a reset that a third region kept: a counter differed for good',
  })),
  {
    seed: 43000168,
    found: 'an empty member took two states at once: the older replaced a slot of the newer',
  },
  {
    seed: 1000,
    found: 'the same within a region: an empty slot of the older state emptied one of the newer',
  },
  ...[20214, 8300289, 42001406].map((seed) => ({
    seed,
    found:
      'an image outlived the log that it needs on a disk that lied: the member served parts of transactions',
  })),
  {
    seed: 61000216,
    found: 'a replica, once a primary, had slots ahead that nobody else knew of, and kept them so',
  },
];
