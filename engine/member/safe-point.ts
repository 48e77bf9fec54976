/**
 * What of this member is applied and would survive by the fsync policy: what it may confirm to others.
 * Each turn notes what had been applied at the log's end; it counts when the log is safe up to there.
 */

import { copyVector, type VersionVector } from '../crdt/version-vector.ts';

export class SafePoint {
  private safe: VersionVector;
  /** What was applied at log positions that are not safe yet; the first one may be the last that is. */
  private readonly noted: { readonly position: number; readonly vector: VersionVector }[] = [];

  /** `vector` was read back: it is safe. */
  constructor(vector: VersionVector) {
    this.safe = copyVector(vector);
  }

  get vector(): VersionVector {
    return this.safe;
  }

  get waiting(): number {
    return this.noted.length;
  }

  /** The log ends at `position`, where `vector` has been applied, and is safe up to `safe`. */
  note(position: number, safe: number, vector: VersionVector): void {
    const { noted } = this;
    if (noted.at(-1)?.position !== position) noted.push({ position, vector: copyVector(vector) });
    while (noted.length > 1 && noted[0].position <= safe) this.safe = noted.shift()!.vector;
    if (noted[0].position <= safe) this.safe = noted[0].vector;
  }

  /** Nothing is stored, so everything is as safe as it will be. */
  follow(vector: VersionVector): void {
    this.safe = vector;
  }
}
