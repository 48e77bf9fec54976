/**
 * The entries of a stream: blocks in the order of ids. New entries come to the end and old ones go from the
 * beginning, both without touching the others; a place in the middle is found by halving.
 *
 * Entries are observed-remove: each has the dot of its XADD, a removal names ids with the dots that its source
 * saw, or everything up to an id that its source's vector covers.
 */
import { type Actor, type Bytes, type Dot, hasDot, type StampedDot } from './dot.ts';
import {
  appendBytes,
  appendEntry,
  BlockReader,
  blockOf,
  dropFirst,
  type EntryFields,
  type FieldBytes,
  isFull,
  readBlock,
  type StreamBlock,
  type StreamEntry,
  seal,
  writeBlocks,
} from './stream-block.ts';
import { covers, type VersionVector } from './version-vector.ts';

/** What a block takes beside its bytes. Measured as growth of the process under Bun, rounded up. */
const BLOCK_OVERHEAD_BYTES = 480;

/** Never an empty block; `count` and `bytes` are sums over the blocks. */
export type Entries = { blocks: StreamBlock[]; count: number; bytes: number };

export function newEntries(): Entries {
  return { blocks: [], count: 0, bytes: 0 };
}

function bytesOf(block: StreamBlock): number {
  return block.bytes.length + BLOCK_OVERHEAD_BYTES;
}

/** Index of the first block that may hold `id` or later ones; the number of blocks if none does. */
export function blockAt(entries: Entries, id: Bytes): number {
  const { blocks } = entries;
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (blocks[middle].last < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The least and the greatest id; null: there is no entry. */
export function firstId({ blocks }: Entries): Bytes | null {
  return blocks.length === 0 ? null : blocks[0].first;
}

export function lastId({ blocks }: Entries): Bytes | null {
  return blocks.length === 0 ? null : blocks[blocks.length - 1].last;
}

/**
 * Adds an entry. True: others with a greater or equal id were there, so that who reads in the order of
 * ids may be past it.
 */
export function addEntry(
  entries: Entries,
  id: Bytes,
  stamp: StampedDot,
  fields: EntryFields,
): boolean {
  const { blocks } = entries;
  const tail = blocks.length === 0 ? null : blocks[blocks.length - 1];
  const { actor, seq, hlc } = stamp;
  if (tail !== null && id <= tail.last)
    return insertEntry(entries, { id, actor, seq, hlc, fields });
  entries.count++;
  if (tail !== null && !isFull(tail)) {
    const before = tail.bytes.length;
    appendEntry(tail, id, actor, seq, hlc, fields);
    entries.bytes += tail.bytes.length - before;
    return false;
  }
  if (tail !== null) {
    entries.bytes -= tail.bytes.length;
    seal(tail);
    entries.bytes += tail.bytes.length;
  }
  const block = blockOf({ id, actor, seq, hlc, fields }, tail);
  blocks.push(block);
  entries.bytes += bytesOf(block);
  return false;
}

/** As `addEntry`, of fields in bytes; false: this needs the general way, and nothing was done. */
export function addEntryBytes(
  entries: Entries,
  id: Bytes,
  actor: Actor,
  seq: number,
  hlc: number,
  fields: FieldBytes,
): boolean {
  const { blocks } = entries;
  const tail = blocks.length === 0 ? null : blocks[blocks.length - 1];
  if (tail === null || id <= tail.last || isFull(tail)) return false;
  const before = tail.bytes.length;
  if (!appendBytes(tail, id, actor, seq, hlc, fields)) return false;
  entries.bytes += tail.bytes.length - before;
  entries.count++;
  return true;
}

function insertEntry(entries: Entries, entry: StreamEntry): boolean {
  const { blocks } = entries;
  let at = blockAt(entries, entry.id);
  // Entries of one id may reach into the next block.
  while (blocks[at + 1]?.first === entry.id && firstActor(blocks[at + 1]) <= entry.actor) at++;
  const held = readBlock(blocks[at]);
  const next = held.findIndex((one) => compareEntries(one, entry) >= 0);
  const to = next < 0 ? held.length : next;
  const same = held[to];
  if (same !== undefined && compareEntries(same, entry) === 0) {
    // The later of one actor's writes has seen the earlier one.
    if (same.seq >= entry.seq) return false;
    held[to] = entry;
  } else held.splice(to, 0, entry);
  replaceBlock(entries, at, held);
  return true;
}

function firstActor(block: StreamBlock): Actor {
  const reader = new BlockReader(block);
  reader.next();
  return reader.actor;
}

/** By id, then by actor: a total order of what a stream can hold at one time. */
export function compareEntries(
  a: { readonly id: Bytes; readonly actor: Actor },
  b: { readonly id: Bytes; readonly actor: Actor },
): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.actor - b.actor;
}

/** Puts `held` in the place of the block `at`; returns how many blocks there are now. */
function replaceBlock(entries: Entries, at: number, held: readonly StreamEntry[]): number {
  const old = entries.blocks[at];
  const blocks = writeBlocks(held, old);
  entries.count += held.length - old.count;
  entries.bytes -= bytesOf(old);
  for (const block of blocks) entries.bytes += bytesOf(block);
  entries.blocks.splice(at, 1, ...blocks);
  return blocks.length;
}

/** Removes of each id the entries with these dots. */
export function removeEntries(
  entries: Entries,
  removals: readonly { readonly id: Bytes; readonly drops: readonly Dot[] }[],
): void {
  const { blocks } = entries;
  for (const { id, drops } of removals) {
    // The same id of two actors may be in two blocks.
    for (let at = blockAt(entries, id); at < blocks.length && blocks[at].first <= id; ) {
      if (removeFirst(entries, blocks[at], id, drops)) break;
      at += keepInBlock(
        entries,
        at,
        (entry) => entry.id !== id || !hasDot(drops, entry.actor, entry.seq),
      );
    }
  }
}

/** Removes the first entry of a block, as XTRIM does; false: it is another case. */
function removeFirst(
  entries: Entries,
  block: StreamBlock,
  id: Bytes,
  drops: readonly Dot[],
): boolean {
  if (block.first !== id || block.count < 2) return false;
  const reader = new BlockReader(block);
  reader.next();
  if (!hasDot(drops, reader.actor, reader.seq)) return false;
  reader.next();
  if (reader.id === id) return false;
  dropFirst(block);
  entries.count--;
  return true;
}

/** Removes what `vector` covers, up to and with the id `to`. */
export function removeCovered(entries: Entries, to: Bytes, vector: VersionVector): void {
  let at = 0;
  let gone = 0;
  while (at < entries.blocks.length && entries.blocks[at].first <= to) {
    const block = entries.blocks[at];
    if (block.last <= to && isCovered(block, vector)) {
      if (at === gone) {
        gone++;
        entries.count -= block.count;
        entries.bytes -= bytesOf(block);
        at++;
        continue;
      }
    }
    at += keepInBlock(entries, at, ({ id, actor, seq }) => id > to || !covers(vector, actor, seq));
  }
  if (gone > 0) entries.blocks.splice(0, gone);
}

/** Whether the vector covers all entries of the block, by what the block says of them. */
export function isCovered(block: StreamBlock, vector: VersionVector): boolean {
  return block.actor >= 0 && covers(vector, block.actor, block.seqMax);
}

/** Drops these dots, wherever they are. */
export function removeDots(entries: Entries, dots: readonly Dot[]): void {
  for (let at = 0; at < entries.blocks.length; ) {
    at += keepInBlock(entries, at, ({ actor, seq }) => !hasDot(dots, actor, seq));
  }
}

/** Keeps what `keep` says; returns how many blocks are in the place of this one. */
function keepInBlock(entries: Entries, at: number, keep: (entry: StreamEntry) => boolean): number {
  const block = entries.blocks[at];
  const held = readBlock(block);
  let firstKept = 0;
  while (firstKept < held.length && !keep(held[firstKept])) firstKept++;
  const kept = held.filter((entry, index) => index >= firstKept && keep(entry));
  if (kept.length === held.length) return 1;
  if (kept.length > 0 && kept.length === held.length - firstKept) {
    for (let n = 0; n < firstKept; n++) dropFirst(block);
    entries.count -= firstKept;
    return 1;
  }
  return replaceBlock(entries, at, kept);
}

/** Calls `each` for the entries from `from` to `to`, in order, until it returns false. */
export function eachEntry(
  entries: Entries,
  from: Bytes,
  to: Bytes,
  each: (reader: BlockReader, id: Bytes) => boolean,
): void {
  const { blocks } = entries;
  for (let at = blockAt(entries, from); at < blocks.length; at++) {
    if (blocks[at].first > to) return;
    const reader = new BlockReader(blocks[at]);
    while (reader.next()) {
      const { id } = reader;
      if (id < from) continue;
      if (id > to || !each(reader, id)) return;
    }
  }
}

/** As `eachEntry`, from the last to the first. */
export function eachEntryBack(
  entries: Entries,
  from: Bytes,
  to: Bytes,
  each: (entry: StreamEntry) => boolean,
): void {
  const { blocks } = entries;
  let at = blockAt(entries, to);
  // Of one id there may be entries in two blocks.
  while (at + 1 < blocks.length && blocks[at + 1].first <= to) at++;
  for (at = Math.min(at, blocks.length - 1); at >= 0; at--) {
    if (blocks[at].last < from) return;
    const held = readBlock(blocks[at]);
    for (let n = held.length - 1; n >= 0; n--) {
      if (held[n].id > to) continue;
      if (held[n].id < from || !each(held[n])) return;
    }
  }
}

/** All entries, for merging, encoding and checks. */
export function allEntries(entries: Entries): StreamEntry[] {
  return entries.blocks.flatMap(readBlock);
}

/** Entries of these, which are in order. */
export function entriesOf(held: readonly StreamEntry[]): Entries {
  const entries = newEntries();
  entries.blocks = writeBlocks(held, null);
  entries.count = held.length;
  for (const block of entries.blocks) entries.bytes += bytesOf(block);
  return entries;
}

/** The entries with this id: one, unless regions have given an id twice. */
export function entriesAt(entries: Entries, id: Bytes): StreamEntry[] {
  const found: StreamEntry[] = [];
  eachEntry(entries, id, id, (reader) => {
    found.push(reader.entry());
    return true;
  });
  return found;
}

/** The greatest dot of each actor among the entries up to `to`. */
export function dotsUpTo(entries: Entries, to: Bytes): Dot[] {
  const seqs = new Map<Actor, number>();
  const add = (actor: Actor, seq: number): void => {
    if (seq > (seqs.get(actor) ?? 0)) seqs.set(actor, seq);
  };
  for (const block of entries.blocks) {
    if (block.first > to) break;
    if (block.actor >= 0 && block.last <= to) add(block.actor, block.seqMax);
    else {
      const reader = new BlockReader(block);
      while (reader.next() && reader.id <= to) add(reader.actor, reader.seq);
    }
  }
  return [...seqs].map(([actor, seq]) => ({ actor, seq }));
}
