/**
 * The invariants of a key state. Tests and the simulator call `checkKey` on every state they meet;
 * a violation is a programmer's error and throws.
 *
 *  1. Absent parts are null, never empty; no state without parts.
 *  2. At most one dot of each actor in one list, since an actor's later write has seen its earlier
 *     ones; every seq within 1 .. 2^48 - 1, every hlc a safe integer.
 *  3. Each contribution is live: seq > floorSeq.
 *  4. Amounts are in their one normal form.
 *  5. Bases in a sorted set are scores: 8 bytes, no NaN.
 *  6. The elements of a list ascend by their ids, and its counts are right.
 *  7. Entries of a stream are in order, one of each actor for an id; its counts are sums of its blocks'.
 *  8. With a vector: it covers every dot (a state claims no write that was not applied).
 */
import { isNormalAmount } from './amount.ts';
import { type Cell, isEmptyCell } from './cell.ts';
import { SEQ_LIMIT, type StampedDot } from './dot.ts';
import type { HashState } from './field-map.ts';
import { type FieldTtls, pruneFieldTtls } from './field-ttl.ts';
import type { KeyState } from './key-state.ts';
import { eachElement, GROUP_CHUNKS_MAX, type ListState } from './list.ts';
import { CHUNK_ELEMENTS_MAX, chunkBytes } from './list-chunk.ts';
import { compareIds, describeBadId, type ListId } from './list-id.ts';
import { PART_NAMES, type PartName, type PartStates, partNamed } from './part.ts';
import { describeBadRegisters, isDense, packRegisters } from './registers.ts';
import { isScore } from './score.ts';
import type { StreamState } from './stream.ts';
import { allEntries, compareEntries } from './stream-entries.ts';
import { eachList, isEmptyGroup } from './stream-group.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** Throws an Error that names the broken invariant. `vector`: what the member has applied. */
export function checkKey(state: KeyState | null, vector: VersionVector | null): void {
  if (state === null) return;
  const { ttl } = state;
  let parts = 0;
  for (const name of PART_NAMES) {
    const part = state[name];
    if (part === null) continue;
    parts++;
    assert(!partNamed(name).isEmpty(part), 'an empty part is null');
    (CHECKS[name] as (part: unknown, vector: VersionVector | null) => void)(part, vector);
  }
  assert(parts > 0 || ttl.length > 0, 'a state without parts is null');
  checkDots(ttl, vector);
  if (state.fieldTtl !== null) checkFieldTtls(state.fieldTtl, state.hash, vector);
  for (const { expiry } of ttl) {
    const isTime = expiry === Number.POSITIVE_INFINITY || Number.isInteger(expiry);
    assert(isTime && expiry >= 0, 'an expiry is a moment or Infinity');
  }
}

function checkFieldTtls(
  ttls: FieldTtls,
  hash: HashState | null,
  vector: VersionVector | null,
): void {
  assert(ttls.writes.size > 0, 'field TTLs without any are null');
  for (const writes of ttls.writes.values()) {
    assert(writes.length > 0, 'a field with TTL writes has some');
    checkDots(writes, vector);
    for (const { expiry } of writes) {
      assert(
        expiry === Number.POSITIVE_INFINITY || Number.isInteger(expiry),
        'an expiry is a moment',
      );
    }
  }
  const { changes } = ttls;
  pruneFieldTtls(ttls, hash, null);
  assert(ttls.changes === changes, 'a field TTL is about data that is there');
}

const CHECKS: {
  readonly [N in PartName]: (part: PartStates[N], vector: VersionVector | null) => void;
} = {
  cell: checkCell,
  set(set, vector) {
    for (const dots of set.values()) {
      assert(dots.length > 0, 'a member has a dot');
      checkDots(dots, vector);
    }
  },
  hash(hash, vector) {
    for (const field of hash.values()) checkCell(field, vector);
  },
  zset(zset, vector) {
    for (const member of zset.values()) {
      checkCell(member, vector);
      for (const { value } of member.siblings) assert(isScore(value), 'a base is a score');
    }
  },
  stream: checkStream,
  hll({ instances }, vector) {
    checkDots(instances, vector);
    for (const { writers, registers } of instances) {
      assert(writers.length > 0, 'an instance has a writer');
      checkDots(writers, vector);
      const isWhole = isDense(registers) || describeBadRegisters(packRegisters(registers)) === null;
      assert(isWhole, 'registers have one of their forms');
    }
  },
  list: checkList,
};

function checkStream({ entries, marks, groups }: StreamState, vector: VersionVector | null): void {
  const held = allEntries(entries);
  assert(entries.count === held.length, 'a stream counts its entries');
  for (const [n, entry] of held.entries()) {
    checkDots([entry], vector);
    assert(entry.fields.length > 0 && entry.fields.length % 2 === 0, 'an entry has pairs');
    assert(n === 0 || compareEntries(held[n - 1], entry) < 0, 'entries are in order');
  }
  for (const { count, first, last, bytes, end } of entries.blocks) {
    assert(count > 0 && first <= last && end <= bytes.length, 'a block is not empty');
  }
  checkDots(marks, vector);
  for (const group of groups.values()) {
    assert(!isEmptyGroup(group), 'an empty group is absent');
    eachList(group, (items) => checkDots(items, vector));
    const ids = group.pending.map(({ id }) => id);
    assert(
      ids.every((id, n) => n === 0 || ids[n - 1] < id),
      'pending ids are in order',
    );
    assert(
      group.pending.every(({ claims }) => claims.length > 0),
      'a pending id has a claim',
    );
  }
}

function checkCell(cell: Cell, vector: VersionVector | null): void {
  assert(!isEmptyCell(cell), 'an empty cell is absent');
  checkDots(cell.siblings, vector);
  checkDots(cell.contributions, vector);
  for (const { seq, cum, floorSeq, floorCum } of cell.contributions) {
    assert(floorSeq >= 0 && floorSeq < seq, 'a contribution is live');
    assert(isNormalAmount(cum) && isNormalAmount(floorCum), 'amounts are normal');
  }
}

function checkList(list: ListState, vector: VersionVector | null): void {
  let last: ListId | null = null;
  let size = 0;
  eachElement(list, ({ id, siblings }): undefined => {
    size++;
    assert(describeBadId(id) === null, 'a list id is in range');
    assert(last === null || compareIds(last, id) < 0, 'list ids ascend');
    assert(siblings.length > 0, 'a list element has a write');
    checkDots(siblings, vector);
    last = id;
  });
  assert(size === list.size, 'a list counts its elements');
  let bytes = 0;
  for (const { chunks, count } of list.groups) {
    assert(chunks.length > 0 && chunks.length <= GROUP_CHUNKS_MAX, 'a group has chunks');
    const held = chunks.reduce((sum, chunk) => sum + chunk.count, 0);
    assert(held === count, 'a group counts its elements');
    for (const chunk of chunks) {
      assert(chunk.count > 0 && chunk.count <= CHUNK_ELEMENTS_MAX, 'a chunk has elements');
      bytes += chunkBytes(chunk);
    }
  }
  assert(bytes === list.bytes, 'a list counts its bytes');
}

function checkDots(dots: readonly StampedDot[], vector: VersionVector | null): void {
  for (const [index, { actor, seq, hlc }] of dots.entries()) {
    assert(Number.isInteger(seq) && seq > 0 && seq < SEQ_LIMIT, 'a seq is in range');
    assert(Number.isSafeInteger(hlc) && hlc >= 0, 'an hlc is a safe integer');
    const first = dots.findIndex((other) => other.actor === actor);
    assert(first === index, 'one dot per actor in a list');
    assert(vector === null || covers(vector, actor, seq), 'no dot that was not applied');
  }
}

function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`key state: ${invariant}`);
}
