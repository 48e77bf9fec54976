/** Cases of redis.compare.test.ts for streams; see redis-script.ts for their form. */
import { type Case, play } from './redis-script.ts';

/** A stream of ids 1-1, 2-1, 3-1, 4-1. */
const FOUR = `
    run XADD s 1-1 a 1
    run XADD s 2-1 a 2
    run XADD s 3-1 a 3 b 4
    run XADD s 4-1 c 5
`;

export const streamCases: Readonly<Record<string, readonly Case[]>> = {
  XADD: play(`
    same XADD s 1-1 f v
    same XADD s 1-1 f v
    same XADD s 1-0 f v
    same XADD s 1-* f v
    same XADD s 1-* f v
    same XADD s 0-* f v
    same XADD s 5 f v g w
    same XADD s 5-* f v
    same XADD s 0-0 f v
    same XADD new 0-0 f v
    same XADD new 0 f v
    same EXISTS new
    same XADD new 0-* f v
    same XADD s abc f v
    same XADD s 1-2-3 f v
    same XADD s -1 f v
    same XADD s - f v
    same XADD s + f v
    same XADD s 7-+1 f v
    same XADD s 007-03 f v
    same XADD s "" f v
    same XADD s 1-abc f v
    same XADD s *-1 f v
    same XADD s 18446744073709551616-1 f v
    same XADD s 18446744073709551615-18446744073709551614 f v
    same XADD s * f v
    same XADD s 18446744073709551615-* f v
    same XADD s 18446744073709551615-18446744073709551615 f v
    same XADD s * f v
    same XLEN s
    same XRANGE s - +
    same XADD t 9007199254740993-9007199254740993 f v
    same XADD t 9007199254740993-* f v
    same XADD t 9007199254740994-* f v
    same XADD t * f v
    same XRANGE t - +
    same XREVRANGE t + -
    same XADD
    same XADD s
    same XADD s *
    same XADD s * f
    same XADD s * f v g
    same XADD x NOMKSTREAM 1-1 f v
    same EXISTS x
    same XADD s NOMKSTREAM
    same XADD "" 1-1 "" ""
    same XRANGE "" - +
    same TYPE s
    same OBJECT ENCODING s
    run SET str v
    same XADD str 1-1 f v
    same XLEN str
    same XRANGE str - +
    same XDEL str 1-1
    same XTRIM str MAXLEN 0
    same XSETID str 1-1
    same XREAD STREAMS str 0
    same XREADGROUP GROUP g c STREAMS str 0
    same XGROUP CREATE str g 0
    same XACK str g 1-1
    same XPENDING str g
    same XCLAIM str g c 0 1-1
    same XAUTOCLAIM str g c 0 0
    same XINFO STREAM str
    same GET s
    same SADD s a
    same HSET s a b
  `),
  'XADD with trimming': play(`
    ${FOUR}
    same XADD s MAXLEN 3 5-1 f v
    same XLEN s
    same XADD s MAXLEN = 3 6-1 f v
    same XADD s MAXLEN ~ 3 7-1 f v
    same XLEN s
    same XADD s MINID 6 8-1 f v
    same XRANGE s - +
    same XADD s MINID = 7-1 9-1 f v
    same XADD s MINID ~ 8 10-1 f v
    same XRANGE s - +
    same XADD s MAXLEN 0 11-1 f v
    same XLEN s
    same EXISTS s
    same XADD s 11-1 f v
    same XADD s MAXLEN -1 12-1 f v
    same XADD s MAXLEN abc 12-1 f v
    same XADD s MAXLEN 1 MINID 2 12-1 f v
    same XADD s MAXLEN 1 MAXLEN 2 12-1 f v
    same XADD s MAXLEN 1 LIMIT 5 12-1 f v
    same XADD s MAXLEN ~ 1 LIMIT -5 12-1 f v
    same XADD s MAXLEN ~ 1 LIMIT 0 12-1 f v
    same XADD s LIMIT 5 12-1 f v
    same XADD s MAXLEN 1
    same XADD s MINID x 13-1 f v
    same XADD s MAXLEN ~ 5 * 
    same XADD s NOMKSTREAM MAXLEN 2 13-1 f v
    same XADD none NOMKSTREAM MAXLEN 2 13-1 f v
  `),
  'XRANGE and XREVRANGE': play(`
    ${FOUR}
    same XRANGE s - +
    same XRANGE s 2 3
    same XRANGE s (1-1 +
    same XRANGE s (1 +
    same XRANGE s - (4-1
    same XRANGE s - (4
    same XRANGE s 2-1 2-1
    same XRANGE s 2-2 2-1
    same XRANGE s + -
    same XRANGE s 3 2
    same XRANGE s - + COUNT 2
    same XRANGE s - + COUNT 0
    same XRANGE s - + COUNT -1
    same XRANGE s - + COUNT -5
    same XRANGE s - + COUNT abc
    same XRANGE s - + COUNT
    same XRANGE s - + COUNT 2 COUNT 3
    same XRANGE s - + LIMIT 2
    same XRANGE s (18446744073709551615-18446744073709551615 +
    same XRANGE s - (0-0
    same XRANGE s - (-
    same XRANGE s ( +
    same XRANGE s (- +
    same XRANGE s x +
    same XRANGE none - +
    same XRANGE none x +
    same XRANGE s -
    same XREVRANGE s + -
    same XREVRANGE s + - COUNT 2
    same XREVRANGE s 3 2
    same XREVRANGE s (3-1 (1-1
    same XREVRANGE s - +
    same XREVRANGE none + -
    same XREVRANGE none + - COUNT 0
  `),
  'XDEL and XTRIM': play(`
    ${FOUR}
    same XDEL s 2-1
    same XDEL s 2-1
    same XDEL s 2-1 3-1 9-9
    same XDEL s abc
    same XDEL s 1-1 abc
    same XRANGE s - +
    same XDEL none 1-1
    same XDEL none abc
    same XDEL s
    same XDEL s 1-1 4-1
    same EXISTS s
    same XLEN s
    same XADD s 4-1 f v
    same XADD s 4-2 f v
    same XTRIM s MAXLEN 5
    same XTRIM s MAXLEN 0
    ${FOUR.replaceAll('XADD s ', 'XADD t ')}
    same XTRIM t MAXLEN 3
    same XTRIM t MINID 3
    same XTRIM t MINID 3
    same XTRIM t MAXLEN ~ 1
    same XTRIM t MAXLEN ~ 1 LIMIT 2
    same XTRIM t MAXLEN = 1 LIMIT 2
    same XTRIM t MAXLEN 1 LIMIT 2
    same XTRIM t MAXLEN = 1
    same XTRIM t MAXLEN
    same XTRIM t LIMIT 3
    same XTRIM t MAXLEN ~
    same XTRIM t MAXLEN 1 x
    same XTRIM t
    same XTRIM none MAXLEN 1
    same XRANGE t - +
  `),
  XSETID: play(`
    same XSETID none 1-1
    ${FOUR}
    same XSETID s 3-1
    same XSETID s 4-1
    same XSETID s 9-9
    same XADD s 9-9 f v
    same XADD s 9-10 f v
    same XSETID s 10 ENTRIESADDED 2
    same XSETID s 10 ENTRIESADDED -2
    same XSETID s 10 ENTRIESADDED 100
    same XSETID s 10 MAXDELETEDID 11
    same XSETID s 10 MAXDELETEDID 8
    same XSETID s 11 ENTRIESADDED 50 MAXDELETEDID 9
    same XINFO STREAM s
    same XSETID s x
    same XSETID s 12 FOO
    same XSETID s 12 ENTRIESADDED
  `),
  XREAD: play(`
    ${FOUR}
    run XADD t 1-1 x y
    same XREAD STREAMS s 0
    same XREAD STREAMS s t 2 0
    same XREAD STREAMS s t 9 9
    same XREAD STREAMS t s none 9 3 0
    same XREAD COUNT 2 STREAMS s 0
    same XREAD COUNT 0 STREAMS s 0
    same XREAD COUNT -1 STREAMS s 2
    same XREAD STREAMS s $
    same XREAD COUNT x STREAMS s 0
    sameError XREAD STREAMS s
    sameError XREAD STREAMS s t 0
    same XREAD STREAMS
    same XREAD s 0 0
    same XREAD GROUP g c STREAMS s 0
    same XREAD NOACK STREAMS s 0
    same XREAD STREAMS s >
    same XREAD STREAMS s abc
    same XREAD STREAMS s -
    same XREAD BLOCK -1 STREAMS s $
    same XREAD BLOCK x STREAMS s $
    same XREAD BLOCK 10 STREAMS s 0-0
    same XREAD STREAMS s 18446744073709551615-18446744073709551615
    same XREAD STREAMS none 0
    same COMMAND GETKEYS XREAD COUNT 2 STREAMS a b 0 0
    run MULTI
    run XREAD BLOCK 1000 STREAMS s $
    same EXEC
  `),
  'XGROUP and XREADGROUP': play(`
    same XGROUP CREATE s g $
    same XGROUP CREATE s g $ MKSTREAM
    same XGROUP CREATE s g 0
    same XGROUP CREATE s h 0 MKSTREAM ENTRIESREAD 3
    same XGROUP CREATE s i 0 ENTRIESREAD -2
    same XGROUP CREATE s i x
    same XGROUP CREATE s i - 
    same XGROUP CREATE s
    same XGROUP CREATE s i 0 FOO
    same XLEN s
    same XINFO STREAM s
    ${FOUR}
    same XREADGROUP GROUP g alice COUNT 1 STREAMS s >
    same XREADGROUP GROUP g bob COUNT 1 STREAMS s >
    same XREADGROUP GROUP g alice STREAMS s 0
    same XREADGROUP GROUP g bob STREAMS s 0
    same XREADGROUP GROUP g bob STREAMS s 2-1
    same XREADGROUP GROUP g alice STREAMS s >
    same XREADGROUP GROUP g alice STREAMS s >
    same XREADGROUP GROUP g alice COUNT 2 STREAMS s 0
    same XACK s g 1-1
    same XACK s g 1-1
    same XACK s g 1-1 2-1 9-9
    same XACK s none 1-1
    same XACK none g 1-1
    same XACK s g abc
    same XACK s g
    same XREADGROUP GROUP g alice STREAMS s 0
    run XDEL s 3-1
    same XREADGROUP GROUP g alice STREAMS s 0
    same XREADGROUP GROUP h carol NOACK STREAMS s >
    same XREADGROUP GROUP h carol STREAMS s 0
    same XREADGROUP GROUP none c STREAMS s >
    same XREADGROUP GROUP g c STREAMS none >
    same XREADGROUP GROUP g c STREAMS s $
    same XREADGROUP GROUP g c STREAMS s x
    sameError XREADGROUP GROUP g c STREAMS s t 0
    sameError XREADGROUP STREAMS s t u v >
    same XREADGROUP GROUP g c COUNT 1 s > x
    same XREADGROUP GROUP g c BLOCK 1 STREAMS s 0
    same XGROUP CREATECONSUMER s g dave
    same XGROUP CREATECONSUMER s g dave
    same XGROUP CREATECONSUMER s none dave
    same XGROUP CREATECONSUMER none g dave
    same XGROUP DELCONSUMER s g alice
    same XGROUP DELCONSUMER s g alice
    same XPENDING s g
    same XGROUP SETID s g 0
    same XREADGROUP GROUP g eve STREAMS s >
    same XGROUP SETID s g $
    same XGROUP SETID s g 2-1 ENTRIESREAD 2
    same XREADGROUP GROUP g eve COUNT 1 STREAMS s >
    same XGROUP SETID s none 0
    same XGROUP SETID s g x
    same XGROUP DESTROY s g
    same XGROUP DESTROY s g
    same XGROUP DESTROY none g
    same XREADGROUP GROUP g eve STREAMS s >
    same XGROUP CREATE s g 0
    same XREADGROUP GROUP g eve STREAMS s >
    same XPENDING s g
    sameError XGROUP FOO
    same COMMAND GETKEYS XREADGROUP GROUP g c STREAMS a b 0 0
  `),
  'XPENDING, XCLAIM and XAUTOCLAIM': play(`
    ${FOUR}
    run XGROUP CREATE s g 0
    same XPENDING s g
    same XPENDING s g - + 10
    run XREADGROUP GROUP g alice COUNT 3 STREAMS s >
    run XREADGROUP GROUP g bob STREAMS s >
    same XPENDING s g
    same XPENDING s g - + 0
    same XPENDING s g - + 10 nobody
    same XPENDING s g IDLE 100000 - + 10
    same XPENDING s g IDLE 100000 - + 10 alice
    same XPENDING s g - +
    same XPENDING s g - + x
    same XPENDING s g x + 10
    same XPENDING s g IDLE x - + 10
    same XPENDING s g IDLE 1 - +
    same XPENDING s g (3-1 (4-1 10
    same XPENDING s g (4-1 + -1
    same XPENDING s none
    same XPENDING none g
    same XCLAIM s g bob 0 1-1
    same XCLAIM s g bob 100000 2-1
    same XCLAIM s g bob 0 2-1 JUSTID
    same XCLAIM s g bob 0 9-9
    same XCLAIM s g bob 0 9-9 FORCE
    same XCLAIM s g bob 0 1-1 2-1 RETRYCOUNT 7 JUSTID
    same XCLAIM s g bob -5 1-1 1-1 IDLE 1000 JUSTID
    same XCLAIM s g bob x 1-1
    same XCLAIM s g bob 0 1-1 IDLE x
    same XCLAIM s g bob 0 1-1 TIME x
    same XCLAIM s g bob 0 1-1 RETRYCOUNT x
    same XCLAIM s g bob 0 1-1 LASTID x
    same XCLAIM s g bob 0 1-1 FOO
    same XCLAIM s g bob 0 1-1 TIME
    same XCLAIM s none bob 0 1-1
    same XCLAIM none g bob 0 1-1
    same XPENDING s g
    run XACK s g 1-1
    same XCLAIM s g carol 0 1-1
    same XCLAIM s g carol 0 1-1 FORCE
    same XCLAIM s g carol 0 1-1 FORCE JUSTID LASTID 5-0
    run XADD s 4-5 late v
    same XREADGROUP GROUP g carol STREAMS s >
    run XDEL s 2-1
    same XCLAIM s g carol 0 2-1 3-1
    same XPENDING s g
    run XDEL s 3-1
    same XAUTOCLAIM s g dave 0 0 COUNT 2
    same XAUTOCLAIM s g dave 0 4 COUNT 1
    same XAUTOCLAIM s g dave 100000 0
    same XAUTOCLAIM s g dave 0 0 JUSTID
    same XAUTOCLAIM s g dave 0 (1-1 JUSTID
    same XAUTOCLAIM s g dave 0 0 COUNT 0
    same XAUTOCLAIM s g dave 0 0 COUNT x
    same XAUTOCLAIM s g dave 0 0 FOO
    same XAUTOCLAIM s g dave x 0
    same XAUTOCLAIM s g dave 0 x
    same XAUTOCLAIM s none dave 0 0
    same XAUTOCLAIM none g dave 0 0
    same XPENDING s g
  `),
  XINFO: play(`
    ${FOUR}
    same XINFO STREAM s
    run XGROUP CREATE s g 0
    run XGROUP CREATE s end $
    run XGROUP CREATE s mid 2-1
    same XINFO GROUPS s
    run XREADGROUP GROUP g c COUNT 2 STREAMS s >
    same XINFO GROUPS s
    run XREADGROUP GROUP mid c COUNT 1 STREAMS s >
    same XINFO GROUPS s
    run XDEL s 3-1
    same XINFO GROUPS s
    run XREADGROUP GROUP g c STREAMS s >
    same XINFO GROUPS s
    same XINFO STREAM s
    run XTRIM s MAXLEN 1
    same XINFO STREAM s
    same XINFO GROUPS s
    run XDEL s 4-1
    same XINFO STREAM s
    same XINFO GROUPS s
    run XADD s 7-7 f v
    same XINFO GROUPS s
    same XINFO STREAM none
    same XINFO GROUPS none
    same XINFO CONSUMERS none g
    same XINFO CONSUMERS s none
    same XINFO CONSUMERS s end
    same XINFO STREAM s FOO
    sameError XINFO STREAM s FULL COUNT
    same XINFO STREAM s FULL COUNT x
    same XINFO STREAM
    sameError XINFO FOO s
    run XGROUP CREATE empty g 0 MKSTREAM
    same XINFO STREAM empty
    same XINFO GROUPS empty
    same XINFO STREAM empty FULL
  `),
  'streams as keys': play(`
    ${FOUR}
    same TYPE s
    same EXISTS s
    same COPY s t
    same XRANGE t - +
    same XINFO STREAM t
    same RENAME s u
    same XRANGE u - +
    same XADD u 4-1 f v
    same EXPIRE u 100
    same XADD u 5-1 f v
    same TTL u
    same DEL u t
    same XLEN u
    same XADD u 1-1 f v
    same SET u string
    same GET u
    run XADD v 1-1 f v
    run XDEL v 1-1
    same RENAME v w
    same XLEN w
    same EXISTS w
    same XADD w 1-1 f v
    same XADD w 1-2 f v
  `),
};
