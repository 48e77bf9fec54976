/**
 * Cases of redis.compare.test.ts for sorted sets; see redis-cases.ts for their form. Scores with fractions
 * are sums of powers of two: 7.0 prints 17 digits of a double, 7.2 the shortest ones, as we do. (Small
 * sorted sets of Redis forget that a zero was -0; ours do not.)
 */
import { type Case, play } from './redis-script.ts';

const big = Array.from({ length: 300 }, (_, n) => `${(n * 37) % 101} m${n}`).join(' ');

export const zsetCases: Readonly<Record<string, readonly Case[]>> = {
  ZADD: play(`
    same ZADD z 1 a
    same ZADD z 1 a 2 b 3 c
    same ZADD z CH 2 a 2 b 4 d
    same ZADD z NX 9 a 9 e
    same ZADD z XX 7 a 7 nobody
    same ZADD z XX CH 8 a 8 nobody
    same ZADD z GT 5 a 10 b
    same ZADD z LT CH 5 a 100 b
    same ZADD z GT CH 5 a 200 b
    same ZADD z GT XX CH 6 a 6 new
    same ZADD z LT 1 fresh
    same ZADD z INCR 5 a
    same ZADD z INCR NX 5 a
    same ZADD z XX INCR 5 nobody
    same ZADD z INCR GT -5 a
    same ZADD z INCR LT -5 a
    same ZADD z ch 1 a 1 a
    same ZADD z CH 1 tw 2 tw 3 tw
    same ZADD z NX 1 tx 2 tx
    same ZADD z GT 5 tx 4 tx 6 tx
    same ZRANGE z 0 -1 WITHSCORES
    same ZADD z NX XX 1 a
    same ZADD z NX GT 1 a
    same ZADD z NX LT 1 a
    same ZADD z GT LT 1 a
    same ZADD z INCR 1 a 2 b
    same ZADD z 1
    same ZADD z 1 a 2
    same ZADD z NX
    same ZADD z NX 1
    same ZADD z abc a
    same ZADD z 1 a nan b
    same ZADD z "" a
    same ZADD z " 1" a
    same ZADD z 1e400 a
    same ZADD z 1e-400 a
    same ZADD z 0x10 hex
    same ZADD z inf i -inf j +inf k
    same ZADD z infinity i2
    same ZADD z 1.5e3 e .5 half 5. five
    same ZADD z INCR -inf i
    same ZADD z INCR inf j
    same ZRANGE z 0 -1 WITHSCORES
    same SET s x
    same ZADD s 1 a
    same ZADD s abc a
    same ZADD s INCR 1 a
    same ZADD new XX 1 a
    same EXISTS new
    same ZADD z 1 "" 1 "a\\u0000b\\r\\n" 1 "\\u00ff"
    same ZRANGE z 0 -1
    same TYPE z
    same OBJECT ENCODING z
  `),
  'ZINCRBY, ZREM, ZSCORE': play(`
    same ZINCRBY z 5 a
    same ZINCRBY z 2.5 a
    same ZINCRBY z -10 a
    same ZINCRBY z 0 b
    same ZINCRBY z inf a
    same ZINCRBY z -inf a
    same ZINCRBY z 1 a
    same ZINCRBY z abc a
    same ZINCRBY z nx a
    same ZINCRBY z 1
    same ZINCRBY z 1e22 big
    same ZINCRBY z -1e22 big
    same ZINCRBY z 9007199254740993 whole
    same ZINCRBY z 1 whole
    same ZINCRBY z 1 whole
    same ZINCRBY z 4503599627370496 whole
    same ZSCORE z a
    same ZSCORE z nobody
    same ZSCORE none a
    same ZMSCORE z a b nobody
    same ZMSCORE none a b
    same ZMSCORE z
    same ZCARD z
    same ZCARD none
    same ZREM z a a nobody
    same ZREM z
    same ZREM none a
    same ZREM z b big whole
    same EXISTS z
    run SET s x
    same ZINCRBY s 1 a
    same ZREM s a
    same ZSCORE s a
    same ZMSCORE s a
    same ZCARD s
  `),
  'ZRANGE by rank': play(`
    run ZADD z 1 a 2 b 3 c 3 bb 4 d 5 e
    same ZRANGE z 0 -1
    same ZRANGE z 1 3 WITHSCORES
    same ZRANGE z -2 -1
    same ZRANGE z 3 1
    same ZRANGE z 10 20
    same ZRANGE z -100 100
    same ZRANGE z 0 -100
    same ZRANGE z 0 -1 REV
    same ZRANGE z 1 2 REV WITHSCORES
    same ZREVRANGE z 0 -1
    same ZREVRANGE z 1 2 WITHSCORES
    same ZREVRANGE z -1 -1
    same ZREVRANGE z 0 -1 REV
    same ZRANGE z 0 -1 LIMIT 0 1
    same ZRANGE z 0 -1 LIMIT 0 -1
    same ZRANGE z 0 -1 LIMIT 0
    same ZRANGE z a b
    same ZRANGE z 0 1.5
    same ZRANGE z 0 -1 FOO
    same ZRANGE z 0
    same ZRANGE none 0 -1
    same ZRANGE none 0 -1 WITHSCORES
    same ZRANGE none a -1
    run SET s x
    same ZRANGE s 0 -1
    same ZREVRANGE s 0 -1
    same ZRANGE z 9223372036854775807 9223372036854775807
    same ZRANGE z -9223372036854775808 9223372036854775807
  `),
  'ZRANGE by score': play(`
    run ZADD z 1 a 2 b 3 c 3 bb 4 d 5 e -inf low inf high
    same ZRANGEBYSCORE z 2 4
    same ZRANGEBYSCORE z (2 (4 WITHSCORES
    same ZRANGEBYSCORE z -inf +inf
    same ZRANGEBYSCORE z (-inf (inf
    same ZRANGEBYSCORE z 4 2
    same ZRANGEBYSCORE z (3 3
    same ZRANGEBYSCORE z 3 3
    same ZRANGEBYSCORE z -inf inf LIMIT 1 2
    same ZRANGEBYSCORE z -inf inf LIMIT 1 -1 WITHSCORES
    same ZRANGEBYSCORE z -inf inf LIMIT -1 2
    same ZRANGEBYSCORE z -inf inf LIMIT 100 2
    same ZRANGEBYSCORE z -inf inf LIMIT 0 0
    same ZRANGEBYSCORE z -inf inf LIMIT a 2
    same ZRANGEBYSCORE z -inf inf LIMIT 1
    same ZRANGEBYSCORE z -inf inf BYSCORE
    same ZRANGEBYSCORE z a 2
    same ZRANGEBYSCORE z "" 2
    same ZRANGEBYSCORE z " 1" 2
    same ZRANGEBYSCORE z "1 " 2
    same ZRANGEBYSCORE z ( 2
    same ZRANGEBYSCORE z ((1 2
    same ZRANGEBYSCORE z nan 2
    same ZRANGEBYSCORE z 1e400 inf
    same ZREVRANGEBYSCORE z 4 2
    same ZREVRANGEBYSCORE z 2 4
    same ZREVRANGEBYSCORE z +inf -inf LIMIT 1 3 WITHSCORES
    same ZREVRANGEBYSCORE z (4 (1
    same ZRANGE z 2 4 BYSCORE
    same ZRANGE z 4 2 BYSCORE REV
    same ZRANGE z (4 2 BYSCORE REV LIMIT 0 1 WITHSCORES
    same ZRANGE z -inf inf BYSCORE LIMIT 2 3
    same ZRANGE z -inf inf BYSCORE BYLEX
    same ZCOUNT z 2 4
    same ZCOUNT z (2 +inf
    same ZCOUNT z 4 2
    same ZCOUNT z a b
    same ZCOUNT none 0 1
    same ZCOUNT z -inf -inf
    same ZRANGEBYSCORE none 0 1
    same ZRANGEBYSCORE none 0 x
    run SET s x
    same ZRANGEBYSCORE s 0 1
    same ZCOUNT s 0 1
    same ZCOUNT s 0 x
  `),
  'ZRANGE by name': play(`
    run ZADD z 0 a 0 b 0 c 0 d 0 aa 0 "" 0 "\\u00ff"
    same ZRANGEBYLEX z - +
    same ZRANGEBYLEX z [a [c
    same ZRANGEBYLEX z (a (c
    same ZRANGEBYLEX z [a +
    same ZRANGEBYLEX z - (b
    same ZRANGEBYLEX z + -
    same ZRANGEBYLEX z [c [a
    same ZRANGEBYLEX z - + LIMIT 1 2
    same ZRANGEBYLEX z - + WITHSCORES
    same ZRANGEBYLEX z a c
    same ZRANGEBYLEX z "" c
    same ZRANGEBYLEX z [ [b
    same ZRANGEBYLEX z +a [b
    same ZREVRANGEBYLEX z + -
    same ZREVRANGEBYLEX z [c [a
    same ZREVRANGEBYLEX z + - LIMIT 1 2
    same ZRANGE z [a (d BYLEX
    same ZRANGE z (d [a BYLEX REV LIMIT 0 2
    same ZRANGE z - + BYLEX WITHSCORES
    same ZLEXCOUNT z - +
    same ZLEXCOUNT z [a (c
    same ZLEXCOUNT z + -
    same ZLEXCOUNT z a c
    same ZLEXCOUNT none - +
    same ZREMRANGEBYLEX z [a [b
    same ZREMRANGEBYLEX z a b
    same ZREMRANGEBYLEX none - +
    same ZRANGE z 0 -1
    same ZREMRANGEBYLEX z - +
    same EXISTS z
    run SET s x
    same ZLEXCOUNT s - +
    same ZREMRANGEBYLEX s - +
    same ZREMRANGEBYLEX s x y
  `),
  'ZRANK, ZREMRANGEBYRANK, ZREMRANGEBYSCORE': play(`
    run ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
    same ZRANK z a
    same ZRANK z f
    same ZREVRANK z a
    same ZREVRANK z f
    same ZRANK z nobody
    same ZRANK none a
    same ZREMRANGEBYRANK z 1 2
    same ZRANGE z 0 -1
    same ZREMRANGEBYRANK z 5 9
    same ZREMRANGEBYRANK z a 9
    same ZREMRANGEBYRANK none 0 -1
    same ZREMRANGEBYSCORE z (1 5
    same ZREMRANGEBYSCORE z x 5
    same ZREMRANGEBYSCORE none 1 5
    same ZRANGE z 0 -1
    same ZREMRANGEBYRANK z -1 -1
    same ZREMRANGEBYRANK z 0 -1
    same EXISTS z
    run SET s x
    same ZRANK s a
    same ZREMRANGEBYRANK s 0 1
    same ZREMRANGEBYSCORE s 0 1
  `),
  ZRANGESTORE: play(`
    run ZADD z 1 a 2 b 3 c 4 d
    same ZRANGESTORE t z 1 2
    same ZRANGE t 0 -1 WITHSCORES
    same ZRANGESTORE t z (1 3 BYSCORE
    same ZRANGE t 0 -1 WITHSCORES
    same ZRANGESTORE t z 3 1 BYSCORE REV LIMIT 0 2
    same ZRANGE t 0 -1 WITHSCORES
    same ZRANGESTORE t z [a [b BYLEX
    same ZRANGE t 0 -1
    same ZRANGESTORE t z 0 -1 WITHSCORES
    same ZRANGESTORE t z 0 -1 LIMIT 0 1
    same ZRANGESTORE t none 0 -1
    same EXISTS t
    run SET s x
    same ZRANGESTORE t s 0 -1
    same ZRANGESTORE s z 0 0
    same TYPE s
    same ZRANGESTORE z z 1 1
    same ZRANGE z 0 -1
  `),
  'ZPOPMIN, ZPOPMAX, ZMPOP': play(`
    run ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g
    same ZPOPMIN z
    same ZPOPMAX z
    same ZPOPMIN z 2
    same ZPOPMAX z 1
    same ZPOPMIN z 0
    same ZPOPMIN z -1
    same ZPOPMIN z a
    same ZPOPMIN z 1 2
    same ZPOPMIN none
    same ZPOPMIN none 3
    same ZPOPMAX z 100
    same EXISTS z
    run SET s x
    same ZPOPMIN s
    same ZPOPMIN s 0
    same ZPOPMIN s a
    run ZADD z 1 a 2 b 3 c
    same ZMPOP 2 none z MIN
    same ZMPOP 1 z MAX COUNT 2
    same ZMPOP 1 z MAX COUNT 2
    same ZMPOP 1 none MIN
    same ZMPOP 0 z MIN
    same ZMPOP a z MIN
    same ZMPOP 2 z MIN
    same ZMPOP 1 z
    same ZMPOP 1 z FOO
    same ZMPOP 1 z MIN COUNT
    same ZMPOP 1 z MIN COUNT 0
    same ZMPOP 1 z MIN COUNT x
    same ZMPOP 1 z MIN COUNT 1 COUNT 1
    same ZMPOP 1 s MIN
    same ZMPOP 2 none s MIN
  `),
  'BZPOPMIN and BZMPOP that need not wait': play(`
    run ZADD z 1 a 2 b 3 c 4 d
    same BZPOPMIN z 0
    same BZPOPMAX none z 0
    same BZMPOP 0 2 none z MIN
    same BZMPOP 1 1 z MAX COUNT 5
    same BZPOPMIN z -1
    same BZPOPMIN z abc
    same BZMPOP x 1 z MIN
    same BZMPOP 0 0 z MIN
    same BZMPOP 0 1 z FOO
    run SET s x
    same BZPOPMIN s 0
    same BZMPOP 0 1 s MIN
    same MULTI
    same BZPOPMIN none 0
    same BZMPOP 0 1 none MIN
    same EXEC
  `),
  'ZUNION, ZINTER, ZDIFF': play(`
    run ZADD x 1 a 2 b 3 c
    run ZADD y 10 b 20 c 30 d
    run SADD s a b z
    same ZUNION 2 x y WITHSCORES
    same ZUNION 2 x y
    same ZUNION 3 x y s WITHSCORES
    same ZUNION 2 x y WEIGHTS 2 0.5 WITHSCORES
    same ZUNION 2 x y AGGREGATE MIN WITHSCORES
    same ZUNION 2 x y AGGREGATE max WITHSCORES
    same ZUNION 2 x y WEIGHTS 1 -1 AGGREGATE SUM WITHSCORES
    same ZUNION 2 x x WITHSCORES
    same ZUNION 2 x none WITHSCORES
    same ZUNION 1 none
    same ZINTER 2 x y WITHSCORES
    same ZINTER 3 x y s WITHSCORES
    same ZINTER 2 x y WEIGHTS 2 3 AGGREGATE MAX WITHSCORES
    same ZINTER 2 x none
    same ZDIFF 2 x y WITHSCORES
    same ZDIFF 2 x none
    same ZDIFF 2 none x
    same ZDIFF 2 x x
    same ZDIFF 2 x s
    same ZDIFF 2 x y WEIGHTS 1 2
    same ZINTERCARD 2 x y
    same ZINTERCARD 2 x y LIMIT 1
    same ZINTERCARD 2 x y LIMIT 0
    same ZINTERCARD 2 x y LIMIT -1
    same ZINTERCARD 2 x y LIMIT
    same ZINTERCARD 2 x y WITHSCORES
    same ZINTERCARD 0 x y
    same ZUNION 0 x
    same ZUNION -1 x
    same ZUNION a x
    same ZUNION 3 x y
    same ZUNION 2 x y WEIGHTS 1
    same ZUNION 2 x y WEIGHTS 1 a
    same ZUNION 2 x y AGGREGATE
    same ZUNION 2 x y AGGREGATE AVG
    same ZUNION 2 x y FOO
    same ZUNIONSTORE t 2 x y
    same ZRANGE t 0 -1 WITHSCORES
    same ZINTERSTORE t 2 x y WEIGHTS 1 2
    same ZRANGE t 0 -1 WITHSCORES
    same ZDIFFSTORE t 2 x y
    same ZRANGE t 0 -1 WITHSCORES
    same ZUNIONSTORE t 2 x y WITHSCORES
    same ZINTERSTORE t 2 x none
    same EXISTS t
    same ZUNIONSTORE x 2 x y
    same ZRANGE x 0 -1 WITHSCORES
    run SET str v
    same ZUNION 2 x str
    same ZUNION 2 str x FOO
    same ZUNIONSTORE str 1 x
    same TYPE str
    run ZADD i inf a
    run ZADD j -inf a
    same ZUNION 2 i j WITHSCORES
    same ZUNION 1 i WEIGHTS 0 WITHSCORES
    same ZINTER 2 i j WEIGHTS 0 1 WITHSCORES
    same COMMAND GETKEYS ZUNIONSTORE t 2 x y
  `),
  GEOADD: play(`
    same GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    same GEOADD g CH 13.361389 38.115557 Palermo 15 37 new
    same GEOADD g NX 0 0 Palermo 0 0 zero
    same GEOADD g XX CH 1 1 Catania 1 1 nobody
    same ZRANGE g 0 -1 WITHSCORES
    same GEOADD g NX XX 1 1 a
    same GEOADD g 1 1
    same GEOADD g 1 1 a 2
    same GEOADD g 181 1 a
    same GEOADD g 1 86 a
    same GEOADD g 1 -85.06 a
    same GEOADD g x 1 a
    same GEOADD g 1 x a
    same GEOADD g inf 1 a
    same GEOADD g -180 -85.05112878 corner 179.999999 85.05112877 other
    same GEOADD ends 180 85.05112878 ne 180 0 e
    same ZRANGE ends 0 -1 WITHSCORES
    same GEOPOS ends ne e
    same GEOHASH ends ne e
    same GEOSEARCH ends FROMLONLAT 179 0 BYRADIUS 200 km
    same GEOPOS g Palermo Catania nobody zero corner other
    same GEOPOS none a b
    same GEOPOS g
    same GEOHASH g Palermo Catania nobody zero
    same GEOHASH none a
    same GEODIST g Palermo Catania
    same GEODIST g Palermo Catania km
    same GEODIST g Palermo Catania MI
    same GEODIST g Palermo Catania ft
    same GEODIST g Palermo Palermo
    same GEODIST g Palermo nobody
    same GEODIST g Palermo zero x
    same GEODIST g Palermo zero m m
    same GEODIST none a b
    same TYPE g
    run SET s x
    same GEOADD s 1 1 a
    same GEOPOS s a
    same GEODIST s a b
    same GEOHASH s a
  `),
  GEOSEARCH: play(`
    run GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 edge1 17.241510 38.788135 edge2
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHDIST
    same GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHCOORD WITHDIST WITHHASH
    same GEOSEARCH g FROMMEMBER Palermo BYRADIUS 100 mi ASC
    same GEOSEARCH g FROMMEMBER Palermo BYRADIUS 0 m
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT 2
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT 2 DESC
    sameSorted GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 20000 km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT 1 ANY
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km ANY
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT 0
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT x
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS x km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 parsec
    same GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 -1 km
    same GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km
    same GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km
    same GEOSEARCH g FROMLONLAT 15 370 BYBOX 1 1 km
    same GEOSEARCH g FROMMEMBER nobody BYRADIUS 1 km
    same GEOSEARCH g BYRADIUS 1 km ASC COUNT 1
    same GEOSEARCH g FROMLONLAT 15 37 ASC WITHDIST
    same GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km
    same GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km FOO
    same GEOSEARCH none FROMLONLAT 15 37 BYRADIUS 1 km
    same GEOSEARCH none FROMMEMBER x BYRADIUS 1 km
    same GEOSEARCH none FROMMEMBER x BYRADIUS 1 parsec
    same GEOSEARCHSTORE t g FROMLONLAT 15 37 BYRADIUS 200 km
    same ZRANGE t 0 -1 WITHSCORES
    same GEOSEARCHSTORE t g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
    same GEOSEARCHSTORE t g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST COUNT 1
    same ZRANGE t 0 -1
    same GEOSEARCHSTORE t none FROMLONLAT 15 37 BYRADIUS 200 km
    same EXISTS t
    run SET s x
    same GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km
    same GEOSEARCHSTORE t s FROMLONLAT 15 37 BYRADIUS 1 km
  `),
  GEORADIUS: play(`
    run GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
    same GEORADIUS g 15 37 200 km WITHDIST ASC
    same GEORADIUS g 15 37 200 km WITHCOORD WITHHASH DESC COUNT 1
    same GEORADIUS_RO g 15 37 200 km ASC
    same GEORADIUS_RO g 15 37 200 km STORE t
    same GEORADIUSBYMEMBER g Palermo 100 mi ASC
    same GEORADIUSBYMEMBER_RO g Palermo 1 m
    same GEORADIUSBYMEMBER g nobody 1 m
    same GEORADIUSBYMEMBER none nobody 1 m
    same GEORADIUSBYMEMBER none nobody x m
    same GEORADIUS g 15 37 x km
    same GEORADIUS g 15 37 -1 km
    same GEORADIUS g 15 37 1 x
    same GEORADIUS g 15 370 1 km
    same GEORADIUS g 15 37 1 km FOO
    same GEORADIUS g 15 37 200 km STORE t
    same ZRANGE t 0 -1 WITHSCORES
    same GEORADIUS g 15 37 200 km STOREDIST t COUNT 1
    same ZRANGE t 0 -1
    same GEORADIUS g 15 37 200 km STORE t WITHDIST
    same GEORADIUS none 15 37 200 km STORE t
    same EXISTS t
    same GEORADIUS none 15 37 200 km
    same COMMAND GETKEYS GEORADIUS g 15 37 200 km STORE t
    same COMMAND GETKEYS GEORADIUSBYMEMBER g m 200 km STOREDIST t
  `),
  'SORT of sorted sets': play(`
    run ZADD z 3 1 2 20 1 3
    same SORT z
    same SORT z DESC
    same SORT z BY nosort
    same SORT z BY nosort DESC
    same SORT z BY nosort LIMIT 1 1
    same SORT z BY nosort DESC LIMIT 1 1
    run ZADD z 4 abc
    same SORT z
    same SORT z ALPHA
    same SORT_RO z ALPHA DESC
  `),
  'ZRANDMEMBER and ZSCAN': play(`
    run ZADD z 1 a 2 b 3 c
    sameSorted ZRANDMEMBER z 10
    same ZRANDMEMBER z 0
    same ZRANDMEMBER none
    same ZRANDMEMBER none 5
    same ZRANDMEMBER z a
    same ZRANDMEMBER z 1 FOO
    same ZRANDMEMBER z 1 WITHSCORES 1
    same ZRANDMEMBER z -9223372036854775808
    same ZRANDMEMBER z -9223372036854775808 WITHSCORES
    same ZSCAN z 0
    same ZSCAN z 0 MATCH b*
    same ZSCAN z x
    same ZSCAN z 0 FOO
    same ZSCAN none 0
    same ZSCAN none 0 FOO
    run SET s x
    same ZSCAN s 0
    same ZRANDMEMBER s
    run ZADD one 2.5 a
    same ZRANDMEMBER one
    same ZRANDMEMBER one 5 WITHSCORES
    same ZRANDMEMBER one -3 WITHSCORES
  `),
  'large sorted sets': play(`
    same ZADD z ${big}
    same OBJECT ENCODING z
    same ZRANGE z 0 -1 WITHSCORES
    same ZRANGE z 100 140 REV WITHSCORES
    same ZRANGEBYSCORE z (20 25 LIMIT 2 8 WITHSCORES
    same ZREVRANGEBYSCORE z 90 (80 WITHSCORES
    same ZCOUNT z 10 20
    same ZRANK z m17
    same ZREVRANK z m250
    same ZINCRBY z 7 m17
    same ZINCRBY z 0.5 m18
    same ZADD z XX CH 3 m17 5 m19
    same ZREM z m1 m2 m3 nobody
    same ZPOPMIN z 5
    same ZPOPMAX z 5
    same ZREMRANGEBYSCORE z 30 60
    same ZRANGE z 0 -1 WITHSCORES
    same ZREMRANGEBYRANK z 10 -1
    same ZRANGE z 0 -1 WITHSCORES
    same ZCARD z
    same COPY z c
    same ZRANGE c 0 -1 WITHSCORES
    same RENAME c d
    same ZRANGE d 0 -1 WITHSCORES
    same EXPIRE d 100
    same ZREM d m17
    same TTL d
    same PERSIST d
    same DEL z d
  `),
};
