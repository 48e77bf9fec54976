/** The part of the catalogue of errors.ts about bits, LCS, SORT, payloads, field TTLs and HyperLogLogs. */
import type { ErrorEntry } from './errors.ts';

export const keysErrors = {
  firstDbIndex: {
    text: 'ERR invalid first DB index',
    meaning: 'SWAPDB takes two numbers of databases; there is number 0.',
  },
  secondDbIndex: {
    text: 'ERR invalid second DB index',
    meaning: 'SWAPDB takes two numbers of databases; there is number 0.',
  },
  bitFieldType: {
    text:
      'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but ' +
      'i64 is.',
    meaning: 'A field of BITFIELD is i1 to i64 or u1 to u63.',
  },
  bitFieldOverflow: {
    text: 'ERR Invalid OVERFLOW type specified',
    meaning: 'OVERFLOW of BITFIELD is WRAP, SAT or FAIL.',
  },
  bitFieldReadOnly: {
    text: 'ERR BITFIELD_RO only supports the GET subcommand',
    meaning: 'Use BITFIELD to write.',
  },
  bitOpNot: {
    text: 'ERR BITOP NOT must be called with a single source key.',
    meaning: 'NOT inverts one string; the other operations take several.',
  },
  lcsType: {
    text: 'ERR The specified keys must contain string values',
    meaning: 'LCS of a key that holds another type.',
  },
  lcsLengthAndIndexes: {
    text: 'ERR If you want both the length and indexes, please just use IDX.',
    meaning: 'LCS with IDX and LEN.',
  },
  lcsTooLong: {
    text: 'ERR Insufficient memory, transient memory for LCS exceeds 64 MB',
    meaning: 'The product of both lengths is beyond 2^24; compare shorter parts.',
  },
  sortWeight: {
    text: "ERR One or more scores can't be converted into double",
    meaning: 'SORT without ALPHA of something that is no number.',
  },
  sortBySlots: {
    text:
      'ERR BY option of SORT denied in cluster mode when keys formed by the pattern may be in ' +
      'different slots.',
    meaning: 'The database has several shards: give key and pattern the same hash tag.',
  },
  sortGetSlots: {
    text:
      'ERR GET option of SORT denied in cluster mode when keys formed by the pattern may be in ' +
      'different slots.',
    meaning: 'The database has several shards: give key and pattern the same hash tag.',
  },
  busyKey: {
    text: 'BUSYKEY Target key name already exists.',
    meaning: 'RESTORE onto a key that is there; say REPLACE to overwrite it.',
  },
  restoreTtl: {
    text: 'ERR Invalid TTL value, must be >= 0',
    meaning: 'The TTL of RESTORE is in ms; 0 is none.',
  },
  restoreIdleTime: {
    text: 'ERR Invalid IDLETIME value, must be >= 0',
    meaning: 'IDLETIME of RESTORE is a number of seconds.',
  },
  restoreFrequency: {
    text: 'ERR Invalid FREQ value, must be >= 0 and <= 255',
    meaning: 'FREQ of RESTORE is a logarithmic counter of one byte.',
  },
  dumpStream: {
    text: 'ERR DUMP does not serve streams yet; copy one with XRANGE and XADD',
    meaning: 'A payload would have to carry the groups and their pending entries too.',
  },
  payloadChecksum: {
    text: 'ERR DUMP payload version or checksum are wrong',
    meaning: 'The bytes are no payload of DUMP, were damaged, or come from a Redis after 7.2.',
  },
  payloadFormat: {
    text: 'ERR Bad data format',
    meaning: 'The payload does not hold what it says, or a type that is not served here.',
  },
  fieldsMissing: {
    text: 'ERR Mandatory argument FIELDS is missing or not at the right position',
    meaning: 'Commands on the TTL of hash fields end in FIELDS, a count, and so many fields.',
  },
  fieldCountPositive: {
    text: 'ERR Parameter `numFields` should be greater than 0',
    meaning: 'HEXPIRE and its like need at least one field.',
  },
  fieldCountInteger: {
    text: 'ERR Number of fields must be a positive integer',
    meaning: 'HTTL, HPERSIST and their like need at least one field.',
  },
  fieldCountMismatch: {
    text: 'ERR The `numfields` parameter must match the number of arguments',
    meaning: 'Behind FIELDS and the count come exactly so many fields, and nothing else.',
  },
  fieldExpireNegative: {
    text: 'ERR invalid expire time, must be >= 0',
    meaning: 'A hash field cannot expire at a negative time; 0 deletes it at once.',
  },
  notHyperLogLog: {
    text: 'WRONGTYPE Key is not a valid HyperLogLog string value.',
    meaning: 'PFADD, PFCOUNT or PFMERGE of a string that is no HyperLogLog.',
  },
  corruptHyperLogLog: {
    text: 'INVALIDOBJ Corrupted HLL object detected',
    meaning: 'The string was SET to bytes that begin as a HyperLogLog does and are none.',
  },
} as const satisfies Record<string, ErrorEntry>;
