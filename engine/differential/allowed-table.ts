/**
 * What may differ from Redis in the differential test, and why. Everything else must be equal, to the letter.
 *
 *     skip     not drawn
 *     tame     sent instead of what was drawn, so that the answer does not depend on chance or time
 *     allows   two replies that may stand for each other
 */
import type { ReplyTree } from '../command/reply-tree.ts';
import { show } from '../command/session-fixture.ts';
import { sortedReply } from '../command/sorted-reply.ts';
import type { Draw } from './kinds.ts';

export type Allowed = {
  /** Names as in the command table. */
  readonly commands: RegExp;
  readonly reason: string;
  readonly skip?: true;
  readonly tame?: (words: readonly string[], draw: Draw) => string[][];
  readonly allows?: (ours: ReplyTree, theirs: ReplyTree) => boolean;
};

export const allowedTable: readonly Allowed[] = [
  {
    commands: /^CRDT\.|^CLUSTER|^(READONLY|READWRITE|ASKING)$/,
    reason: 'Redis has no regions, and alone it is no cluster',
    skip: true,
  },
  {
    commands: /^(SHUTDOWN|DEBUG|QUIT|RESET|MONITOR|SAVE|BGSAVE|BGREWRITEAOF|FAILOVER|MIGRATE)$/,
    reason: 'ends the process or the connection, or is refused here',
    skip: true,
  },
  {
    commands: /^(REPLICAOF|SLAVEOF|SWAPDB|MOVE|SELECT)$/,
    reason: 'there is one database, and the operator places replicas',
    skip: true,
  },
  {
    commands: /^(INFO|TIME|LASTSAVE|ROLE|LOLWUT|HELLO|AUTH|MEMORY\|.*|LATENCY\|.*|SLOWLOG\|.*)$/,
    reason: 'facts of the process',
    skip: true,
  },
  {
    commands: /^(COMMAND.*|CONFIG\|.*|ACL\|.*|.*\|HELP|PFDEBUG|PFSELFTEST)$/,
    reason: 'tables and texts of our own; compared by cases',
    skip: true,
  },
  {
    commands: /^CLIENT\|(ID|LIST|INFO|KILL|PAUSE|UNPAUSE|REPLY|TRACKING.*|CACHING|UNBLOCK|NO-.*)$/,
    reason: 'facts of the connection, or changes how it is answered; compared by cases',
    skip: true,
  },
  {
    commands: /^[PS]?(UN)?SUBSCRIBE$/,
    reason: 'answered by pushes, not by one reply; compared by cases',
    skip: true,
  },
  {
    commands: /^(SCRIPT\|(DEBUG|KILL)|FUNCTION\|(KILL|STATS|LIST|LOAD))$/,
    reason: 'the debugger of Redis takes the connection over; libraries are compared by cases',
    skip: true,
  },
  {
    commands: /^(WAIT|WAITAOF)$/,
    reason: 'waits for replicas, which a lone server has not',
    skip: true,
  },
  {
    commands: /^(DUMP|RESTORE|FUNCTION\|DUMP|FUNCTION\|RESTORE)$/,
    reason: 'the payload is our own',
    skip: true,
  },
  {
    commands: /^OBJECT\|(ENCODING|REFCOUNT|IDLETIME|FREQ)$/,
    reason: 'encodings are those of a fresh value, and idle times pass; compared by cases',
    skip: true,
  },
  {
    commands: /^(B[LR]POP|BLMPOP|BLMOVE|BRPOPLPUSH|BZPOP(MIN|MAX)|BZMPOP)$/,
    reason:
      'whoever blocks stops the burst: here it runs where it never blocks; of two mistakes the ' +
      'other may be named first, and scores are written with other digits',
    tame: (words) => [['MULTI'], [...words], ['EXEC']],
    allows: (ours, theirs) => bothErrors(ours, theirs) || sameNumbers(ours, theirs),
  },
  {
    commands: /^(SMEMBERS|SINTER|SUNION|SDIFF|HGETALL|HKEYS|HVALS|KEYS)$/,
    reason: 'sets, hashes and the keyspace have no order',
    allows: sameSorted,
  },
  {
    commands: /^(SCAN|HSCAN|SSCAN|ZSCAN)$/,
    reason: 'cursors are our own: everything in one page, which has no order',
    tame: (words) => [onePage(words)],
    allows: (ours, theirs) => sameNumbers(sortedReply(ours), sortedReply(theirs)),
  },
  {
    commands: /^SORT(_RO)?$/,
    reason:
      'what is not sorted has no order (BY without a star), so that LIMIT takes any part of it',
    tame: (words) => [withoutLimit(words)],
    allows: sameSorted,
  },
  {
    commands: /^(ZRANK|ZREVRANK)$/,
    reason: 'WITHSCORE came with Redis 7.2',
    tame: (words) => [words.slice(0, 3)],
  },
  {
    commands: /^XINFO\|(CONSUMERS|STREAM)$/,
    reason: 'times pass, and Redis 7.2 tells more of consumers; compared by cases',
    tame: (words) => [words.slice(0, 3)],
    allows: (_, theirs) => theirs.kind === 'array' || theirs.kind === 'error',
  },
  {
    commands: /^Z(LEXCOUNT|(REV)?RANGEBYLEX|REMRANGEBYLEX)$/,
    reason: 'of members with different scores the order by letters is not defined',
    tame: (words) => [[...LEX_MEMBERS], [words[0], LEX_KEY, ...words.slice(2)]],
  },
  {
    commands: /^(ZRANGE|ZRANGESTORE)$/,
    reason: 'of members with different scores the order by letters is not defined',
    tame: (words) => [words.map((word) => (/^bylex$/i.test(word) ? 'BYSCORE' : word))],
    allows: sameNumbers,
  },
  {
    commands: /^(EVALSHA(_RO)?|LMPOP|XREAD|XGROUP\|(CREATE|SETID)|FUNCTION\|FLUSH)$/,
    reason: 'of two mistakes the other may be named first, or in the words of Redis 7.2',
    allows: bothErrors,
  },
  {
    commands: /^XSETID$/,
    reason:
      'since Redis 7.2 it does not go back behind entries that were deleted; compared by cases',
    skip: true,
  },
  {
    commands: /^(XCLAIM|XAUTOCLAIM)$/,
    reason: 'since Redis 7.2 the consumer is made even when it gets nothing',
    tame: (words) => [['XGROUP', 'CREATECONSUMER', ...words.slice(1, 4)], [...words]],
  },
  {
    commands: /^XREADGROUP$/,
    reason: 'the same, and the words of the error are those of Redis 7.2',
    tame: (words) => [['XGROUP', 'CREATECONSUMER', ...groupOfRead(words)], [...words]],
    allows: bothErrors,
  },
  {
    commands: /^PFCOUNT$/,
    reason: 'Redis writes the count into the key, which breaks a WATCH',
    tame: (words) => [[...words], ['UNWATCH']],
  },
  {
    commands: /^SPOP$/,
    reason: 'chance decides which: all of them are taken',
    tame: (words) => [[...words.slice(0, 2), takesAll(words[2]), ...words.slice(3)]],
    allows: sameSorted,
  },
  {
    commands: /^(SRANDMEMBER|HRANDFIELD|ZRANDMEMBER|RANDOMKEY)$/,
    reason: 'chance decides which: as many of them',
    allows: sameSize,
  },
  {
    commands: /^(TTL|PTTL|EXPIRETIME|PEXPIRETIME|HTTL|HPTTL|HEXPIRETIME|HPEXPIRETIME)$/,
    reason: 'our clock stands still within a burst, that of Redis does not',
    allows: near,
  },
  {
    commands: /^(Z|GEO|SORT|EXEC$)/,
    reason: '7.0 prints 17 digits of a score, 7.2 the shortest; its small sorted sets forget -0',
    allows: sameNumbers,
  },
  {
    commands: /^(INCRBYFLOAT|HINCRBYFLOAT)$/,
    reason: 'our sums are exact, long doubles are not: fractions have keys and fields of their own',
    tame: tameFloat,
  },
];

const LEX_KEY = 'lex';
const LEX_MEMBERS = ['ZADD', LEX_KEY, '0', 'm1', '0', 'm2', '0', 'x', '0', ''];

/** The first row that has something to say of a command. */
export function allowedFor(name: string): Allowed | null {
  return allowedTable.find(({ commands }) => commands.test(name)) ?? null;
}

function sameSorted(ours: ReplyTree, theirs: ReplyTree): boolean {
  return show(sortedReply(ours)) === show(sortedReply(theirs));
}

/** Equal when numbers are read as doubles. */
function sameNumbers(ours: ReplyTree, theirs: ReplyTree): boolean {
  const read = (reply: ReplyTree): string =>
    show(reply).replace(/"-?\d+(\.\d+)?(e[+-]\d+)?"/g, (text) =>
      String(Number(text.slice(1, -1)) + 0),
    );
  return read(ours) === read(theirs);
}

function bothErrors(ours: ReplyTree, theirs: ReplyTree): boolean {
  return ours.kind === 'error' && theirs.kind === 'error';
}

function sameSize(ours: ReplyTree, theirs: ReplyTree): boolean {
  if (ours.kind !== theirs.kind) return false;
  if ('items' in ours && 'items' in theirs) {
    return (
      ours.items.length === theirs.items.length &&
      ours.items.every((item, i) => sameSize(item, theirs.items[i]))
    );
  }
  return ['bulk', 'double'].includes(ours.kind) || show(ours) === show(theirs);
}

/** Equal but for integers, which may lie as far apart as two seconds. */
function near(ours: ReplyTree, theirs: ReplyTree): boolean {
  if (ours.kind === 'integer' && theirs.kind === 'integer') {
    const gap = ours.value - theirs.value;
    return gap > -2000n && gap < 2000n;
  }
  if ('items' in ours && 'items' in theirs) {
    return (
      ours.items.length === theirs.items.length &&
      ours.items.every((item, i) => near(item, theirs.items[i]))
    );
  }
  return show(ours) === show(theirs);
}

/** A scan whose first page is the last. */
function onePage(words: readonly string[]): string[] {
  const first = words[0].toUpperCase() === 'SCAN' ? 1 : 2;
  const tamed = words.map((word, i) => {
    if (i === first) return word === 'abc' ? word : '0';
    return words[i - 1]?.toUpperCase() === 'COUNT' && Number(word) > 0 ? '1000' : word;
  });
  const counted = tamed.some((word) => word.toUpperCase() === 'COUNT');
  return counted ? tamed : [...tamed, 'COUNT', '1000'];
}

/** Key, group and consumer of `XREADGROUP GROUP group consumer … STREAMS key id`. */
function groupOfRead(words: readonly string[]): string[] {
  const at = words.findIndex((word) => /^streams$/i.test(word));
  return [words[at + 1] ?? '', ...words.slice(2, 4)];
}

function withoutLimit(words: readonly string[]): string[] {
  const upper = words.map((word) => word.toUpperCase());
  const by = words[upper.indexOf('BY') + 1];
  const sorts = !upper.includes('BY') || by?.includes('*');
  return sorts
    ? [...words]
    : words.map((word) => (word.toUpperCase() === 'LIMIT' ? 'ALPHA' : word));
}

function takesAll(count: string | undefined): string {
  return count === undefined || Number(count) > 0 ? '1000' : count;
}

const FLOAT_KEYS = ['x', 'y'];
const NO_FRACTIONS = ['abc', '', ' 1', '1 ', 'nan', '0x', '1e'];

function tameFloat(words: readonly string[], draw: Draw): string[][] {
  const [name, key] = words;
  const isHash = name.toUpperCase() === 'HINCRBYFLOAT';
  if (words.length !== (isHash ? 4 : 3)) return [[...words]];
  const amount = words[words.length - 1];
  if (draw.below(3) === 0) return [[...words.slice(0, -1), draw.pick(NO_FRACTIONS)]];
  if (isHash) return [[name, key, 'float', amount]];
  const own = draw.pick(FLOAT_KEYS);
  return [
    [name, own, amount],
    draw.pick([
      ['INCR', own],
      ['GET', own],
      ['SET', own, draw.pick(['1', '2.75', 'abc', '-0.5'])],
    ]),
  ];
}
