/** What an RDB payload holds: a value of one key, free of how it was packed. */
import type { Bytes } from '../crdt/dot.ts';

export type RdbValue =
  | { readonly type: 'string'; readonly text: Bytes }
  | { readonly type: 'list'; readonly elements: readonly Bytes[] }
  | { readonly type: 'set'; readonly members: readonly Bytes[] }
  | { readonly type: 'hash'; readonly entries: readonly (readonly [Bytes, Bytes])[] }
  | { readonly type: 'zset'; readonly members: readonly (readonly [Bytes, number])[] };

/** Type bytes of RDB, of those that hold one of these values. */
export const RDB_TYPE = {
  string: 0,
  list: 1,
  set: 2,
  zsetOfTexts: 3,
  hash: 4,
  zset: 5,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  setListpack: 20,
} as const;

/** Version in payloads of Redis 7.0, which 7.2 and later read too. */
export const RDB_VERSION_WRITTEN = 10;
/** Version of Redis 7.2. */
export const RDB_VERSION_READ_MAX = 11;
/** u16 version and u64 checksum at the end. */
export const RDB_FOOTER_BYTES = 10;
