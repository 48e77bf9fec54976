/** The errors of streams, a part of the catalogue in errors.ts. */
import type { ErrorEntry } from './errors.ts';

export const streamErrors = {
  invalidStreamId: {
    text: 'ERR Invalid stream ID specified as stream command argument',
    meaning: 'An id is ms or ms-seq, both unsigned 64-bit numbers.',
  },
  invalidRangeStart: {
    text: 'ERR invalid start ID for the interval',
    meaning: 'There is no id after an exclusive start that is the greatest one.',
  },
  invalidRangeEnd: {
    text: 'ERR invalid end ID for the interval',
    meaning: 'There is no id before an exclusive end that is the least one.',
  },
  trimTwice: {
    text: 'ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
    meaning: 'XADD and XTRIM take one of the two.',
  },
  maxlenNegative: {
    text: 'ERR The MAXLEN argument must be >= 0.',
    meaning: 'A length is not negative.',
  },
  trimLimitNegative: {
    text: 'ERR The LIMIT argument must be >= 0.',
    meaning: 'A limit is not negative.',
  },
  limitWithoutTrim: {
    text: 'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
    meaning: 'LIMIT belongs to MAXLEN ~ or MINID ~.',
  },
  limitNotApproximate: {
    text: 'ERR syntax error, LIMIT cannot be used without the special ~ option',
    meaning: 'Exact trimming has no limit.',
  },
  trimMissing: {
    text: 'ERR syntax error, XTRIM must be called with a trimming strategy',
    meaning: 'XTRIM takes MAXLEN or MINID.',
  },
  streamIdZero: {
    text: 'ERR The ID specified in XADD must be greater than 0-0',
    meaning: '0-0 is no id of an entry.',
  },
  streamIdSmall: {
    text: 'ERR The ID specified in XADD is equal or smaller than the target stream top item',
    meaning: 'An id must be greater than the last one that this region has seen.',
  },
  streamExhausted: {
    text: 'ERR The stream has exhausted the last possible ID, unable to add more items',
    meaning: 'The last id is the greatest there is.',
  },
  entriesAddedNegative: {
    text: 'ERR entries_added must be positive',
    meaning: 'XSETID ENTRIESADDED below 0.',
  },
  entriesAddedSmall: {
    text: 'ERR The entries_added specified in XSETID is smaller than the target stream length',
    meaning: 'More entries are in the stream than were ever added to it.',
  },
  setIdSmall: {
    text: 'ERR The ID specified in XSETID is smaller than the target stream top item',
    meaning: 'The last id is not below that of an entry.',
  },
  setIdBelowDeleted: {
    text: 'ERR The ID specified in XSETID is smaller than current max_deleted_entry_id',
    meaning: 'The last id is not below that of an entry that was removed.',
  },
  setIdBelowGivenDeleted: {
    text: 'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
    meaning: 'The last id is not below that of an entry that was removed.',
  },
  groupNotHere: {
    text: 'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.',
    meaning: 'XREAD knows no groups.',
  },
  noAckNotHere: {
    text: 'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.',
    meaning: 'XREAD knows no groups.',
  },
  unbalancedStreams: {
    text: "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    meaning: 'As many ids as keys.',
  },
  unbalancedGroupStreams: {
    text: "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
    meaning: 'As many ids as keys.',
  },
  groupMissing: {
    text: 'ERR Missing GROUP option for XREADGROUP',
    meaning: 'XREADGROUP reads for a group and a consumer.',
  },
  nextWithoutGroup: {
    text: 'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
    meaning: 'XREAD knows no groups.',
  },
  noGroupToRead: {
    text: "NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option",
    meaning: 'XGROUP CREATE makes a group.',
  },
  noKeyOrGroup: {
    text: "NOGROUP No such key '%s' or consumer group '%s'",
    meaning: 'XGROUP CREATE makes a group.',
  },
  noSuchGroup: {
    text: "NOGROUP No such consumer group '%s' for key name '%s'",
    meaning: 'XGROUP CREATE makes a group.',
  },
  groupExists: {
    text: 'BUSYGROUP Consumer Group name already exists',
    meaning: 'XGROUP CREATE of a group that is there.',
  },
  entriesReadNegative: {
    text: 'ERR value for ENTRIESREAD must be positive or -1',
    meaning: '-1 says that it is not known.',
  },
  claimMinIdle: {
    text: 'ERR Invalid min-idle-time argument for XCLAIM',
    meaning: 'No signed 64-bit integer.',
  },
  claimIdle: {
    text: 'ERR Invalid IDLE option argument for XCLAIM',
    meaning: 'No signed 64-bit integer.',
  },
  claimTime: {
    text: 'ERR Invalid TIME option argument for XCLAIM',
    meaning: 'No signed 64-bit integer.',
  },
  claimRetryCount: {
    text: 'ERR Invalid RETRYCOUNT option argument for XCLAIM',
    meaning: 'No signed 64-bit integer.',
  },
  unknownClaimOption: {
    text: "ERR Unrecognized XCLAIM option '%s'",
    meaning: 'XCLAIM has no such option.',
  },
  autoclaimMinIdle: {
    text: 'ERR Invalid min-idle-time argument for XAUTOCLAIM',
    meaning: 'No signed 64-bit integer.',
  },
  autoclaimCount: {
    text: 'ERR COUNT must be > 0',
    meaning: 'XAUTOCLAIM returns at least one entry if there is one.',
  },
  dollarInGroup: {
    text:
      'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of ' +
      'this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would ' +
      'just return an empty result set.',
    meaning: 'XREADGROUP takes > or an id.',
  },
  groupNeedsKey: {
    text:
      'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use ' +
      'the MKSTREAM option to create an empty stream automatically.',
    meaning: 'There is no such key.',
  },
  subcommandSyntax: {
    text: "ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.",
    meaning: 'The subcommand does not take these arguments.',
  },
} as const satisfies Record<string, ErrorEntry>;
