/** The cases of lists for redis.compare.test.ts; the form is that of redis-script.ts. */
import { play } from './redis-script.ts';

export const listCases = {
  'pushes and pops': play(`
    same RPUSH l a b c
    same LPUSH l x y
    same LRANGE l 0 -1
    same RPUSHX l d
    same LPUSHX l w
    same RPUSHX none d
    same LPUSHX none d e
    same EXISTS none
    same LLEN l
    same LLEN none
    same LPOP l
    same RPOP l
    same LPOP l 2
    same RPOP l 2
    same LRANGE l 0 -1
    same LPOP l 0
    same RPOP l 10
    same LPOP l
    same LPOP l 1
    same EXISTS l
    same LPOP none
    same RPOP none 3
    same LPOP l -1
    same LPOP l x
    same LPOP l 1 2
    same RPOP l 1 2
    same RPUSH l
    same RPUSH l "" "a\\u0000b\\r\\n"
    same LRANGE l 0 -1
    same TYPE l
    same OBJECT ENCODING l
  `),
  'ranges and indexes': play(`
    run RPUSH l 0 1 2 3 4 5 6 7 8 9
    same LRANGE l 0 0
    same LRANGE l 2 4
    same LRANGE l -3 -1
    same LRANGE l -100 100
    same LRANGE l 5 2
    same LRANGE l 10 20
    same LRANGE l -1 -3
    same LRANGE l a 2
    same LRANGE none 0 -1
    same LRANGE none a b
    same LINDEX l 0
    same LINDEX l 9
    same LINDEX l 10
    same LINDEX l -1
    same LINDEX l -10
    same LINDEX l -11
    same LINDEX l x
    same LINDEX none x
    same LINDEX none 0
  `),
  LSET: play(`
    run RPUSH l a b c
    same LSET l 0 A
    same LSET l -1 C
    same LRANGE l 0 -1
    same LSET l 3 x
    same LSET l -4 x
    same LSET l x y
    same LSET none 0 x
    same LSET none x x
    same LSET l 1 ""
    same LRANGE l 0 -1
  `),
  LINSERT: play(`
    run RPUSH l a b c b
    same LINSERT l BEFORE b x
    same LINSERT l AFTER b y
    same LINSERT l after c z
    same LINSERT l BEFORE a first
    same LINSERT l AFTER z q
    same LRANGE l 0 -1
    same LINSERT l BEFORE nothing x
    same LINSERT none BEFORE a x
    same LINSERT l BESIDE a x
    same LINSERT none BESIDE a x
  `),
  LREM: play(`
    run RPUSH l a b a c a d a
    same LREM l 2 a
    same LRANGE l 0 -1
    same LREM l -1 a
    same LRANGE l 0 -1
    same LREM l 0 a
    same LRANGE l 0 -1
    same LREM l 0 zzz
    same LREM l x a
    same LREM none 0 a
    same LREM l 0 b
    same LREM l 1 c
    same LREM l -7 d
    same EXISTS l
  `),
  LTRIM: play(`
    run RPUSH l 0 1 2 3 4 5 6 7 8 9
    same LTRIM l 1 -2
    same LRANGE l 0 -1
    same LTRIM l 0 4
    same LRANGE l 0 -1
    same LTRIM l -3 100
    same LRANGE l 0 -1
    same LTRIM l a 1
    same LTRIM l 5 1
    same EXISTS l
    same LTRIM none 0 1
    run RPUSH l a b
    same LTRIM l 2 3
    same EXISTS l
  `),
  LPOS: play(`
    run RPUSH l a b c d 1 2 3 4 3 3 3
    same LPOS l 3
    same LPOS l 3 RANK 2
    same LPOS l 3 RANK -1
    same LPOS l 3 RANK -2 COUNT 0
    same LPOS l 3 COUNT 2
    same LPOS l 3 COUNT 0
    same LPOS l 3 COUNT 0 MAXLEN 9
    same LPOS l 3 COUNT 0 MAXLEN 9 RANK -1
    same LPOS l 3 COUNT 1 RANK 9
    same LPOS l 3 RANK 9
    same LPOS l none
    same LPOS l none COUNT 1
    same LPOS none a
    same LPOS none a COUNT 1
    same LPOS l 3 RANK 0
    same LPOS l 3 RANK x
    same LPOS l 3 COUNT -1
    same LPOS l 3 COUNT x
    same LPOS l 3 MAXLEN -1
    same LPOS l 3 MAXLEN
    same LPOS l 3 WHAT 1
  `),
  'LMOVE and RPOPLPUSH': play(`
    run RPUSH a 1 2 3
    same LMOVE a b LEFT RIGHT
    same LMOVE a b RIGHT LEFT
    same LRANGE a 0 -1
    same LRANGE b 0 -1
    same LMOVE b b LEFT RIGHT
    same LRANGE b 0 -1
    same LMOVE b b LEFT LEFT
    same RPOPLPUSH b a
    same RPOPLPUSH a a
    same RPOPLPUSH none a
    same LMOVE none a LEFT LEFT
    same LMOVE a b UP DOWN
    same LMOVE a b LEFT
    same LRANGE a 0 -1
    same LRANGE b 0 -1
    run EXPIRE b 100
    same LMOVE b b LEFT RIGHT
    same TTL b
    run SET s x
    same LMOVE a s LEFT LEFT
    same LMOVE s a LEFT LEFT
    same LMOVE none s LEFT LEFT
    same LRANGE a 0 -1
    same LMOVE b c LEFT LEFT
    same EXISTS b
  `),
  LMPOP: play(`
    run RPUSH a 1 2 3
    run RPUSH b 4 5
    same LMPOP 1 a LEFT
    same LMPOP 2 none b RIGHT COUNT 10
    same LMPOP 2 none a right count 2
    same LMPOP 2 none a LEFT
    same EXISTS a b
    same LMPOP 0 a LEFT
    same LMPOP x a LEFT
    same LMPOP 1 a
    same LMPOP 2 a LEFT
    same LMPOP 1 a UP
    same LMPOP 1 a LEFT COUNT 0
    same LMPOP 1 a LEFT COUNT
    same LMPOP 1 a LEFT COUNT 1 COUNT 1
    same LMPOP 1 a LEFT WHAT
    run SET s x
    same LMPOP 2 s a LEFT
  `),
  'blocking commands that need not block': play(`
    run RPUSH a 1 2 3 4 5 6
    same BLPOP a 0
    same BRPOP none a 0
    same BLMOVE a b LEFT RIGHT 0
    same BRPOPLPUSH a b 0
    same BLMPOP 0 2 none a LEFT COUNT 2
    same LRANGE b 0 -1
    same BLPOP none 0.01
    same BRPOP none none2 0.01
    same BLMOVE none b LEFT LEFT 0.01
    same BRPOPLPUSH none b 0.01
    same BLMPOP 0.01 1 none LEFT
    same BLPOP a x
    same BLPOP a -1
    sameError BLPOP a inf
    same BLPOP a nan
    sameError BLPOP a 1e30
    sameError BLPOP a 92233720368547758
    same BLMOVE a b UP LEFT x
    same BLMOVE a b LEFT LEFT x
    same BRPOPLPUSH a b x
    same BLMPOP x 1 a LEFT
    same BLMPOP 1 0 a LEFT
    run SET s x
    same BLPOP s 0
    same BLPOP none s 0
    same BLMOVE s b LEFT LEFT 0
    same BLMOVE b s LEFT LEFT 0
  `),
  'blocking commands in MULTI': play(`
    same MULTI
    same BLPOP none 0
    same BLMOVE none b LEFT LEFT 0
    same BRPOPLPUSH none b 0
    same BLMPOP 0 1 none LEFT
    same RPUSH none x
    same BRPOP none 0
    same EXEC
  `),
  'lists and keys of other types': play(`
    run SET s x
    run HSET h f v
    run RPUSH l a
    same RPUSH s a
    same LPOP s
    same LPOP h 2
    same LRANGE h 0 -1
    same LINDEX s 0
    same LINDEX s x
    same LSET s 0 a
    same LSET s x a
    same LINSERT h BEFORE a b
    same LREM h 0 a
    same LTRIM s 0 1
    same LPOS s a
    same LLEN s
    same RPUSHX s a
    same GET l
    same SADD l a
    same HSET l f v
    same INCR l
    same SET l now-a-string
    same GET l
  `),
  'keys that hold lists': play(`
    run RPUSH l a b c
    same TYPE l
    same RENAME l m
    same LRANGE m 0 -1
    same COPY m n
    same LPUSH n x
    same LRANGE n 0 -1
    same LRANGE m 0 -1
    same EXPIRE m 100
    same TTL m
    same RPUSH m d
    same TTL m
    same PERSIST m
    same SCAN 0 TYPE set
    same DEL m
    same LLEN m
    same DBSIZE
    same UNLINK n
  `),
};
