/**
 * Numbers of the op format: kind bytes, flag bits and limits. The byte layout is drawn in
 * batch-writer.ts; what the ops mean is in crdt/op.ts, whose types this file passes on so that
 * those who move ops about need one import.
 */
import type { Op } from '../crdt/op.ts';

export type {
  Envelope,
  FieldFloor,
  Floor,
  KeyOp,
  Op,
  Predecessor,
  Removal,
  TtlPart,
} from '../crdt/op.ts';

/** Version byte of a batch body. */
export const BATCH_VERSION = 1;

/** Kind byte of each op in a batch. */
export const OP_KIND = {
  'string-set': 1,
  'string-add': 2,
  'set-add': 3,
  'set-remove': 4,
  'hash-set': 5,
  'hash-add': 6,
  'hash-remove': 7,
  delete: 8,
  expire: 9,
  flush: 10,
  'zset-set': 11,
  'zset-add': 12,
  'zset-remove': 13,
  'stream-add': 24,
  'stream-remove': 25,
  'stream-mark': 26,
  'stream-group': 27,
  'stream-ungroup': 28,
  'stream-deliver': 29,
  'hll-add': 32,
  'hash-expire': 36,
  'list-push': 16,
  'list-write': 17,
  'list-remove': 18,
  'list-trim': 19,
} as const satisfies Record<Op['kind'], number>;

/** Kind byte of a frame. Session messages count from 10. */
export const FRAME_KIND = { batch: 1, slotState: 2, segmentHeader: 3, imageEnd: 4 } as const;

/** Bytes before a frame's body: u32 length, u32 crc32, u8 kind. */
export const FRAME_HEADER_BYTES = 9;

/** Limits on what a peer may send; local writers are held to the same ones. */
export const KEY_BYTES_MAX = 512 * 1024 * 1024;
export const VALUE_BYTES_MAX = 512 * 1024 * 1024;
export const BATCH_BODY_BYTES_MAX = 1024 * 1024 * 1024;
