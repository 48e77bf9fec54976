/**
 * Recovery: the newest image, then every segment from its position on, frame by frame.
 *
 * 1. Half-written images (`.part`) are removed.
 * 2. The newest image restores every slot with the vector it was captured at.
 * 3. Segments must follow each other without a gap. Each frame is replayed as it was applied:
 *    BATCH by `applyBatch`, SLOT_STATE (the result of a state merge) put in place of the slot,
 *    SLOTS_SAME gives slots that it left as they were its vector, STATE_END joins the vector of
 *    that merge. The first two take effect together, when the frame after them is seen: a small
 *    state was merged in one turn, and half of it must not come back. (A large one is merged over many
 *    turns; what the image has seen of that is applied as it is.)
 * 4. Bytes that are no whole frame:
 *      at the end of the last segment   the last write was torn: cut, with a warning; SLOT_STATEs
 *                                       that nothing follows are cut too
 *      a segment shorter than the next  only bytes that were never synced can be missing there, and
 *      one's position says              nothing after them was synced: cut here, later ones go
 *      the end of a segment beyond what was synced when the newest began, with everysec and no
 *                                       the same: bytes that were never synced may also be damaged
 *      anywhere else                    damage: never guess. Refuse, and say what to do
 * 5. A log that is left must reach the position that the image needs. It always does on a disk that keeps
 *    what it has synced; else what is here is of no one moment, and refused like damage.
 */

import type { Db } from '../core/db.ts';
import type { Disk, Journal } from '../env.ts';
import { FRAME_KIND } from '../op/op.ts';
import type { Backlog } from './backlog.ts';
import { batchMeta } from './batch-meta.ts';
import { frameBody, frameJson, frameKind, LOG_KIND } from './frame.ts';
import type { RecoveredSegment } from './op-log.ts';
import {
  type FileHeader,
  filePositions,
  hasFrameAfter,
  imageName,
  readHeader,
  segmentName,
  walkFrames,
} from './segment.ts';
import { decodeSlotsSame } from './slots-same.ts';
import { decodeVector, parseVectorObject } from './vector-bytes.ts';

export type RecoveryOptions = {
  readonly disk: Disk;
  readonly db: Db;
  readonly backlog: Backlog;
  readonly database: string;
  readonly region: string;
  readonly journal: Journal;
};

export type Recovered = {
  /** The segments in use, oldest first. */
  readonly segments: readonly RecoveredSegment[];
  readonly position: number;
  /** Where the image begins that was used; 0: none. */
  readonly imagePosition: number;
  readonly imageBytes: number;
  readonly frames: number;
};

/** Thrown by recovery: the directory cannot be used; the message says why and what to do. */
export class DamagedLog extends Error {
  override readonly name = 'DamagedLog';
}

const NEVER = Number.POSITIVE_INFINITY;

const CURE =
  'If another member or region has this data, start with an empty --dir and it comes back from ' +
  'there; else restore the directory from a copy.';

/** Restores `db` (fresh) and `backlog` from the directory. Throws `DamagedLog`. */
export function recover(options: RecoveryOptions): Recovered {
  const { disk, db, backlog, journal } = options;
  // Stamps were checked when they came; a clock that was set back since must not refuse them now.
  db.beginTurn(Number.POSITIVE_INFINITY);
  for (const name of disk.list()) if (name.endsWith('.part')) disk.remove(name);
  const imagePosition = filePositions(disk.list(), 'image').at(-1) ?? 0;
  let imageBytes = 0;
  let needs = 0;
  if (filePositions(disk.list(), 'image').length > 0) {
    imageBytes = disk.size(imageName(imagePosition));
    needs = loadImage(options, imageName(imagePosition));
  }
  backlog.reset(db.vector);
  const positions = filePositions(disk.list(), 'segment').filter((at) => at >= imagePosition);
  if (positions.length > 0 && positions[0] !== imagePosition) {
    throw damaged(segmentName(imagePosition), 'it is missing');
  }
  for (let i = 1; i < positions.length; i++) checkPrevious(options, positions[i], positions[i - 1]);
  let position = imagePosition;
  const segments: RecoveredSegment[] = [];
  let frames = 0;
  const unsyncedFrom = findUnsynced(options, positions);
  for (let i = 0; i < positions.length; i++) {
    const replay = new SegmentReplay(options, positions[i], needs);
    const end = replay.run(positions[i + 1] ?? -1, unsyncedFrom);
    frames += replay.frames;
    position = end.position;
    if (!end.gone) segments.push({ position: positions[i], end: position });
    if (!end.cut) continue;
    for (const later of positions.slice(i + 1)) disk.remove(segmentName(later));
    break;
  }
  checkReaches(position, needs);
  journal.info({ position, frames, imageBytes, keys: db.size }, 'recovered from the log');
  return { segments, position, imagePosition, imageBytes, frames };
}

/**
 * From which position on no byte is known to have been synced: a power cut may have taken it, whatever comes
 * after it. With `always` nothing may have been answered beyond that, but it may: Infinity.
 */
function findUnsynced(options: RecoveryOptions, positions: readonly number[]): number {
  for (const position of [...positions].reverse()) {
    let found: number | null = null;
    walkFrames(options.disk, segmentName(position), (frame) => {
      const header = readHeader(frame);
      const isKnown = typeof header !== 'string' && header.fsync !== undefined;
      if (isKnown) found = header.fsync === 'always' ? NEVER : (header.safe ?? NEVER);
      return false;
    });
    // A header that is not whole is itself a torn end: the one before it is the newest.
    if (found !== null) return found;
  }
  return NEVER;
}

/** Returns the position that the log behind it must reach; 0: written before images named it. */
function loadImage(options: RecoveryOptions, name: string): number {
  const { disk, db } = options;
  let header: FileHeader | null = null;
  let slots = 0;
  let complete = false;
  let needs = 0;
  const end = walkFrames(disk, name, (frame) => {
    if (header === null) {
      header = checkHeader(options, name, frame);
    } else if (frameKind(frame) === FRAME_KIND.slotState) {
      const problem = db.states.restoreSlot(frameBody(frame));
      if (problem !== null) throw damaged(name, problem);
      slots++;
    } else if (frameKind(frame) === FRAME_KIND.imageEnd) {
      const last = frameJson(frame) as { slots?: number; needs?: number } | undefined;
      complete = last?.slots === slots;
      needs = last?.needs ?? 0;
    } else {
      throw damaged(name, `a frame of kind ${frameKind(frame)} does not belong here`);
    }
    return true;
  });
  if (end.kind !== 'end') throw damaged(name, `at byte ${end.offset}: ${end.why}`);
  if (!complete) throw damaged(name, 'its end is missing');
  const vector = parseVectorObject((header as FileHeader | null)?.vector, db.roster);
  if (vector === null) throw damaged(name, 'its header has no valid vector');
  db.states.finishStateMerge(vector);
  return needs;
}

/** Refuses a log that ends before what its image has seen. */
function checkReaches(position: number, needs: number): void {
  if (position >= needs) return;
  throw new DamagedLog(
    `the image knows writes up to position ${needs}, but the log behind it ends at ${position}: the ` +
      'disk has lost what it had said was stored, so what is left is of no one moment. Nothing was ' +
      `changed. ${CURE} Look after that disk, or what caches its writes.`,
  );
}

/** Refuses a log that lacks a whole segment, which a torn end must not be taken for. */
function checkPrevious(options: RecoveryOptions, position: number, previous: number): void {
  walkFrames(options.disk, segmentName(position), (frame) => {
    const header = readHeader(frame);
    if (typeof header === 'string' || header.previous === previous) return false;
    throw damaged(segmentName(header.previous), 'it is missing');
  });
}

/** `cut`: its end was torn, nothing follows it; `gone`: not even its header was whole. */
type ReplayEnd = { readonly position: number; readonly cut: boolean; readonly gone: boolean };

/** A slot's outcome of a state merge, and where its frame lies in the file. */
type PendingOutcome = {
  readonly kind: number;
  readonly body: Uint8Array;
  readonly offset: number;
  readonly end: number;
};

/** Replays one segment of the log. */
class SegmentReplay {
  frames = 0;
  private readonly options: RecoveryOptions;
  private readonly position: number;
  private readonly name: string;
  /** What the image has seen ends here. */
  private readonly needs: number;
  private headerBytes = 0;
  /** Outcomes of a state merge that are not followed by anything yet. */
  private pending: PendingOutcome[] = [];

  constructor(options: RecoveryOptions, position: number, needs: number) {
    this.options = options;
    this.position = position;
    this.needs = needs;
    this.name = segmentName(position);
  }

  /**
   * `nextPosition`: where the next segment begins, -1: this is the last. `unsyncedFrom`: what lies from
   * there on may be damaged although more follows it.
   */
  run(nextPosition: number, unsyncedFrom: number): ReplayEnd {
    const { disk } = this.options;
    const { name } = this;
    const walk = walkFrames(disk, name, (frame, offset) => {
      if (offset === 0) {
        checkHeader(this.options, name, frame);
        this.headerBytes = frame.length;
      } else {
        this.replayFrame(frame, offset);
        this.frames++;
      }
      return true;
    });
    const end = this.positionAt(walk.offset);
    const isLast = nextPosition === -1;
    const isWhole = walk.kind === 'end' && this.headerBytes > 0;
    if (isWhole && !isLast && end === nextPosition) {
      this.applyPending();
      return { position: end, cut: false, gone: false };
    }
    this.applySeen();
    if (isWhole && isLast && this.pending.length === 0) {
      return { position: end, cut: false, gone: false };
    }
    // Without a whole header all bytes are part of it, and none is data.
    const dataBytes = this.headerBytes === 0 ? 0 : disk.size(name) - this.headerBytes;
    const fileEnd = this.position + dataBytes;
    const unsynced = this.positionAt(walk.offset) >= unsyncedFrom;
    const lostTail = isLast || fileEnd < nextPosition || unsynced;
    const torn = walk.kind === 'end' || !hasFrameAfter(disk, name, walk.offset);
    if (!lostTail || !torn) throw damaged(name, `at byte ${walk.offset}: ${walk.why}`);
    return this.cut(this.pending[0]?.offset ?? walk.offset);
  }

  private cut(offset: number): ReplayEnd {
    const { disk, journal } = this.options;
    const { name, headerBytes } = this;
    const position = this.positionAt(offset);
    checkReaches(position, this.needs);
    const cutBytes = disk.size(name) - offset;
    journal.warn({ file: name, offset, cutBytes }, 'the last write was torn: cut off');
    // A file without a whole header goes altogether; the log makes it anew.
    if (headerBytes === 0) disk.remove(name);
    else disk.truncate(name, offset);
    return { position, cut: true, gone: headerBytes === 0 };
  }

  private replayFrame(frame: Uint8Array, offset: number): void {
    const { db, backlog } = this.options;
    const body = frameBody(frame);
    const where = (why: string): DamagedLog => damaged(this.name, `at byte ${offset}: ${why}`);
    switch (frameKind(frame)) {
      case FRAME_KIND.batch: {
        this.applyPending();
        const outcome = db.applyBatch(body);
        if (typeof outcome === 'object') throw where(outcome.invalid);
        if (outcome === 'gap') throw where('ops before it are missing');
        if (outcome === 'known') return;
        const meta = batchMeta(frame, db.roster);
        backlog.appendBatch(meta.actor, meta.firstSeq, meta.lastSeq, frame);
        return;
      }
      case FRAME_KIND.slotState:
      case LOG_KIND.slotsSame:
        this.pending.push({ kind: frameKind(frame), body, offset, end: offset + frame.length });
        return;
      case LOG_KIND.stateEnd: {
        this.applyPending();
        const vector = decodeVector(body, 0, db.roster);
        if (typeof vector === 'string') throw where(vector);
        db.states.finishStateMerge(vector);
        backlog.appendJump(vector);
        return;
      }
      case LOG_KIND.ahead: {
        this.applyPending();
        const vector = decodeVector(body, 0, db.roster);
        if (typeof vector === 'string') throw where(vector);
        backlog.appendJump(vector, true);
        return;
      }
      default:
        throw where(`a frame of unknown kind ${frameKind(frame)}`);
    }
  }

  /** Puts the slots of a state merge in place, now that it is known that all of them are here. */
  private applyPending(): void {
    for (const one of this.pending) this.apply(one);
    this.pending = [];
  }

  /**
   * Outcomes that the image has seen are here already, at least in part. An image sees a small state whole
   * or not at all, so these are of a large one, which came slot by slot.
   */
  private applySeen(): void {
    const isSeen = (one: PendingOutcome): boolean => this.positionAt(one.end) <= this.needs;
    while (this.pending.length > 0 && isSeen(this.pending[0])) this.apply(this.pending.shift()!);
  }

  private apply({ kind, body, offset }: PendingOutcome): void {
    const { db } = this.options;
    const problem =
      kind === LOG_KIND.slotsSame ? adoptVectors(db, body) : db.states.importSlot(body, () => []);
    if (problem !== null) throw damaged(this.name, `at byte ${offset}: ${problem}`);
  }

  /** The log's position at an offset of this file. */
  private positionAt(offset: number): number {
    return this.position + Math.max(0, offset - this.headerBytes);
  }
}

/** Slots that a state merge left as they were. */
function adoptVectors(db: Db, body: Uint8Array): string | null {
  const same = decodeSlotsSame(body, db.roster);
  if (typeof same === 'string') return same;
  for (const slot of same.slots) db.states.adoptVector(slot, same.vector);
  return null;
}

function checkHeader(options: RecoveryOptions, name: string, frame: Uint8Array): FileHeader {
  const header = readHeader(frame);
  if (typeof header === 'string') throw damaged(name, header);
  if (header.database === options.database && header.region === options.region) return header;
  const whose = `database "${header.database}" of region "${header.region}"`;
  throw damaged(name, `it belongs to ${whose}; start with these names or another --dir`);
}

function damaged(name: string, why: string): DamagedLog {
  return new DamagedLog(`${name}: ${why}. Nothing was changed. ${CURE}`);
}
