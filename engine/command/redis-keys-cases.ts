/** Cases of redis.compare.test.ts for bits, LCS and SORT; see redis-cases.ts for their form. */
import { type Case, play } from './redis-script.ts';

export const keysCases: Readonly<Record<string, readonly Case[]>> = {
  BITFIELD: play(`
    same BITFIELD k
    same EXISTS k
    same BITFIELD k GET u8 0
    same BITFIELD k SET u8 0 255 GET i8 0 GET u4 0 GET u1 7 GET u8 4
    same GET k
    same BITFIELD k SET i8 #2 -100 GET i8 #2 GET u8 16
    same GET k
    same BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
    same BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
    same BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
    same BITFIELD k INCRBY u2 100 1 OVERFLOW SAT INCRBY u2 102 1
    same BITFIELD k OVERFLOW FAIL INCRBY u2 102 1
    same BITFIELD k OVERFLOW fail SET u2 102 9 overflow wrap SET u2 102 9 GET u2 102
    same BITFIELD new OVERFLOW FAIL INCRBY u2 102 9
    same STRLEN new
    same BITFIELD w SET i64 0 9223372036854775807 INCRBY i64 0 1 GET i64 0
    same BITFIELD w SET i64 0 -9223372036854775808 INCRBY i64 0 -1
    same BITFIELD w OVERFLOW SAT SET i64 0 9223372036854775807 INCRBY i64 0 1
    same BITFIELD w OVERFLOW SAT SET i64 0 -9223372036854775808 INCRBY i64 0 -1
    same BITFIELD w OVERFLOW FAIL INCRBY i64 0 -1 INCRBY i64 0 9223372036854775807
    same BITFIELD w SET u63 3 9223372036854775807 INCRBY u63 3 1 GET u63 3
    same BITFIELD w OVERFLOW SAT INCRBY u63 3 -1 INCRBY u63 3 9223372036854775807
    same BITFIELD w SET u8 0 -1 GET u8 0 OVERFLOW SAT SET u8 0 -1 GET u8 0 OVERFLOW FAIL SET u8 0 -1
    same BITFIELD w SET i5 3 16 GET i5 3 OVERFLOW SAT SET i5 3 16 GET i5 3 SET i5 3 -17 GET i5 3
    same BITFIELD w INCRBY i8 0 127 INCRBY i8 0 127 INCRBY i8 0 -128 INCRBY i8 0 -9223372036854775808
    same BITFIELD w INCRBY u8 0 9223372036854775807 INCRBY u8 0 -9223372036854775808
    same GET w
    same BITFIELD w GET u64 0
    same BITFIELD w GET i65 0
    same BITFIELD w GET u0 0
    same BITFIELD w GET x8 0
    same BITFIELD w GET U8 0
    same BITFIELD w GET i 0
    same BITFIELD w GET i08 0
    same BITFIELD w GET i-1 0
    same BITFIELD w GET i8 -1
    same BITFIELD w GET i8 #-1
    same BITFIELD w GET i8 abc
    same BITFIELD w GET i8 #
    same BITFIELD w GET i8 ""
    same BITFIELD w GET i8 01
    same BITFIELD w GET u8 4294967296
    same BITFIELD w GET u8 4294967295
    same BITFIELD w GET u8 #536870912
    same BITFIELD w GET u8 #536870911
    same BITFIELD w GET u8 99999999999999999999
    same BITFIELD w GET u8
    same BITFIELD w SET u8 0
    same BITFIELD w SET u8 0 abc
    same BITFIELD w SET u8 0 9223372036854775808
    same BITFIELD w SET u8 0 1 GET u8 x
    same BITFIELD w OVERFLOW
    same BITFIELD w OVERFLOW FOO
    same BITFIELD w OVERFLOW FOO GET u8 0
    same BITFIELD w FOO u8 0
    same BITFIELD
    same SADD s a
    same BITFIELD s GET u8 0
    same BITFIELD s SET u8 0 1
    same BITFIELD s FOO
    same BITFIELD_RO w GET u8 0 GET i3 2
    same BITFIELD_RO w SET u8 0 1
    same BITFIELD_RO w OVERFLOW SAT GET u8 0
    same BITFIELD_RO none GET u8 0
    same BITFIELD_RO s GET u8 0
    same BITFIELD_RO s SET u8 0 1
    same BITFIELD_RO
    same SET t 5 EX 100
    same BITFIELD t SET u8 0 65 SET u8 8 66
    same GET t
    same TTL t
    same SET n 12345
    same BITFIELD n GET u8 0 GET u16 16 GET u16 32
    same BITFIELD n INCRBY u8 32 1
    same INCR n
  `),
  BITOP: play(`
    same SET a "foof"
    same SET b "\\u00ff\\u0000x"
    same BITOP AND d a b
    same GET d
    same BITOP or d a b none
    same GET d
    same BITOP XOR d a b a
    same GET d
    same BITOP NOT d b
    same GET d
    same BITOP NOT a a
    same GET a
    same SET d v EX 100
    same BITOP AND d a
    same TTL d
    same BITOP AND d none
    same EXISTS d
    same BITOP AND d none none2
    same SADD s x
    same BITOP AND s a b
    same TYPE s
    same SADD t x
    same BITOP AND d a t
    same EXISTS d
    same BITOP NOT d a b
    same BITOP NOT d
    same BITOP FOO d a
    same BITOP FOO d t
    same BITOP AND d
    same BITOP constructor d a
    same SET i 15
    same BITOP OR d i i
    same GET d
  `),
  LCS: play(`
    same MSET a ohmytext b mynewtext
    same LCS a b
    same LCS a b LEN
    same LCS a b IDX
    same LCS a b idx minmatchlen 4
    same LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
    same LCS a b IDX MINMATCHLEN -7 WITHMATCHLEN
    same LCS a b MINMATCHLEN 4
    same LCS a b LEN WITHMATCHLEN
    same LCS a b IDX LEN
    same LCS a b FOO
    same LCS a b MINMATCHLEN
    same LCS a b MINMATCHLEN abc
    same LCS a none
    same LCS none a LEN
    same LCS none none2 IDX
    same LCS a a IDX WITHMATCHLEN
    same LCS a
    same SADD s x
    same LCS a s
    same LCS s a FOO
    same MSET c 6666 d 66 e 12345666 f 9123456766
    same LCS c d IDX
    same LCS e f IDX WITHMATCHLEN
    same LCS f e IDX WITHMATCHLEN
    same MSET g abcdefabcdef h fedcbaabc i 12 j 21
    same LCS g h IDX WITHMATCHLEN
    same LCS h g IDX
    same LCS h g
    same LCS i j IDX
    same LCS i j
  `),
  'SORT of lists and sorted sets, and STORE': play(`
    same RPUSH l 3 1 20 -5 100 1
    same SORT l
    same SORT l DESC LIMIT 1 3
    same SORT l BY nosort
    same SORT l BY nosort DESC
    same SORT l BY nosort LIMIT 1 2
    same MSET w1 9 w3 4 w20 3 w-5 2 w100 1
    same SORT l BY w* GET # GET w*
    same SORT l BY w* STORE d
    same LRANGE d 0 -1
    same SORT l GET none* GET # STORE d
    same LRANGE d 0 -1
    same TYPE d
    same EXPIRE d 100
    same SORT l STORE d
    same TTL d
    same SORT l LIMIT 9 1 STORE d
    same EXISTS d
    same SET d string
    same SORT none STORE d
    same EXISTS d
    same SET d string
    same SORT l ALPHA STORE d
    same LRANGE d 0 -1
    same SORT l STORE l
    same LRANGE l 0 -1
    same SORT l STORE
    same SADD s c a b
    same SORT s BY nosort STORE d
    same LRANGE d 0 -1
    same SORT s STORE d
    same LRANGE d 0 -1
    same ZADD z 3 c 1 a 2 b 10 10
    same SORT z ALPHA
    same SORT z
    same SORT z BY nosort
    same SORT z BY nosort DESC
    same SORT z BY nosort DESC LIMIT 1 2
    same SORT z BY nosort ASC LIMIT 1 -1 GET #
    same SORT z ALPHA STORE d
    same LRANGE d 0 -1
    same XADD x 1-1 f v
    same SORT x
    same SORT_RO l DESC
  `),
  'SORT of sets': play(`
    same SADD s 3 1 20 -5 100
    same SORT s
    same SORT s DESC
    same SORT s ASC LIMIT 1 2
    same SORT s LIMIT -3 2
    same SORT s LIMIT 1 -1
    same SORT s LIMIT 3 100
    same SORT s LIMIT 100 1
    same SORT s LIMIT 0 0
    same SORT s LIMIT 9223372036854775807 9223372036854775807
    same SORT s ALPHA
    same SORT s ALPHA DESC
    same SORT s LIMIT 1
    same SORT s LIMIT a 1
    same SORT s LIMIT 0 b
    same SORT s FOO
    same SORT s BY
    same SORT s GET
    same SORT none
    same SORT none FOO
    same SORT none BY w*
    same SORT
    same MSET w1 5 w3 4 w20 3 w-5 2 w100 1
    same SORT s BY w*
    same SORT s BY w* GET # GET w*
    same SORT s BY w* GET x* GET #
    same SORT s BY none*
    sameSorted SORT s BY none* ALPHA GET #
    same SORT s BY none* ALPHA DESC LIMIT 0 1 GET w3
    same DEL w20
    same SORT s BY w*
    same SORT s BY w* ALPHA LIMIT 0 1
    same SET w20 abc
    same SORT s BY w*
    same SORT s BY w* ALPHA
    same SET w20 ""
    same SORT s BY w*
    same SET w20 " 7"
    same SORT s BY w*
    same SET w20 "7 "
    same SORT s BY w*
    same SET w20 0x1F
    same SORT s BY w*
    same SET w20 inf
    same SORT s BY w*
    same SET w20 nan
    same SORT s BY w*
    same SET w20 1.5
    same SORT s BY w* GET w*
    same HSET h1 f 9 g a
    same HSET h3 f 1 g b
    same HSET h20 f 5
    same HSET h-5 f 2
    same HSET h100 f 3
    same SORT s BY h*->f
    same SORT s BY h*->f GET h*->g GET h*->f GET h*
    same SORT s BY h*->none ALPHA LIMIT 0 0
    same SORT s BY h*->
    same SORT s BY h*
    same SORT s GET h*->
    same SORT s BY w* GET nostar GET #
    sameSorted SORT s BY nosort
    sameSorted SORT s BY nosort GET #
    same SADD t a b c
    same SORT t
    same SORT t ALPHA
    same SORT t BY w*
    same SORT t alpha desc limit 0 2
    same SADD u 1 1.0 01 1e0
    same SORT u
    same SORT u DESC
    same SORT_RO s
    same SORT_RO s BY w* GET # LIMIT 0 2 DESC
    same SORT_RO s STORE d
    same SORT_RO none
    same SORT_RO
    same SET str x
    same SORT str
    same SORT_RO str ALPHA
    same HSET hash f v
    same SORT hash
    same COMMAND GETKEYS SORT a BY b* STORE c
    same COMMAND GETKEYS SORT a
    same COMMAND GETKEYS SORT_RO a GET x
  `),
  'DUMP and RESTORE of what is wrong': play(`
    same DUMP none
    run SET k v
    run DUMP k
    same RESTORE k 0 junk
    same RESTORE new 0 junk
    same RESTORE new abc junk
  `),
  'one database': play(`
    same SET k v
    same MOVE k 0
    same MOVE k abc
    same MOVE k 999999
    same MOVE k -1
    same MOVE k
    same SWAPDB 0 0
    same SWAPDB abc 0
    same SWAPDB 0 abc
    same SWAPDB 0 999999
    same SWAPDB 0
    same SELECT 0
    same SELECT 999999
    same COPY k l DB 999999
    same GET k
  `),
  HyperLogLog: play(`
    same PFADD h a b c d e f g
    same PFCOUNT h
    same PFADD h a b
    same PFADD h
    same PFADD new
    same PFADD new
    same PFCOUNT new
    same TYPE h
    same OBJECT ENCODING h
    same STRLEN new
    same PFADD one foo
    same PFADD one ""
    same PFCOUNT one
    same PFADD i "\\u0000\\u00ff" 1234567 12345678 123456789 1234567890123456
    same PFCOUNT i h none
    same PFCOUNT none
    same PFMERGE m h i none
    same PFCOUNT m
    same PFMERGE m
    same PFCOUNT m
    same PFMERGE created
    same PFCOUNT created
    same EXISTS created
    same PFADD m zzz
    same PFCOUNT m h i
    same EXPIRE m 100
    same PFADD m yyy
    same TTL m
    same COPY m n
    same PFCOUNT n
    same PFADD n xxx
    same PFCOUNT n
    same RENAME n o
    same PFCOUNT o
    same SET str abc
    same PFADD str x
    same PFCOUNT str
    same PFCOUNT h str
    same PFMERGE str h
    same PFMERGE m str
    same SADD s x
    same PFADD s x
    same PFCOUNT s
    same PFMERGE s h
    same PFMERGE m s
    same SET short HYLL
    same PFADD short x
    same SET bad "HYLL\\u0001\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0080"
    same PFCOUNT bad
    same SET bad "HYLL\\u0001\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0080\\u007f\\u00ff\\u0000"
    same PFCOUNT bad
    same SET enc "HYLL\\u0002\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0080\\u007f\\u00ff"
    same PFCOUNT enc
    same SET dense "HYLL\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0080\\u007f\\u00ff"
    same PFCOUNT dense
    same SET good "HYLL\\u0001\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0080\\u007f\\u00fe\\u0084"
    same PFCOUNT good
    same EXPIRE good 100
    same PFADD good x
    same TTL good
    same PFCOUNT good
    same INCR h
    same BITCOUNT new 0 4
    same GETRANGE h 0 4
    same SET h plain
    same PFADD h x
    same GET h
    same PFCOUNT
    same PFADD
    same PFMERGE
  `),
};
