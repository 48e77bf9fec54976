/**
 * The cases of redis.compare.test.ts, in the form of redis-script.ts. Each title starts from an empty
 * database on a new connection.
 */
import { aclCases } from './redis-acl-cases.ts';
import { keysCases } from './redis-keys-cases.ts';
import { listCases } from './redis-list-cases.ts';
import { type Case, play } from './redis-script.ts';
import { settingCases } from './redis-settings-cases.ts';
import { streamCases } from './redis-stream-cases.ts';
import { zsetCases } from './redis-zset-cases.ts';

export const compareCases: Readonly<Record<string, readonly Case[]>> = {
  'GET and SET': play(`
    same GET nothing
    same SET k v
    same GET k
    same get k
    same SET k "a\\u0000b\\r\\n"
    same GET k
    same SET k ""
    same GET k
    same SET "" empty-key
    same GET ""
    same SADD s a
    same GET s
    same SET s now-a-string
    same GET s
    same GET
    same GET a b
    same SET k
    same TYPE k
  `),
  'SET options': play(`
    same SET k v NX
    same SET k w NX
    same SET k w XX
    same SET none w XX
    same SET k x GET
    same SET new x GET
    same SET new2 x NX GET
    same SET new2 y NX GET
    same SET none y XX GET
    same GET none
    same SET k v EX 100
    same TTL k
    same SET k w KEEPTTL
    same TTL k
    same SET k w
    same TTL k
    same SET k v PX 100000
    same TTL k
    same SET k v EXAT 9999999999
    same EXPIRETIME k
    same SET k v PXAT 9999999999123
    same PEXPIRETIME k
    same SET k v EX 0
    same SET k v EX -1
    same SET k v EX abc
    same SET k v EX 1.5
    same SET k v EX 9223372036854775807
    same SET k v EX 99999999999999999999
    same SET k v PX 0
    same SET k v EXAT 0
    same SET k v EX
    same SET k v EX 10 PX 10
    same SET k v EX 10 KEEPTTL
    same SET k v KEEPTTL EX 10
    same SET k v KEEPTTL KEEPTTL
    same SET k v NX XX
    same SET k v XX NX
    same SET k v NX NX
    same SET k v PERSIST
    same SET k v FOO
    same SET k v ex 50 nx
    same SET k v nx get ex 50
    same SADD s a
    same SET s v GET
    same SET s v NX GET
    same SET s v NX
    same SET s v EX abc GET
    same SMEMBERS s
    same SET k v PXAT 1
    same GET k
    same EXISTS k
    same DBSIZE
  `),
  'SETNX SETEX GETSET GETDEL GETEX': play(`
    same SETNX k a
    same SETNX k b
    same GET k
    same SETEX k 100 v
    same TTL k
    same SETEX k 0 v
    same SETEX k -5 v
    same SETEX k abc v
    same PSETEX k 100000 v
    same PSETEX k 0 v
    same TTL k
    same GETSET k new
    same TTL k
    same GETSET none v
    same GET none
    same GETDEL none
    same GETDEL none
    same EXISTS none
    same GETEX k
    same GETEX k EX 100
    same TTL k
    same GETEX k PERSIST
    same TTL k
    same GETEX k PX 100000
    same TTL k
    same GETEX k EXAT 9999999999
    same EXPIRETIME k
    same GETEX k EX 0
    same GETEX k EX abc
    same GETEX k KEEPTTL
    same GETEX k NX
    same GETEX k EX 10 PERSIST
    same GETEX missing EX 10
    same GETEX missing EX abc
    same GETEX k PXAT 1
    same EXISTS k
    same SADD s a
    same GETSET s v
    same GETDEL s
    same GETEX s
    same SETNX s v
    same SETEX s 10 v
    same TYPE s
  `),
  'MGET MSET MSETNX': play(`
    same MSET a 1 b 2 a 3
    same MGET a b c
    same MSET a
    same MSET a 1 b
    same MSETNX a 1 z 2
    same EXISTS z
    same MSETNX y 1 z 2
    same MGET y z
    same MSETNX y
    same MSETNX y 1 z
    same SADD s x
    same MGET a s nothing
    same MGET
    same MSET s now-string
    same GET s
  `),
  'APPEND STRLEN ranges': play(`
    same APPEND k Hello
    same APPEND k " World"
    same GET k
    same STRLEN k
    same STRLEN none
    same GETRANGE k 0 4
    same GETRANGE k -5 -1
    same GETRANGE k 0 -1
    same GETRANGE k 5 100
    same GETRANGE k 50 100
    same GETRANGE k -1 -5
    same GETRANGE k 4 2
    same GETRANGE k -100 -50
    same GETRANGE k -100 2
    same GETRANGE none 0 -1
    same GETRANGE k a 1
    same GETRANGE k 0 b
    same GETRANGE k 0 9223372036854775807
    same GETRANGE k 0 9223372036854775808
    same SUBSTR k 0 4
    same SETRANGE k 6 Redis
    same GET k
    same SETRANGE k 20 x
    same GET k
    same SETRANGE k 2 ""
    same SETRANGE none 2 ""
    same EXISTS none
    same SETRANGE none 3 abc
    same GET none
    same SETRANGE k -1 x
    same SETRANGE k abc x
    same SETRANGE k 536870911 xxxx
    same APPEND empty ""
    same EXISTS empty
    same SADD s a
    same APPEND s x
    same STRLEN s
    same GETRANGE s 0 1
    same GETRANGE s a 1
    same SETRANGE s 0 x
    same SETRANGE s 0 ""
    same SET t v EX 100
    same APPEND t w
    same TTL t
    same SETRANGE t 0 z
    same TTL t
  `),
  counters: play(`
    same INCR c
    same INCR c
    same DECR c
    same INCRBY c 10
    same DECRBY c 3
    same GET c
    same INCRBY c abc
    same INCRBY c 1.5
    same INCRBY c 01
    same INCRBY c +1
    same INCRBY c " 1"
    same INCRBY c ""
    same INCRBY c -0
    same SET c abc
    same INCR c
    same SET c " 5"
    same INCR c
    same SET c 9223372036854775806
    same INCR c
    same INCR c
    same GET c
    same INCRBY c -9223372036854775807
    same GET c
    same SET c -9223372036854775808
    same DECR c
    same DECRBY c 1
    same INCRBY c 9223372036854775807
    same DECRBY c -9223372036854775808
    same DECRBY c 9223372036854775807
    same SET c 9007199254740991
    same INCR c
    same INCR c
    same GET c
    same DECR c
    same INCRBY c 9223372036854775808
    same DECRBY c 99999999999999999999
    same SADD s a
    same INCR s
    same INCRBY s 5
    same INCRBY s abc
    same DECRBY s abc
    same INCR
    same INCR a b
    same SET t 5 EX 100
    same INCR t
    same TTL t
    same SET e 0
    same DECR e
    same SET f 3.0
    same INCR f
    same SET g 012
    same INCR g
  `),
  INCRBYFLOAT: play(`
    same INCRBYFLOAT f 1.5
    same INCRBYFLOAT f 0.1
    same INCRBYFLOAT f -1.6
    same INCRBYFLOAT f 3
    same GET f
    same INCR f
    same INCRBYFLOAT f 0.1
    same INCR f
    same SET f 10.50
    same INCRBYFLOAT f 0.1
    same INCRBYFLOAT f -5
    same SET f 5.0e3
    same INCRBYFLOAT f 2.0e2
    same INCRBYFLOAT f abc
    same INCRBYFLOAT f ""
    same INCRBYFLOAT f " 1"
    same INCRBYFLOAT f "1 "
    same INCRBYFLOAT f inf
    same INCRBYFLOAT f nan
    same INCRBYFLOAT f -inf
    same SET f abc
    same INCRBYFLOAT f 1
    same INCRBYFLOAT f inf
    same SADD s a
    same INCRBYFLOAT s 1
    same INCRBYFLOAT s abc
    same SET t 1 EX 100
    same INCRBYFLOAT t 1.5
    same TTL t
    same SET h 0
    same INCRBYFLOAT h -0.0
    same INCRBYFLOAT h 1e3
    same INCRBYFLOAT h 0x10
  `),
  bits: play(`
    same SETBIT b 7 1
    same GET b
    same SETBIT b 7 0
    same SETBIT b 7 0
    same SETBIT b 100 1
    same STRLEN b
    same GETBIT b 100
    same GETBIT b 101
    same GETBIT b 100000
    same GETBIT none 5
    same SETBIT b -1 1
    same SETBIT b abc 1
    same SETBIT b 4294967296 1
    same SETBIT b 1 2
    same SETBIT b 1 abc
    same GETBIT b -1
    same GETBIT b 4294967296
    same SET k foobar
    same BITCOUNT k
    same BITCOUNT k 0 0
    same BITCOUNT k 1 1
    same BITCOUNT k 1 1 BYTE
    same BITCOUNT k 5 30 BIT
    same BITCOUNT k 0 -1 BIT
    same BITCOUNT k -2 -1
    same BITCOUNT k -1 -2
    same BITCOUNT k -1 -2 FOO
    same BITCOUNT k -2 -1 FOO
    same BITCOUNT k 4 2
    same BITCOUNT k 0
    same BITCOUNT k 0 1 FOO
    same BITCOUNT k a 1
    same BITCOUNT k 0 1 BIT 5
    same BITCOUNT none
    same BITCOUNT none 0 1
    same BITCOUNT none a b
    same SET p "\\u00ff\\u00f0\\u0000"
    same BITPOS p 0
    same BITPOS p 1
    same BITPOS p 1 2
    same BITPOS p 0 0 0
    same BITPOS p 0 0
    same BITPOS p 1 -1
    same BITPOS p 1 1 2 BYTE
    same BITPOS p 0 7 15 BIT
    same BITPOS p 1 7 15 BIT
    same BITPOS p 1 7 -3 BIT
    same BITPOS p 0 1 -3
    same BITPOS p 2
    same BITPOS p a
    same BITPOS p 0 a
    same BITPOS p 0 0 a
    same BITPOS p 0 0 1 FOO
    same BITPOS none 0
    same BITPOS none 1
    same BITPOS none 0 a
    same SET full "\\u00ff\\u00ff"
    same BITPOS full 0
    same BITPOS full 0 0 -1
    same BITPOS full 0 5
    same SET e ""
    same BITPOS e 0
    same BITPOS e 1
    same BITCOUNT e
    same BITCOUNT e 0 -1
    same SADD s a
    same SETBIT s 1 1
    same GETBIT s 1
    same BITCOUNT s
    same BITPOS s 1
  `),
  hashes: play(`
    same HSET h f v
    same HSET h f w g x
    same HSET h f
    same HSET h f v g
    same HSET h a 1 a 2
    same HGET h a
    same HMSET h f v g
    same HMSET h m 1
    same HGET h f
    same HGET h none
    same HGET none f
    same HMGET h f none g
    same HMGET none a b
    same HSETNX h f new
    same HSETNX h n new
    same HGET h n
    sameSorted HGETALL h
    sameSorted HKEYS h
    sameSorted HVALS h
    same HGETALL none
    same HKEYS none
    same HVALS none
    same HLEN h
    same HLEN none
    same HSTRLEN h f
    same HSTRLEN h none
    same HSTRLEN none f
    same HEXISTS h f
    same HEXISTS h none
    same HEXISTS none f
    same HDEL h f g none
    same HDEL none f
    same HDEL h a m n f
    same EXISTS h
    same TYPE h
    same HSET h "" empty-field
    same HGET h ""
    same SET k v
    same HSET k f v
    same HGET k f
    same HMGET k f
    same HGETALL k
    same HKEYS k
    same HLEN k
    same HDEL k f
    same HEXISTS k f
    same HSTRLEN k f
    same HSETNX k f v
    same HGET
    same HDEL h
    same HSET h2 f v
    same EXPIRE h2 100
    same HSET h2 g v
    same TTL h2
  `),
  'hash counters': play(`
    same HINCRBY h f 5
    same HINCRBY h f -10
    same HGET h f
    same HINCRBY h f abc
    same HINCRBY h f 1.5
    same HSET h t abc
    same HINCRBY h t 1
    same HSET h m 9223372036854775807
    same HINCRBY h m 1
    same HINCRBY h m -1
    same HINCRBY h m -9223372036854775807
    same HINCRBYFLOAT h x 1.5
    same HINCRBYFLOAT h x 0.1
    same HINCRBYFLOAT h x abc
    same HINCRBYFLOAT h t 1
    same HINCRBYFLOAT h x inf
    same HINCRBYFLOAT h x nan
    same HINCRBYFLOAT h y 1e3
    same HINCRBYFLOAT h i 3
    same HINCRBY h i 1
    same HINCRBY h x 1
    same HSET h e ""
    same HINCRBY h e 1
    same HINCRBYFLOAT h e 1
    same HSET h sp " 1"
    same HINCRBY h sp 1
    same HINCRBYFLOAT h sp 1
    same SET k v
    same HINCRBY k f 1
    same HINCRBY k f abc
    same HINCRBYFLOAT k f 1
    same HINCRBYFLOAT k f abc
    same HINCRBYFLOAT h new abc
    same HEXISTS h new
    same HLEN h
  `),
  'random fields': play(`
    same HRANDFIELD none
    same HRANDFIELD none 5
    same HRANDFIELD none 5 WITHVALUES
    same HSET h f v
    same HRANDFIELD h
    same HRANDFIELD h 5
    same HRANDFIELD h -3
    same HRANDFIELD h -3 WITHVALUES
    same HRANDFIELD h 1 WITHVALUES
    same HRANDFIELD h 0
    same HRANDFIELD h abc
    same HRANDFIELD h 1 FOO
    same HRANDFIELD h 1 WITHVALUES FOO
    same HRANDFIELD h WITHVALUES
    same HSET h g w
    sameSorted HRANDFIELD h 5
    sameSorted HRANDFIELD h 5 WITHVALUES
    same SET k v
    same HRANDFIELD k
    same HRANDFIELD k 1
  `),
  sets: play(`
    same SADD s a b c a
    same SADD s a d
    same SCARD s
    same SCARD none
    sameSorted SMEMBERS s
    same SMEMBERS none
    same SISMEMBER s a
    same SISMEMBER s z
    same SISMEMBER none a
    same SMISMEMBER s a z b
    same SMISMEMBER none a
    same SREM s a z
    same SREM none a
    same SREM s b c d
    same EXISTS s
    same TYPE s
    same SADD s ""
    same SISMEMBER s ""
    same SADD
    same SADD s
    same SREM s
    same SET k v
    same SADD k a
    same SREM k a
    same SMEMBERS k
    same SISMEMBER k a
    same SMISMEMBER k a
    same SCARD k
    same SADD n 1 2 3
    sameSorted SMEMBERS n
    same SADD m 1
    same SMOVE n m 2
    same SMOVE n m 9
    same SMOVE none m 9
    same SMOVE n new 3
    sameSorted SMEMBERS m
    same SMEMBERS new
    same SMOVE n n 1
    same SMOVE n n 77
    same SMOVE n m 1
    same EXISTS n
    same SMOVE k m a
    same SMOVE m k a
    same SMOVE none k a
  `),
  'random members': play(`
    same SPOP none
    same SPOP none 3
    same SRANDMEMBER none
    same SRANDMEMBER none 3
    same SRANDMEMBER none -3
    same SADD s a
    same SRANDMEMBER s
    same SRANDMEMBER s 3
    same SRANDMEMBER s -3
    same SRANDMEMBER s 0
    same SRANDMEMBER s abc
    same SRANDMEMBER s 1 2
    same SPOP s 0
    same SPOP s -1
    same SPOP s abc
    same SPOP s 1 2
    same SPOP s
    same EXISTS s
    same SADD s a b c
    sameSorted SRANDMEMBER s 3
    sameSorted SRANDMEMBER s 30
    sameSorted SPOP s 3
    same EXISTS s
    same SADD s a b
    sameSorted SPOP s 10
    same SET k v
    same SPOP k
    same SPOP k 0
    same SPOP k 2
    same SRANDMEMBER k
    same SRANDMEMBER k 2
    same SRANDMEMBER k 0
  `),
  'set algebra': play(`
    same SADD a 1 2 3 4
    same SADD b 3 4 5
    same SADD c 4 6
    sameSorted SINTER a b
    sameSorted SINTER a b c
    same SINTER a none
    same SINTER none
    sameSorted SUNION a b c none
    same SUNION none
    sameSorted SDIFF a b
    sameSorted SDIFF a b c
    same SDIFF none a
    sameSorted SDIFF a none
    same SINTERSTORE d a b
    sameSorted SMEMBERS d
    same SINTERSTORE d a none
    same EXISTS d
    same SUNIONSTORE d a b
    sameSorted SMEMBERS d
    same SDIFFSTORE d a b
    sameSorted SMEMBERS d
    same SDIFFSTORE a a b
    sameSorted SMEMBERS a
    same SINTERCARD 2 a b
    same SINTERCARD 1 b
    same SINTERCARD 1 b LIMIT 2
    same SINTERCARD 1 b LIMIT 0
    same SINTERCARD 1 b LIMIT -1
    same SINTERCARD 1 b LIMIT abc
    same SINTERCARD 1 b LIMIT
    same SINTERCARD 1 b FOO 1
    same SINTERCARD 0 b
    same SINTERCARD -1 b
    same SINTERCARD abc b
    same SINTERCARD 3 a b
    same SINTERCARD 2 b none
    same SET k v
    same SINTER k a
    same SINTER none k
    same SINTER a k
    same SUNION a k
    same SDIFF a k
    same SDIFF none k
    same SINTERSTORE d k a
    same SINTERCARD 2 none k
    same SUNIONSTORE k b c
    same TYPE k
    same SINTERSTORE d
    same SINTER
  `),
  'keys of any type': play(`
    same SET a 1
    same SADD s x
    same HSET h f v
    same EXISTS a s h none a
    same TOUCH a s none
    same TYPE a
    same TYPE s
    same TYPE h
    same TYPE none
    same DEL none
    same DEL a none s
    same UNLINK h none
    same DBSIZE
    same RANDOMKEY
    same SET only 1
    same RANDOMKEY
    same DEL
    same EXISTS
    same TYPE
    same FLUSHALL
    same FLUSHDB
    same FLUSHALL ASYNC
    same FLUSHDB SYNC
    same FLUSHALL FOO
    same FLUSHALL SYNC ASYNC
  `),
  'RENAME and COPY': play(`
    same SET a 1 EX 100
    same RENAME a b
    same TTL b
    same GET b
    same EXISTS a
    same RENAME none x
    same RENAME b b
    same RENAME none none
    same SADD s x y
    same RENAME s b
    sameSorted SMEMBERS b
    same TTL b
    same SET c 1
    same RENAMENX b c
    same RENAMENX b d
    same RENAMENX none d
    same RENAMENX d d
    same COPY d e
    sameSorted SMEMBERS e
    same COPY d e
    same COPY c e REPLACE
    same GET e
    same COPY none f
    same COPY d d
    same COPY none none
    same COPY d g DB 0
    same COPY d d DB 0
    same COPY d g FOO
    same COPY d g DB abc
    same COPY d g DB 99
    same HSET h f 1 g 2
    same COPY h h2
    sameSorted HGETALL h2
    same HINCRBY h2 f 5
    same HGET h f
    same SET t 5 EX 100
    same COPY t t2
    same TTL t2
    same INCR t2
    same GET t
    same RENAME a
  `),
  expiry: play(`
    same SET k v
    same TTL k
    same PTTL k
    same EXPIRETIME k
    same PEXPIRETIME k
    same TTL none
    same PTTL none
    same EXPIRETIME none
    same PEXPIRETIME none
    same EXPIRE k 100
    same TTL k
    same EXPIRE none 100
    same PEXPIRE k 100000
    same TTL k
    same EXPIREAT k 9999999999
    same EXPIRETIME k
    same PEXPIRETIME k
    same PEXPIREAT k 9999999999999
    same PEXPIRETIME k
    same EXPIRETIME k
    same PERSIST k
    same PERSIST k
    same PERSIST none
    same TTL k
    same EXPIRE k abc
    same EXPIRE none abc
    same EXPIRE k 9223372036854775807
    same EXPIRE k -9223372036854775808
    same EXPIRE k 9223372036854775
    same PEXPIRE k 9223372036854775807
    same EXPIRE k 100 NX
    same EXPIRE k 200 NX
    same EXPIRE k 200 XX
    same TTL k
    same EXPIRE k 100 GT
    same EXPIRE k 300 GT
    same EXPIRE k 400 LT
    same EXPIRE k 200 LT
    same TTL k
    same EXPIRE k 250 XX GT
    same EXPIRE k 240 XX LT
    same TTL k
    same PERSIST k
    same EXPIRE k 100 XX
    same EXPIRE k 100 GT
    same EXPIRE k 100 LT
    same TTL k
    same EXPIRE k 100 FOO
    same EXPIRE k 100 NX XX
    same EXPIRE k 100 NX GT
    same EXPIRE k 100 GT LT
    same EXPIRE k abc NX XX
    same EXPIRE k 100 NX NX
    same EXPIRE k -1
    same EXISTS k
    same SET k v
    same EXPIREAT k 1
    same EXISTS k
    same SET k v
    same EXPIRE k 0
    same EXISTS k
    same SADD s a
    same EXPIRE s 100
    same SADD s b
    same TTL s
    same SREM s a b
    same SADD s c
    same TTL s
    same EXPIRE k
    same TTL
  `),
  'SCAN and KEYS': play(`
    same SCAN 0
    same MSET key1 a key2 b other c
    same SADD s x
    same HSET h f v
    sameSorted KEYS *
    sameSorted KEYS key?
    sameSorted KEYS k*[12]
    same KEYS other
    same KEYS none
    sameSorted KEYS "[^k]*"
    same KEYS ""
    sameSorted SCAN 0 COUNT 100
    sameSorted SCAN 0 MATCH key* COUNT 100
    sameSorted SCAN 0 TYPE string COUNT 100
    sameSorted SCAN 0 TYPE SET COUNT 100
    sameSorted SCAN 0 TYPE hash COUNT 100
    sameSorted SCAN 0 TYPE zset COUNT 100
    sameSorted SCAN 0 TYPE nonsense COUNT 100
    same SCAN abc
    same SCAN " 0"
    same SCAN 99999999999999999999
    same SCAN 0 COUNT 0
    same SCAN 0 COUNT abc
    same SCAN 0 COUNT
    same SCAN 0 FOO bar
    same SCAN 0 MATCH
    same SSCAN s 0
    same SSCAN none 0
    same SSCAN none abc
    same SSCAN none 0 FOO
    same SSCAN s abc
    same SSCAN s 0 MATCH y*
    same SSCAN s 0 TYPE set
    same SSCAN s 0 COUNT 0
    same SSCAN key1 0
    same HSCAN h 0
    same HSCAN h 0 MATCH f
    same HSCAN h 0 MATCH g
    same HSCAN none 0
    same HSCAN key1 0
    same HSCAN h abc
    same HSCAN h 0 COUNT
    same SCAN
    same SSCAN s
  `),
  transactions: play(`
    same MULTI
    same SET k v
    same GET k
    same INCR k
    same SADD s a b
    same EXEC
    same GET k
    same EXEC
    same DISCARD
    same MULTI
    same MULTI
    same WATCH k
    same SET k w
    same EXEC
    same MULTI
    same SET k x
    same NOSUCH a b
    same EXEC
    same GET k
    same MULTI
    same GET
    same EXEC
    same MULTI
    same SET k y
    same DISCARD
    same GET k
    same WATCH k
    same SET k changed
    same MULTI
    same GET k
    same EXEC
    same MULTI
    same GET k
    same EXEC
    same WATCH k
    same UNWATCH
    same SET k again
    same MULTI
    same GET k
    same EXEC
    same WATCH none
    same DEL none
    same MULTI
    same PING
    same EXEC
    same WATCH none2
    same SET none2 x
    same MULTI
    same PING
    same EXEC
    same WATCH none3
    same FLUSHALL
    same MULTI
    same PING
    same EXEC
    same SET k v
    same WATCH k
    same FLUSHALL
    same MULTI
    same PING
    same EXEC
    same MULTI
    same EXEC
    same MULTI
    same WAIT 0 1
    same EXEC
    same MULTI
    same MULTI FOO
    same EXEC
    same WATCH
    same MULTI
    same SELECT 0
    same CLIENT GETNAME
    same CLIENT NOSUCH
    same EXEC
    same EXEC FOO
    same UNWATCH
    same DISCARD
  `),
  'pub/sub from outside': play(`
    same PUBLISH ch msg
    same PUBLISH ch
    same PUBSUB CHANNELS
    same PUBSUB CHANNELS *
    same PUBSUB CHANNELS a b
    same PUBSUB NUMSUB
    same PUBSUB NUMSUB a b
    same PUBSUB NUMPAT
    same PUBSUB NUMPAT x
    same PUBSUB SHARDCHANNELS
    same PUBSUB SHARDNUMSUB a
    same PUBSUB NOSUCH
    same PUBSUB
    same SPUBLISH ch msg
  `),
  subscribing: play(`
    same SUBSCRIBE a
    same SUBSCRIBE b
    same PSUBSCRIBE x*
    same SSUBSCRIBE z
    same PING
    same PING hello
    same GET k
    same SET k v
    same CLIENT ID X
    same UNSUBSCRIBE a
    same UNSUBSCRIBE nosuch
    same UNSUBSCRIBE b
    same PUNSUBSCRIBE
    same SUNSUBSCRIBE
    same SUNSUBSCRIBE
    same UNSUBSCRIBE
    same PUNSUBSCRIBE
    same PING
    same SUBSCRIBE
    same MULTI
    same SUBSCRIBE c
    same EXEC
  `),
  connection: play(`
    same PING
    same PING hello
    same PING a b
    same ping
    same PiNg
    same ECHO hello
    same ECHO
    same ECHO a b
    same SELECT 0
    same SELECT abc
    same SELECT 999
    same SELECT -1
    same AUTH x
    same AUTH default x
    same AUTH nosuch x
    same AUTH a b c
    same AUTH
    same HELLO 4
    same HELLO 1
    same HELLO abc
    same HELLO 2 FOO
    same HELLO 2 AUTH default
    same HELLO 2 AUTH nosuch x
    same HELLO 2 SETNAME "a b"
    same NOSUCHCOMMAND
    same NOSUCHCOMMAND a b c
    same "no\\r\\nsuch" "x\\r\\ny"
    same FOO ${'a'.repeat(83)} ${'b'.repeat(84)} cccc
    same "" a
    same RESET
    same RESET x
    same QUIT
  `),
  CLIENT: play(`
    same CLIENT GETNAME
    same CLIENT SETNAME me
    same CLIENT GETNAME
    same CLIENT SETNAME "a b"
    same CLIENT SETNAME ""
    same CLIENT GETNAME
    same CLIENT SETNAME
    same CLIENT
    same CLIENT NOSUCH
    same CLIENT NOSUCH a b
    same CLIENT ID x
    same CLIENT NO-EVICT on
    same CLIENT NO-EVICT off
    same CLIENT NO-EVICT maybe
    same CLIENT REPLY ON
    same CLIENT REPLY FOO
    same CLIENT TRACKING off
    same CLIENT TRACKING maybe
    same CLIENT TRACKINGINFO
    same CLIENT GETREDIR
    same CLIENT CACHING YES
    same CLIENT UNPAUSE
    same CLIENT PAUSE abc
    same CLIENT PAUSE -1
    same CLIENT PAUSE 10 FOO
    same CLIENT PAUSE 0
    same CLIENT UNBLOCK 99999999
    same CLIENT UNBLOCK abc
    same CLIENT UNBLOCK 1 FOO
    same CLIENT KILL 1.2.3.4:5
    same CLIENT KILL ID 99999999
    same CLIENT KILL ID 0
    same CLIENT KILL ID abc
    same CLIENT KILL TYPE nosuch
    same CLIENT KILL USER nosuch
    same CLIENT KILL FOO bar
    same CLIENT KILL ID
    same CLIENT KILL ADDR 1.2.3.4:5 SKIPME yes
    same CLIENT KILL ADDR 1.2.3.4:5 SKIPME maybe
    same CLIENT LIST TYPE nosuch
    same CLIENT LIST ID abc
    same CLIENT LIST FOO
    same CLIENT LIST ID 99999999
  `),
  'server and introspection': play(`
    same DBSIZE
    same DBSIZE x
    same TIME x
    same LASTSAVE x
    same OBJECT ENCODING none
    same SET k 12345
    same OBJECT ENCODING k
    same SET k abc
    same OBJECT ENCODING k
    same SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    same OBJECT ENCODING k
    same SADD i 1 2 3
    same OBJECT ENCODING i
    same SADD s a
    same OBJECT ENCODING s
    same HSET h f v
    same OBJECT ENCODING h
    same OBJECT REFCOUNT s
    same OBJECT REFCOUNT none
    same OBJECT IDLETIME s
    same OBJECT IDLETIME none
    same OBJECT FREQ s
    same OBJECT FREQ none
    same OBJECT NOSUCH x
    same OBJECT
    same OBJECT ENCODING
    same MEMORY USAGE none
    same MEMORY USAGE k SAMPLES -1
    same MEMORY USAGE k FOO
    same MEMORY NOSUCH
    same WAIT 0 10
    same WAIT abc 10
    same WAIT 0 abc
    same WAIT 0 -1
    same WAIT 0
    same CONFIG GET nosuch*
    same CONFIG GET maxmemory
    sameSorted CONFIG GET maxmemory maxmemory-policy
    same CONFIG SET nosuch 1
    same CONFIG SET maxmemory
    same CONFIG SET maxmemory abc
    same CONFIG SET maxmemory 1gb maxmemory 2gb
    same CONFIG SET databases 3
    same CONFIG SET maxmemory 100mb
    same CONFIG GET maxmemory
    same CONFIG SET maxmemory 0
    same CONFIG RESETSTAT
    same CONFIG REWRITE
    same CONFIG NOSUCH
    same CONFIG GET
    same COMMAND GETKEYS SET a b
    same COMMAND GETKEYS MSET a b c d
    same COMMAND GETKEYS SINTERCARD 2 a b
    same COMMAND GETKEYS SINTERCARD 5 a b
    same COMMAND GETKEYS PING
    same COMMAND GETKEYS NOSUCH a
    same COMMAND GETKEYS GET
    same COMMAND GETKEYS
    same COMMAND INFO nosuch
    same COMMAND DOCS nosuch
    same COMMAND NOSUCH
    same COMMAND LIST FILTERBY FOO bar
    same COMMAND LIST FOO
    same COMMAND LIST FILTERBY MODULE nosuch
    sameSorted COMMAND LIST FILTERBY PATTERN mset*
    same CLUSTER INFO
    same CLUSTER
    same ROLE x
    same SHUTDOWN FOO
    same SHUTDOWN ABORT
    sameError DEBUG JMAP
  `),
  'a full memory without eviction': play(`
    same CONFIG SET maxmemory-policy noeviction
    run SET k v
    run SET n 5 EX 1000
    run SADD s a b
    run SADD t c
    run HSET h f v g w
    same CONFIG SET maxmemory 1
    same SET k w
    same SET k w XX
    same APPEND k w
    same INCR n
    same INCRBYFLOAT n 1.5
    same SETRANGE k 1 x
    same SETBIT k 1 1
    same MSET a 1 b 2
    same MSETNX a 1
    same GETSET k x
    same GETDEL none
    same GETEX k EX 100
    same GETEX k PERSIST
    same SADD s c
    same SINTERSTORE x s t
    same SUNIONSTORE x s t
    same SDIFFSTORE x s t
    same HSET h f w
    same HINCRBY h x 1
    same HSETNX h y 1
    same COPY k l
    same GET k
    sameSorted SMEMBERS s
    same HGETALL h
    same EXISTS k n s
    same EXPIRE k 1000
    same PERSIST k
    same RENAME k l
    same SMOVE s t a
    same SREM s b
    same HDEL h f
    same DEL l
    same UNLINK n
    same DBSIZE
    same MULTI
    same GET k
    same SET k v
    same EXEC
    same MULTI
    same DEL t
    same EXEC
    same MULTI
    same DISCARD
    same WATCH k
    same UNWATCH
    same PING
    same PUBLISH c m
    same CONFIG SET maxmemory-policy volatile-lru
    same SET k w
    same EXISTS h
    same FLUSHALL
    same CONFIG SET maxmemory 0 maxmemory-policy noeviction
    same SET k v
  `),
  'a full memory with eviction': play(`
    run SET a 1
    run SET b 2 EX 1000
    run SADD s x y
    same CONFIG SET maxmemory-policy volatile-ttl
    same CONFIG SET maxmemory 1
    same SET k w
    same CONFIG SET maxmemory 0
    same EXISTS a s
    same GET b
    same CONFIG SET maxmemory-policy ALLKEYS-RANDOM
    same CONFIG GET maxmemory-policy
    same CONFIG SET maxmemory 1
    same SET k w
    same DBSIZE
    same MULTI
    same SET k v
    same EXEC
    same CONFIG SET maxmemory 0 maxmemory-policy noeviction
  `),
  'settings and answers of eviction': play(`
    same CONFIG SET maxmemory-policy lru
    same CONFIG SET maxmemory-samples 10
    same CONFIG GET maxmemory-samples
    same CONFIG SET maxmemory-samples abc
    sameError CONFIG SET maxmemory-samples 0
    same CONFIG SET maxmemory-samples 5
    same CONFIG GET lfu-decay-time
    same CONFIG GET lfu-log-factor
    same CONFIG GET maxmemory-eviction-tenacity
    run SET k v
    same OBJECT IDLETIME k
    same OBJECT FREQ k
    same OBJECT FREQ none
    same CONFIG SET maxmemory-policy allkeys-lfu
    run SET l v
    same OBJECT FREQ l
    same GET l
    same OBJECT FREQ l
    same TOUCH l none
    same OBJECT IDLETIME l
    same OBJECT IDLETIME none
    same CONFIG SET maxmemory-policy noeviction
    same OBJECT FREQ l
  `),
  ...keysCases,
  ...streamCases,
  ...listCases,
  ...aclCases,
  ...settingCases,
  'what random commands have found': play(`
    same PEXPIRE none -9223372036854775808
    same EXPIRE none -9223372036854775808
    run SET k v
    same PEXPIREAT k -9223372036854775808
    same EXISTS k
    run HSET h f v
    same COPY h other REPLACE DB 9223372036854775807
    same COPY h other DB -2147483649
    same SELECT 2147483648
    same HRANDFIELD h -9223372036854775808
    same SRANDMEMBER none -9223372036854775808
    run ZADD z 1 a 2 b
    same ZRANGE z 0 -1 LIMIT 60 -1
    same ZRANGESTORE target z -2 5 LIMIT 3 -1
    same ZRANGE z 0 -1 LIMIT 0 1
    same XGROUP CREATE stream g $ ENTRIESREAD 0 ENTRIESREAD 3 MKSTREAM
  `),
  ...zsetCases,
};
