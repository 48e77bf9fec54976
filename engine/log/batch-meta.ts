/**
 * What the log and the sessions must know of a BATCH frame without reading its ops: whose it is
 * and which seqs it holds. The layout is drawn in op/batch-writer.ts.
 */

import { internActor, type Roster } from '../crdt/roster.ts';
import { FRAME_HEADER_BYTES } from '../op/op.ts';

export type BatchMeta = {
  readonly actor: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
};

const ACTOR_COUNT_AT = FRAME_HEADER_BYTES + 2;
const OP_COUNT_AT = FRAME_HEADER_BYTES + 4;
const FIRST_SEQ_AT = FRAME_HEADER_BYTES + 8;
const ACTORS_AT = FRAME_HEADER_BYTES + 16;
const ACTOR_BYTES = 12;

/**
 * Reads actor and seqs of a whole BATCH frame that was written here or has been applied (so it is
 * valid). The actor is entered into the roster when it is new.
 */
export function batchMeta(frame: Uint8Array, roster: Roster): BatchMeta {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let id = '';
  for (let i = 0; i < ACTOR_BYTES; i++) id += String.fromCharCode(frame[ACTORS_AT + i]);
  const firstSeq = view.getFloat64(FIRST_SEQ_AT, true);
  const lastSeq = firstSeq + view.getUint32(OP_COUNT_AT, true) - 1;
  return { actor: internActor(roster, id), firstSeq, lastSeq };
}

/** Whether the frame is long enough to have a writer at all; the rest `applyBatch` checks. */
export function hasBatchMeta(frame: Uint8Array): boolean {
  if (frame.length < ACTORS_AT + ACTOR_BYTES) return false;
  return frame[ACTOR_COUNT_AT] + frame[ACTOR_COUNT_AT + 1] * 256 > 0;
}

const FLUSH_KIND = 10;
/** Among the slots of a batch: a FLUSHALL, which touches all of them. */
export const EVERY_SLOT = -1;

/** The slots that a valid BATCH frame touches, each once, or EVERY_SLOT. */
export function batchSlots(frame: Uint8Array): Set<number> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const slots = new Set<number>();
  let at = ACTORS_AT + view.getUint16(ACTOR_COUNT_AT, true) * ACTOR_BYTES;
  while (at < frame.length) {
    slots.add(frame[at + 4] === FLUSH_KIND ? EVERY_SLOT : view.getUint16(at + 6, true));
    at += 4 + view.getUint32(at, true);
  }
  return slots;
}
