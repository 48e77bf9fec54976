/**
 * Mutations of the engine, each a small mistake that somebody could make, and who must notice it: a
 * range of the simulator's seeds, or a named test. `make mutants` (mutants.ts) tries them.
 */

export type Guard =
  | { readonly seeds: readonly [from: number, to: number] }
  | { readonly test: string; readonly named: string };

export type Mutant = {
  /** The mistake, as a sentence without subject. */
  readonly name: string;
  readonly file: string;
  /** Text that occurs exactly once in the file … */
  readonly find: string;
  /** … and what stands there in the mutant. */
  readonly replace: string;
  readonly guard: Guard;
};

export const mutants: readonly Mutant[] = [
  {
    name: 'brings a deleted HyperLogLog back with a late add',
    file: 'engine/crdt/hyperloglog.ts',
    find: 'if (instance === null && !hasDot(hll.instances, actor, seq)) {',
    replace: 'if (findInstance(hll, instance ?? stamp) === null) {',
    guard: { test: 'engine/crdt/laws.test.ts', named: 'laws of ops' },
  },
  {
    name: 'skips a mark: answers may overtake their questions',
    file: 'engine/replication/server.ts',
    find: 'if (lacking.length > 0) this.push(sealVector(MESSAGE.mark, lacking, this.host.roster));',
    replace: '',
    guard: { seeds: [1, 2000] },
  },
  {
    name: 'drops a dot on merge: what only the other side has is forgotten',
    file: 'engine/crdt/dot.ts',
    find: '    merged.push(item);',
    replace: '    if (item.seq % 5 !== 0) merged.push(item);',
    guard: { test: 'engine/crdt/laws.test.ts', named: 'laws of merge' },
  },
  {
    name: 'keeps on merge what the other side has removed',
    file: 'engine/crdt/dot.ts',
    find: '|| !covers(theirsVector, item.actor, item.seq),',
    replace: '|| item.seq > 0,',
    guard: { test: 'engine/crdt/laws.test.ts', named: 'laws of merge' },
  },
  {
    name: 'acknowledges before fsync',
    file: 'engine/log/op-log.ts',
    find: "return this.options.fsync === 'always' ? this.safePosition : this.writtenPosition;",
    replace: 'return this.writtenPosition;',
    guard: { test: 'engine/sim/power-loss.test.ts', named: 'with fsync always' },
  },
  {
    name: 'acknowledges before fsync (by seeds)',
    file: 'engine/log/op-log.ts',
    find: "return this.options.fsync === 'always' ? this.safePosition : this.writtenPosition;",
    replace: 'return this.writtenPosition;',
    guard: { seeds: [1, 2000] },
  },
  {
    name: 'syncs each ten seconds instead of each second',
    file: 'engine/log/op-log.ts',
    find: 'const SYNC_INTERVAL_MS = 1000;',
    replace: 'const SYNC_INTERVAL_MS = 10_000;',
    guard: { test: 'engine/sim/power-loss.test.ts', named: 'with fsync everysec' },
  },
  {
    name: 'uses an actor again after a restart',
    file: 'engine/log/identity.ts',
    find: 'const incarnation = (seconds << 32n) | BigInt(random.uint32());',
    replace: 'const incarnation = (seconds >> 40n) | BigInt(random.uint32() & 0);',
    guard: { seeds: [1, 200] },
  },
  {
    name: 'forgets a digest: states do not count, only keys',
    file: 'engine/core/slot-transfer.ts',
    find: 'return crc32(out.bytes.subarray(0, out.length)) || 1;',
    replace: 'return ground.keyspace.slots.counts[slot];',
    guard: { test: 'engine/core/slot-transfer.test.ts', named: 'a digest' },
  },
  {
    name: 'forgets slots when it sends a state',
    file: 'engine/replication/server.ts',
    find: '      transfer.slot++;',
    replace: '      transfer.slot += 2;',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'forgets states in the digests that spare equal slots',
    file: 'engine/core/slot-transfer.ts',
    find: "createHash('sha256').update(out.bytes.subarray(0, out.length)).digest();",
    replace: "createHash('sha256').update(String(slot)).digest();",
    guard: { test: 'engine/replication/sessions.test.ts', named: 'equal slots are named' },
  },
  {
    name: 'leaves a slot alone that has changed since it was equal',
    file: 'engine/member/same-slots.ts',
    find: 'if (!changed && !this.wasSeen(slot, told, vector)) return true;',
    replace: 'if (!changed) return true;',
    guard: { test: 'engine/member/same-slots.test.ts', named: 'slots that are not shipped' },
  },
  {
    name: 'writes over what only slots have seen without saying so',
    file: 'engine/member/ahead.ts',
    find: 'if (this.marked === db.states.aheadChanges) return;',
    replace: 'if (this.marked < db.states.aheadChanges) return;',
    guard: { test: 'engine/member/ahead.test.ts', named: 'is named before a write' },
  },
  {
    name: 'mends by an answer that is older than what was written since',
    file: 'engine/member/repairer.ts',
    find: 'if (shown.busy || touched === null || touched.has(slot)',
    replace: 'if (shown.busy || touched === null',
    guard: { test: 'engine/member/repairer.test.ts', named: 'what changes between question' },
  },
  {
    name: 'compares slots to which writes are under way',
    file: 'engine/replication/touched-slots.ts',
    find: '      touched.add(slot);',
    replace: '',
    guard: { test: 'engine/member/verifier.test.ts', named: 'regions that take writes' },
  },
  {
    name: 'does not raise the floor on a reset',
    file: 'engine/crdt/cell.ts',
    find: '  for (const floor of floors) raiseFloor(cell, floor);',
    replace: '',
    guard: { test: 'engine/crdt/laws.test.ts', named: 'laws of ops' },
  },
  {
    name: 'does not rebuild the floor from the predecessor',
    file: 'engine/crdt/cell.ts',
    find: 'floorCum = held === null ? pred.cum : held.floorCum;',
    replace: 'floorCum = held === null ? 0 : held.floorCum;',
    guard: { test: 'engine/crdt/laws.test.ts', named: 'laws of ops' },
  },
  {
    name: 'applies an increment of another region twice',
    file: 'engine/core/remote.ts',
    find: '    floats[unit + 2] = cum;',
    replace: '    floats[unit + 2] = cum + cum - floats[unit + 2];',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'applies ops that a merged state had brought already',
    file: 'engine/core/remote.ts',
    find: 'if (!isFlush && exception !== undefined && covers(exception, reader.writer, reader.seq)) {',
    replace: 'if (isFlush && exception !== undefined && exception.length < 0) {',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'lets a missing batch pass',
    file: 'engine/core/remote.ts',
    find: "    if (reader.firstSeq > applied + 1) return 'gap';",
    replace: '',
    guard: { test: 'engine/core/db.test.ts', named: 'a missing batch is a gap' },
  },
  {
    name: 'goes on after a gap in a stream',
    file: 'engine/replication/puller.ts',
    find: "    if (outcome !== 'gap') return true;",
    replace: "    if (outcome !== 'gap' || this.epoch > 0) return true;",
    guard: { test: 'engine/replication/sessions.test.ts', named: 'a missing batch is asked for' },
  },
  {
    name: 'takes what it read back at start for synced',
    file: 'engine/log/op-log.ts',
    find: '      this.unsynced.push({ name: segmentName(position), end });\n    }\n    if (',
    replace: '      this.safePosition = end + 0 * position;\n    }\n    if (',
    guard: { test: 'engine/log/recovery.test.ts', named: 'read back are synced before' },
  },
  {
    name: 'holds reads after a restart until somebody writes',
    file: 'engine/log/op-log.ts',
    find: "    if (options.fsync === 'always') this.sync();\n  }",
    replace: '  }',
    guard: { seeds: [1, 200] },
  },
  {
    name: 'confirms to a peer what it has heard of, not what it has applied',
    file: 'engine/replication/puller.ts',
    find: 'const vector = this.host.safeVector();',
    replace: 'const vector = this.heardVector;',
    guard: { seeds: [1, 2000] },
  },
  {
    name: 'confirms to a peer what is applied but not synced',
    file: 'engine/member/member.ts',
    find: 'if (this.env.disk === null) this.safePoint.follow(this.db.vector);',
    replace: 'if (this.env !== null) this.safePoint.follow(this.db.vector);',
    guard: { seeds: [1, 2000] },
  },
  {
    name: 'replies before min-replicas have confirmed',
    file: 'engine/member/clients.ts',
    find: 'return held.seq === 0 || this.host.replicasWith(held.seq) >= this.host.minReplicas;',
    replace: 'return held.seq === 0 || this.host.minReplicas > 0;',
    guard: { test: 'engine/sim/min-replicas.test.ts', named: 'and not before' },
  },
  {
    name: 'takes what a peer gave as known to every peer',
    file: 'engine/member/peers.ts',
    find: '        server.noteKnown(actor, seq);\n      }',
    replace: '      }\n      server.noteKnown(actor, seq);',
    guard: { seeds: [1, 200] },
  },
  {
    name: 'never relays for a broken link',
    file: 'engine/replication/puller.ts',
    find: "if (this.isStuck()) this.resume('all');",
    replace: 'this.isStuck();',
    guard: { test: 'engine/replication/sessions.test.ts', named: 'the sender relays' },
  },
  {
    name: 'asks anew for a state that takes long',
    file: 'engine/replication/puller.ts',
    find: 'if (this.receiver.active) {',
    replace: 'if (this.receiver.active && nowMs < 0) {',
    guard: { test: 'engine/replication/sessions.test.ts', named: 'takes long' },
  },
  {
    name: 'begins the log at 0 behind an image that lost all that followed it',
    file: 'engine/log/op-log.ts',
    find: 'segments.at(-1) ?? { position, end: position };',
    replace: 'segments.at(-1) ?? { position: 0, end: 0 };',
    guard: { test: 'engine/log/recovery.test.ts', named: 'lost its only header' },
  },
  {
    name: 'acknowledges what a thread has yet to write',
    file: 'engine/log/op-log.ts',
    find: "return this.options.fsync === 'always' ? this.safePosition : this.writtenPosition;",
    replace: "return this.options.fsync === 'always' ? this.safePosition : this.appendedPosition;",
    guard: { seeds: [1, 1000] },
  },
  {
    name: 'brings back half of a state merge',
    file: 'engine/log/recovery.ts',
    find: 'return this.cut(this.pending[0]?.offset ?? walk.offset);',
    replace: 'this.applyPending();\n    return this.cut(walk.offset);',
    guard: { test: 'engine/log/recovery.test.ts', named: 'half a state merge' },
  },
  {
    name: 'serves an image whose log was lost',
    file: 'engine/log/recovery.ts',
    find: 'if (position >= needs) return;',
    replace: 'if (position >= 0) return;',
    guard: { test: 'engine/log/image-needs.test.ts', named: 'before what the image has seen' },
  },
  {
    name: 'refuses an image for a large state that was coming in',
    file: 'engine/log/recovery.ts',
    find: '    this.applySeen();\n',
    replace: '',
    guard: { test: 'engine/log/image-needs.test.ts', named: 'a large state' },
  },
  {
    name: 'names an image before the log behind it is synced',
    file: 'engine/member/storage.ts',
    find: 'syncLog: (done) => log.syncAll(done),',
    replace: 'syncLog: (done) => done(),',
    guard: { test: 'engine/sim/power-loss.test.ts', named: 'with fsync everysec' },
  },
  {
    name: 'forgets that a state merge left a jump in the backlog',
    file: 'engine/member/state-merge.ts',
    find: '    backlog.appendJump(this.vector);',
    replace: '    void backlog;',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'replaces a slot without replaying its own ops',
    file: 'engine/member/replay-source.ts',
    find: 'if (flushes.length === 0) return bodies;',
    replace: 'if (flushes.length === 0) return [];',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'keeps what the sender of a state has deleted',
    file: 'engine/member/state-merge.ts',
    find: 'if (this.seen.has(slot) || db.slotSize(slot) === 0) continue;',
    replace: 'if (this.seen.has(slot) || db.slotSize(slot) >= 0) continue;',
    guard: { seeds: [1, 500] },
  },
  {
    name: 'does not look behind the clock of others: a write that saw another may lose to it',
    file: 'engine/core/remote.ts',
    find: '    receive(ground.clock, reader.hlc);',
    replace: '    void receive;',
    guard: { test: 'engine/core/db.test.ts', named: 'however slow' },
  },
  {
    name: 'forgets an author of a table: a DEL that has not seen its write takes it along',
    file: 'engine/keyspace/element-table.ts',
    find: '      if (dotSeq(words, at) < seq) writeDot(words, at, actor, seq);',
    replace: '',
    guard: { test: 'engine/keyspace/element-table.test.ts', named: 'who has seen all' },
  },
  {
    name: 'moves an element of a leaf back before its home, where it is not found any more',
    file: 'engine/keyspace/element-index.ts',
    find: '      if (((next - home) & mask) < ((next - hole) & mask)) continue;',
    replace: '      void home;',
    guard: { test: 'engine/keyspace/element-table.test.ts', named: 'grows to 50,000' },
  },
  {
    name: 'scans a leaf of a table without the elements that wrapped round its end',
    file: 'engine/keyspace/element-walk.ts',
    find: '    if (hash < from || hash >= to) continue;',
    replace: '    if (hash < from || hash >= to || place < 1) continue;',
    guard: { test: 'engine/keyspace/element-table.test.ts', named: 'exactly once' },
  },
  {
    name: 'does not count what an element held outside the arena when it goes',
    file: 'engine/keyspace/element-table.ts',
    find: '      this.addBytes(table, -freed);',
    replace: '',
    guard: { test: 'engine/keyspace/element-table.test.ts', named: 'lies outside is counted' },
  },
  {
    name: 'chooses among the children of a node without weighing them',
    file: 'engine/keyspace/element-walk.ts',
    find: '      rank -= below;',
    replace: '      rank = 0;',
    guard: { test: 'engine/keyspace/element-table.test.ts', named: 'is weighed by' },
  },
  {
    name: 'loses the TTL writes that lost against the one in the entry of a table',
    file: 'engine/keyspace/table-collection.ts',
    find: '  return [held, ...(keyspace.tables.otherTtls.get(tableOf(keyspace, ref)) ?? [])];',
    replace: '  return [held];',
    guard: { test: 'engine/core/collections.test.ts', named: 'two concurrent EXPIREs' },
  },
];
