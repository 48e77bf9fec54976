/**
 * Streams: entries. Reads from the state in place, writes as ops. All throw WRONGTYPE.
 *
 * **Ids.** With one region `*` is what Redis makes of it. With several the sequence number says which region
 * gave the id, so that no two regions give the same: it steps by 16 and is the region's number modulo 16 (region 16:
 * 0), and is never 0. So the first id of a millisecond is `ms-1` in region 1, then `ms-17`, `ms-33`.
 */
import type { Bytes } from '../crdt/dot.ts';
import { nextTick } from '../crdt/hlc.ts';
import { holdsOtherThan, type KeyState, visiblePart } from '../crdt/key-state.ts';
import {
  prepareStreamAdd,
  prepareStreamMark,
  prepareStreamRemove,
  prepareStreamTrim,
} from '../crdt/prepare-stream.ts';
import { addedCount, lastGiven, maxDeleted, newStream, type StreamState } from '../crdt/stream.ts';
import type { FieldBytes, StreamEntry } from '../crdt/stream-block.ts';
import { byOrigin } from '../crdt/stream-cursor.ts';
import {
  addEntryBytes,
  blockAt,
  eachEntry,
  eachEntryBack,
  firstId,
  lastId,
} from '../crdt/stream-entries.ts';
import {
  idAfter,
  idHalf,
  idNumber,
  STREAM_ID_MAX,
  STREAM_ID_MIN,
  streamId,
} from '../crdt/stream-id.ts';
import type { KeyPlace } from '../keyspace/key-place.ts';
import type { Args } from '../resp/args.ts';
import { wrongType } from './db-error.ts';
import { type Ground, latin1 } from './ground.ts';
import { StreamGroups } from './stream-groups.ts';

/** Numbers that regions may have; ids step by this many. */
const REGIONS = 16;
/** Of fewer entries XTRIM names each, of more it says up to where. */
const NAMED_ENTRIES_MAX = 16;

/** What XADD is told of the id: all of it, the ms alone, or nothing. */
export type WantedId =
  | { readonly kind: 'auto' }
  | { readonly kind: 'ms'; readonly ms: Bytes }
  | { readonly kind: 'full'; readonly id: Bytes };

export type Trim = {
  readonly by: 'maxlen' | 'minid';
  /** Number of entries that stay. */
  readonly length: number;
  /** The least id that stays. */
  readonly id: Bytes;
  /** Whole blocks only. */
  readonly approximate: boolean;
  /** Entries that go at most; 0: no limit. */
  readonly limit: number;
};

/** The fields of a plain XADD where they lie among its arguments. */
class ArgumentFields implements FieldBytes {
  buffer: Uint8Array = new Uint8Array(0);
  start: ArrayLike<number> = [];
  end: ArrayLike<number> = [];
  readonly from = 3;
  count = 0;
}

export class Streams {
  readonly groups: StreamGroups;
  /** Whether ids say which region gave them: the database has, or had, several. */
  severalRegions = false;
  private readonly ground: Ground;
  /** Of the XADD that runs. */
  private readonly fields = new ArgumentFields();

  constructor(ground: Ground) {
    this.ground = ground;
    this.groups = new StreamGroups(ground, this);
  }

  // ── Reads ─────────────────────────────────────────────────────────────────────────────────

  /** The stream that clients see; null: no such key. Do not change it. */
  see(key: Bytes): StreamState | null {
    return this.streamOf(this.ground.visible(key));
  }

  /** Entries from `from` to `to`, at most `count` (0: all), backwards if `back`. */
  range(stream: StreamState, from: Bytes, to: Bytes, count: number, back: boolean): StreamEntry[] {
    const found: StreamEntry[] = [];
    // Entries of one id are put in the order that all regions show, so a run of them is read to its end.
    const more = (entry: StreamEntry): boolean => {
      if (count > 0 && found.length >= count && entry.id !== found[found.length - 1].id)
        return false;
      found.push(entry);
      return true;
    };
    if (from > to) return found;
    if (back) eachEntryBack(stream.entries, from, to, more);
    else eachEntry(stream.entries, from, to, (reader) => more(reader.entry()));
    const ordered = hasTwins(found) ? byOrigin(found, this.ground.roster) : found;
    if (back && ordered !== found) ordered.reverse();
    return count > 0 && ordered.length > count ? ordered.slice(0, count) : ordered;
  }

  // ── Writes ────────────────────────────────────────────────────────────────────────────────

  /**
   * XADD. Null: the key does not exist and `make` is false. 'small': the id is not greater than the last
   * one; 'exhausted': there is no greater id.
   */
  add(
    key: Bytes,
    wanted: WantedId,
    fields: readonly Bytes[],
    make: boolean,
    trim: Trim | null,
  ): { id: Bytes } | 'small' | 'exhausted' | null {
    const { ground } = this;
    ground.checkGrowth();
    const place = ground.findForWrite(key);
    const state = ground.load(place);
    const stream = this.streamOf(state);
    if (stream === null && !make) return null;
    const last = stream === null ? STREAM_ID_MIN : lastGiven(stream);
    if (last === STREAM_ID_MAX) return 'exhausted';
    const id = this.idOf(wanted, last);
    if (id === null || id <= last) return 'small';
    ground.commit(place, state, prepareStreamAdd(state, key, id, fields, ground.actor));
    if (trim !== null) this.trim(key, trim);
    return { id };
  }

  /**
   * XADD of `args` without options, whose id is at 2, by bytes: nearly all of them, into a stream that is there. Null: it
   * needs the general way, and nothing was done.
   */
  addBytes(args: Args): Bytes | null {
    const { ground } = this;
    ground.checkGrowth();
    const { buffer, start, end } = args;
    const place = ground.findLive(buffer, start[1], end[1]);
    const { keyspace } = ground;
    const { ref, slot } = place;
    if (ref === 0 || !keyspace.isRich(ref)) return null;
    const index = keyspace.richIndex(ref);
    const held = keyspace.rich.get(index);
    const { stream } = held.state;
    if (stream === null || held.dead || holdsOtherThan(held.state, 'stream')) return null;
    const [mark] = stream.marks;
    if (stream.marks.length !== 1 || mark.actor !== ground.actor) return null;
    const last = lastGiven(stream);
    const id = this.nextId(last);
    if (id === null) return null;
    const { entries } = stream;
    const before = entries.bytes;
    const { actor } = ground;
    this.fields.buffer = buffer;
    this.fields.start = start;
    this.fields.end = end;
    this.fields.count = args.count - 3;
    const hlc = nextTick(ground.clock, ground.nowMs);
    if (!addEntryBytes(entries, id, actor, ground.seq + 1, hlc, this.fields)) return null;
    ground.stamp();
    const { added, deleted } = mark;
    const { batch } = ground;
    const pairs = (args.count - 3) / 2;
    batch.beginStreamAdd(slot, hlc, buffer, start[1], end[1], id, added + 1, deleted, pairs);
    for (let i = 3; i < args.count; i++) batch.text(buffer, start[i], end[i]);
    batch.endElements();
    stream.marks[0] = { actor, seq: ground.seq, hlc, last: id, added: added + 1, deleted };
    keyspace.rich.set(index, held, keyspace.rich.bytesOf(index) + entries.bytes - before);
    if (ground.touched !== null) ground.touched(latin1(place));
    return id;
  }

  /** XDEL. Returns how many entries there were. */
  remove(key: Bytes, ids: readonly Bytes[]): number {
    const { ground } = this;
    ground.checkWritable();
    const { place, state, stream } = this.forWrite(key);
    if (stream === null) return 0;
    const op = prepareStreamRemove(stream, key, ids);
    if (op === null) return 0;
    const before = stream.entries.count;
    ground.commit(place, state, op);
    return before - stream.entries.count;
  }

  /** XTRIM. Returns how many entries went. */
  trim(key: Bytes, trim: Trim): number {
    const { ground } = this;
    ground.checkWritable();
    const { place, state, stream } = this.forWrite(key);
    if (stream === null) return 0;
    const gone = trimmed(stream, trim);
    if (gone.count === 0) return 0;
    const before = stream.entries.count;
    const op =
      gone.count <= NAMED_ENTRIES_MAX
        ? { ...prepareStreamRemove(stream, key, this.firstIds(stream, gone.count))!, raise: null }
        : prepareStreamTrim(stream, key, gone.to, ground.slotVector(place.slot))!;
    ground.commit(place, state, op);
    return before - stream.entries.count;
  }

  /** XSETID of a stream that is there. Absent counts and ids stay as they are. */
  setId(key: Bytes, last: Bytes, added: number | null, deleted: Bytes | null): void {
    const { ground } = this;
    ground.checkWritable();
    const { place, state, stream } = this.forWrite(key);
    const held = stream ?? newStream();
    const count = added ?? addedCount(held);
    const op = prepareStreamMark(state, key, last, count, deleted ?? maxDeleted(held));
    ground.commit(place, state, op);
  }

  /** What a write finds at the key. */
  forWrite(key: Bytes): { place: KeyPlace; state: KeyState | null; stream: StreamState | null } {
    const { ground } = this;
    const place = ground.findForWrite(key);
    const state = ground.load(place);
    return { place, state, stream: this.streamOf(state) };
  }

  private streamOf(state: KeyState | null): StreamState | null {
    if (state === null) return null;
    const part = visiblePart(state, this.ground.roster);
    if (part === null) return null;
    if (part !== 'stream') throw wrongType();
    return state.stream;
  }

  private firstIds(stream: StreamState, count: number): Bytes[] {
    const ids: Bytes[] = [];
    eachEntry(stream.entries, STREAM_ID_MIN, STREAM_ID_MAX, (_, id) => {
      ids.push(id);
      return ids.length < count;
    });
    return ids;
  }

  /** The id that `XADD *` gets after `last`; null: one of the two is beyond safe numbers. */
  private nextId(last: Bytes): Bytes | null {
    const { nowMs, region } = this.ground;
    const ms = idNumber(last, 0);
    const seq = idNumber(last, 8) + 1;
    if (!(seq + REGIONS <= Number.MAX_SAFE_INTEGER)) return null;
    if (nowMs > ms) return streamId(nowMs, this.severalRegions ? region : 0);
    if (Number.isNaN(ms)) return null;
    return streamId(ms, this.severalRegions ? regional(seq, region) : seq);
  }

  /** The id that an XADD gets after `last`; null: there is none. */
  private idOf(wanted: WantedId, last: Bytes): Bytes | null {
    if (wanted.kind === 'full') return wanted.id;
    const now = wanted.kind === 'ms' ? wanted.ms : idHalf(this.ground.nowMs);
    const least = now + STREAM_ID_MIN.slice(8);
    if (wanted.kind === 'ms' && last.slice(0, 8) > now) return null;
    const isNew = last.slice(0, 8) < now;
    if (!this.severalRegions) {
      if (isNew) return least;
      const next = idAfter(last);
      return wanted.kind === 'ms' && next !== null && next.slice(0, 8) !== now ? null : next;
    }
    return this.regionalId(isNew ? least : last, wanted.kind === 'ms');
  }

  /** The least id after `last` that is this region's to give. */
  private regionalId(last: Bytes, sameMs: boolean): Bytes | null {
    const { region } = this.ground;
    const seq = idNumber(last, 8);
    if (!Number.isNaN(seq) && seq + REGIONS <= Number.MAX_SAFE_INTEGER) {
      return last.slice(0, 8) + idHalf(regional(seq + 1, region));
    }
    // Beyond 2^53 in a millisecond: the next millisecond.
    const ms = idNumber(last, 0);
    return sameMs || Number.isNaN(ms) ? null : streamId(ms + 1, region);
  }
}

/** The least number from `least` on that is the region's. */
function regional(least: number, region: number): number {
  return least + ((((region - least) % REGIONS) + REGIONS) % REGIONS);
}

function hasTwins(entries: readonly StreamEntry[]): boolean {
  for (let n = 1; n < entries.length; n++) if (entries[n].id === entries[n - 1].id) return true;
  return false;
}

/** How many entries a trim takes, and the id of the last of them. */
function trimmed({ entries }: StreamState, trim: Trim): { count: number; to: Bytes } {
  const { by, approximate, limit } = trim;
  const surplus = entries.count - trim.length;
  let count = 0;
  let to = STREAM_ID_MIN;
  for (const block of entries.blocks) {
    const whole = by === 'maxlen' ? count + block.count <= surplus : block.last < trim.id;
    if (by === 'maxlen' ? count >= surplus : block.first >= trim.id) break;
    if (limit > 0 && count + block.count > limit) break;
    if (whole) {
      count += block.count;
      to = block.last;
      continue;
    }
    if (approximate) break;
    eachEntry(entries, block.first, block.last, (_, id) => {
      if (by === 'maxlen' ? count >= surplus : id >= trim.id) return false;
      count++;
      to = id;
      return true;
    });
    break;
  }
  return { count, to };
}

/** The first and the last entry of a stream, for XINFO. */
export function edges(stream: StreamState): { first: Bytes | null; last: Bytes | null } {
  return { first: firstId(stream.entries), last: lastId(stream.entries) };
}

/** Blocks of a stream as Redis would count nodes of its radix tree. */
export function blockCount({ entries }: StreamState): number {
  return entries.blocks.length;
}

/** Whether an entry with this id is there. */
export function hasEntry({ entries }: StreamState, id: Bytes): boolean {
  const at = blockAt(entries, id);
  if (at === entries.blocks.length || entries.blocks[at].first > id) return false;
  let found = false;
  eachEntry(entries, id, id, () => {
    found = true;
    return false;
  });
  return found;
}
