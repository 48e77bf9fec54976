/**
 * PFADD, PFCOUNT and PFMERGE. For clients a HyperLogLog is a string in Redis' encoding (hyll-text.ts); a
 * string that a client has SET to such bytes is one too, and becomes an instance with the first add to it.
 */
import type { Bytes, StampedDot } from '../crdt/dot.ts';
import { unionOf } from '../crdt/hyperloglog.ts';
import { type KeyState, visiblePart } from '../crdt/key-state.ts';
import { prepareHllAdd } from '../crdt/prepare.ts';
import {
  eachRegister,
  mergeRegisters,
  NO_REGISTERS,
  packRegister,
  packRegisters,
  type Registers,
  raise,
  registerAt,
} from '../crdt/registers.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Args } from '../resp/args.ts';
import { cardinality, registerOf } from './cardinality.ts';
import { corruptHyperLogLog, notAHyperLogLog, wrongType } from './db-error.ts';
import type { Ground } from './ground.ts';
import { isHyllText, parseHyll } from './hyll-text.ts';
import { textOf } from './strings.ts';

/** PFADD of the elements from `args` 2 on. Whether the estimate may have changed, or the key is new. */
export function addElements(ground: Ground, args: Args): boolean {
  ground.checkGrowth();
  const key = args.text(1);
  const place = ground.findForWrite(key);
  const state = ground.load(place);
  const held = registersOf(ground, state);
  let raised = NO_REGISTERS;
  let packed = '';
  for (let i = 2; i < args.count; i++) {
    const { index, value } = registerOf(args.buffer, args.start[i], args.end[i]);
    if (held !== null && registerAt(held, index) >= value) continue;
    if (args.count === 3) packed = packRegister(index, value);
    else raised = raise(raised, index, value);
  }
  if (held !== null && packed === '' && raised.length === 0) return false;
  commit(ground, place, state, key, args.count === 3 ? packed : null, raised);
  return true;
}

/** PFCOUNT of the union of these keys. */
export function countElements(ground: Ground, keys: readonly Bytes[]): number {
  if (keys.length === 1) return countOne(ground, ground.visible(keys[0]));
  return cardinality(
    merged(keys.map((key) => registersOf(ground, ground.visible(key)) ?? NO_REGISTERS)),
  );
}

/** Estimates by the writers of an instance, whose list is another one after each add. */
const counts = new WeakMap<readonly StampedDot[], number>();

function countOne(ground: Ground, state: KeyState | null): number {
  const registers = registersOf(ground, state) ?? NO_REGISTERS;
  const instances = state?.hll?.instances ?? [];
  if (instances.length !== 1 || instances[0].registers !== registers) return cardinality(registers);
  const { writers } = instances[0];
  let count = counts.get(writers);
  if (count === undefined) {
    count = cardinality(registers);
    counts.set(writers, count);
  }
  return count;
}

/** PFMERGE: raises the target to the union of itself and these keys. */
export function mergeInto(ground: Ground, target: Bytes, sources: readonly Bytes[]): void {
  ground.checkGrowth();
  const own = registersOf(ground, ground.visible(target));
  const all = sources.map((key) => registersOf(ground, ground.visible(key)) ?? NO_REGISTERS);
  let raised = NO_REGISTERS;
  eachRegister(merged(all), (index, value) => {
    if (own === null || registerAt(own, index) < value) raised = raise(raised, index, value);
  });
  if (own !== null && raised.length === 0) return;
  const place = ground.findForWrite(target);
  commit(ground, place, ground.load(place), target, null, raised);
}

/** Whether the key shows as a HyperLogLog that is not just a string of such bytes. */
export function isInstance(ground: Ground, key: Bytes): boolean {
  const ref = ground.peekVisible(key);
  if (ref === 0 || !ground.keyspace.isRich(ref)) return false;
  return visiblePart(ground.visible(key), ground.roster) === 'hll';
}

/** Creates the key, which must not be there, with these registers: COPY. */
export function createHyperLogLog(ground: Ground, key: Bytes, registers: Registers): void {
  const place = ground.findForWrite(key);
  commit(ground, place, ground.load(place), key, null, registers);
}

/** Adds what is raised; `packed` null: `raised` is to be packed. */
function commit(
  ground: Ground,
  place: KeyPlace,
  state: KeyState | null,
  key: Bytes,
  packed: Bytes | null,
  raised: Registers,
): void {
  const replaces = visiblePart(state, ground.roster) === 'cell';
  let registers = packed;
  if (registers === null || replaces) {
    let all = packed === null ? raised : mergeRegisters(NO_REGISTERS, unpackOne(packed));
    if (replaces) all = mergeRegisters(all, registersOf(ground, state) ?? NO_REGISTERS);
    registers = packRegisters(all);
  }
  ground.commit(place, state, prepareHllAdd(state, key, registers, replaces));
}

function unpackOne(packed: Bytes): Registers {
  return new Uint8Array(Buffer.from(packed, 'latin1'));
}

function merged(all: readonly Registers[]): Registers {
  let union: Registers = NO_REGISTERS;
  for (const registers of all) union = mergeRegisters(union, registers);
  return union;
}

/** What clients see of a key's state; null: no key. Throws when it is something else. Do not change it. */
function registersOf(ground: Ground, state: KeyState | null): Registers | null {
  const part = visiblePart(state, ground.roster);
  if (state === null || part === null) return null;
  if (part === 'hll') return unionOf(state.hll!);
  if (part !== 'cell') throw wrongType();
  const text = textOf(ground, state) ?? '';
  if (!isHyllText(text)) throw notAHyperLogLog();
  const registers = parseHyll(text);
  if (registers === null) throw corruptHyperLogLog();
  return registers;
}
