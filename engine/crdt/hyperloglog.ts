/**
 * A HyperLogLog: a union of *instances*, each named by the dot of the write that created it.
 *
 * The value of an instance only grows, so a removal cannot take back "what it has seen": it removes
 * instances as a whole, and what others add to such an instance at the same time goes with it. Delete wins.
 * An add names its instance. Ops come in causal order, so where an add arrives and its instance is not there,
 * the instance was removed, and the add is dropped: no tombstone is needed. Two regions that
 * create the key at the same time make two instances; clients see the union of both.
 *
 * `writers` keeps the last add of each actor, because the type written last shows when types clash.
 */
import type { Bytes, Dot, StampedDot } from './dot.ts';
import { hasDot } from './dot.ts';
import {
  mergeRegisters,
  NO_REGISTERS,
  type Registers,
  raise,
  unpackRegisters,
} from './registers.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** `registers` belong to the instance and are changed in place. */
export type HllInstance = StampedDot & {
  /** One of each actor that has added; never empty. */
  writers: StampedDot[];
  registers: Registers;
};

/** At most one instance of each actor. */
export type HllState = { instances: HllInstance[] };

/** Applies an add: `instance` null creates the one named by the op's own dot. */
export function addToHll(
  hll: HllState,
  stamp: StampedDot,
  instance: Dot | null,
  packed: Bytes,
): void {
  const { actor, seq, hlc } = stamp;
  if (instance === null && !hasDot(hll.instances, actor, seq)) {
    hll.instances = [
      ...hll.instances,
      { actor, seq, hlc, writers: [], registers: NO_REGISTERS as Registers },
    ];
  }
  const held = findInstance(hll, instance ?? stamp);
  if (held === null) return;
  held.registers = mergePacked(held.registers, packed);
  held.writers = withWriter(held.writers, { actor, seq, hlc });
}

/** The instance of this dot, or null. */
export function findInstance(hll: HllState, { actor, seq }: Dot): HllInstance | null {
  for (const held of hll.instances) if (held.actor === actor && held.seq === seq) return held;
  return null;
}

/** The union of all instances; not to be changed. */
export function unionOf(hll: HllState): Registers {
  const [first, ...rest] = hll.instances;
  if (rest.length === 0) return first?.registers ?? NO_REGISTERS;
  let union: Registers = first.registers.slice();
  for (const { registers } of rest) union = mergeRegisters(union, registers);
  return union;
}

/** State merge into `mine`; `theirs` is left as it was. */
export function mergeHlls(
  mine: HllState,
  mineVector: VersionVector,
  theirs: HllState,
  theirsVector: VersionVector,
): void {
  const merged: HllInstance[] = [];
  for (const held of mine.instances) {
    const other = findInstance(theirs, held);
    if (other !== null) merged.push(joinInstances(held, other));
    else if (!covers(theirsVector, held.actor, held.seq)) merged.push(held);
  }
  for (const other of theirs.instances) {
    if (findInstance(mine, other) !== null || covers(mineVector, other.actor, other.seq)) continue;
    merged.push({ ...other, registers: other.registers.slice() });
  }
  mine.instances = merged;
}

/** What both know of one instance. The registers of `mine` may be changed. */
function joinInstances(mine: HllInstance, theirs: HllInstance): HllInstance {
  let { writers } = mine;
  for (const writer of theirs.writers) writers = withWriter(writers, writer);
  return { ...mine, writers, registers: mergeRegisters(mine.registers, theirs.registers) };
}

function withWriter(writers: StampedDot[], writer: StampedDot): StampedDot[] {
  const at = writers.findIndex(({ actor }) => actor === writer.actor);
  if (at < 0) return [...writers, writer];
  if (writers[at].seq >= writer.seq) return writers;
  return writers.with(at, writer);
}

function mergePacked(registers: Registers, packed: Bytes): Registers {
  if (packed.length !== 3) return mergeRegisters(registers, unpackRegisters(packed));
  const index = (packed.charCodeAt(0) << 8) | packed.charCodeAt(1);
  return raise(registers, index, packed.charCodeAt(2));
}
