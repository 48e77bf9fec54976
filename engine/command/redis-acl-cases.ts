/** Cases of users and rights for redis.compare.test.ts; written as in redis-cases.ts. */
import { type Case, play } from './redis-script.ts';

const HASH = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';

export const aclCases: Readonly<Record<string, readonly Case[]>> = {
  'ACL: users and their rules': play(`
    run ACL DELUSER a b c
    same ACL WHOAMI
    same ACL USERS
    same ACL LIST
    same ACL GETUSER default
    same ACL GETUSER nobody
    same ACL SETUSER a
    same ACL LIST
    same ACL SETUSER a on >p ~x* +get
    same ACL LIST
    same ACL GETUSER a
    same ACL SETUSER a >p >q #${HASH} <q
    same ACL LIST
    same ACL SETUSER a !${HASH} %R~ro %W~wo %RW~rw ~ro &c1 &c2
    same ACL GETUSER a
    same ACL SETUSER a allkeys allchannels allcommands
    same ACL LIST
    same ACL SETUSER a -config +config|get
    same ACL LIST
    same ACL SETUSER a resetkeys resetchannels nocommands resetpass off
    same ACL LIST
    same ACL SETUSER a nopass +select|0 +select|1
    same ACL LIST
    same ACL SETUSER a sanitize-payload
    same ACL GETUSER a
    same ACL SETUSER a skip-sanitize-payload
    same ACL GETUSER a
    same ACL SETUSER a reset
    same ACL LIST
    same ACL SETUSER a (+get ~k) "(+set %W~l &ch)"
    same ACL SETUSER a (+del ~m &n )
    same ACL GETUSER a
    same ACL SETUSER a clearselectors
    same ACL GETUSER a
    same ACL SETUSER b
    same ACL DELUSER a b c
    same ACL DELUSER default
    same ACL USERS
  `),
  'ACL: rules that are wrong': play(`
    run ACL DELUSER a b c
    same ACL SETUSER a bad
    same ACL SETUSER a +nope
    same ACL SETUSER a -nope
    same ACL SETUSER a +@nope
    same ACL SETUSER a +config|
    same ACL SETUSER a +config|nope
    same ACL SETUSER a +client|list|x
    same ACL SETUSER a -select|1
    same ACL SETUSER a +get|x|y
    same ACL SETUSER a %~x
    same ACL SETUSER a %RR~x
    same ACL SETUSER a %Rx
    same ACL SETUSER a %X~x
    same ACL SETUSER a ~* ~y
    same ACL SETUSER a &* &y
    same ACL SETUSER a "~a b"
    same ACL SETUSER a <none
    same ACL SETUSER a !${HASH}
    same ACL SETUSER a #12
    same ACL SETUSER a !12
    same ACL SETUSER a (on)
    same ACL SETUSER a (+get
    same ACL SETUSER a "(~* ~y)"
    same ACL SETUSER "a b" on
    same ACL SETUSER
    same ACL GETUSER a
    same ACL CAT nope
    same ACL CAT read more
    same ACL CAT
    same ACL GENPASS 0
    same ACL GENPASS 4097
    same ACL GENPASS x
    same ACL LOG x
    same ACL LOG 1 2
    same ACL NOPE
    same ACL
    same ACL LOAD
    same ACL SAVE
  `),
  'ACL: what a user may do': play(`
    run ACL DELUSER a b c
    run SET x1 1
    run SET y 1
    run ACL SETUSER a on >p ~x* +@all -@dangerous -set +set|x2 &ch*
    same AUTH a wrong
    same AUTH nobody p
    same AUTH a p
    same ACL WHOAMI
    same GET x1
    same GET y
    same MGET x1 y
    same SET x1 2
    same SET x2 2
    same SET y 2
    same FLUSHALL
    same CONFIG GET maxmemory
    same KEYS *
    same PUBLISH ch1 m
    same PUBLISH other m
    same SPUBLISH other m
    same EXISTS x1
    same EXISTS y
    same WATCH y
    same MULTI
    same GET x1
    same GET y
    same EXEC
    same RESET
    same ACL WHOAMI
    same AUTH a p
    same AUTH default any
    same ACL WHOAMI
    same HELLO 2 AUTH a wrong
    same AUTH a p b
    run ACL SETUSER a off
    same AUTH a p
  `),
  'ACL: reading and writing apart': play(`
    run ACL DELUSER a b c
    run ACL SETUSER a on nopass +@all %R~r %W~w ~b
    run SET r 1
    run SET w 1
    run AUTH a any
    same GET r
    same GET w
    same SET r 1
    same SET w 1
    same SET w 1 GET
    same SET b 1 GET
    same APPEND w x
    same GETDEL w
    same GETDEL r
    same DEL r
    same DEL w
    same EXISTS r w
    same EXISTS none
    same STRLEN r
    same STRLEN none
    same TYPE w
    same COPY r w
    same COPY w r
    same RENAME b w
    same RENAME w b
    same SADD w m
    same SMEMBERS w
    same SCARD w
    same SINTERSTORE w r
    same SUNIONSTORE w r
    same SUNIONSTORE r w
    same BITOP AND w r
    same BITOP AND r b
    same BITFIELD r GET u8 0
    same BITFIELD r SET u8 0 1
    same MSET w 1 b 2
    same MSET w 1 r 2
    same MSETNX w 1 r 2
    same GETEX r
    same EXPIRE w 10
    same TTL w
    same INCR w
    same OBJECT ENCODING w
    same SETBIT w 0 1
    same HSET w f v
    same SMOVE b w m
    same SMOVE r w m
  `),
  'ACL: SORT reads what its patterns name': play(`
    run ACL DELUSER a b c
    run ACL SETUSER a on nopass +@all ~a*
    run SADD a1 2 1
    run AUTH a any
    same SORT a1
    same SORT a1 BY w_*
    same SORT a1 GET #
    same SORT a1 GET w_*
    same SORT_RO a1 BY w_*
    same SORT_RO a1 LIMIT 0 1
    same SORT b1
  `),
  'ACL: selectors': play(`
    run ACL DELUSER a b c
    run ACL SETUSER a on nopass +get ~x "(+set ~y)" "(+get ~z)" +acl|whoami
    run AUTH a any
    same GET x
    same GET y
    same GET z
    same SET y 1
    same SET x 1
    same DEL x
    same SUBSCRIBE c
    same PUBLISH c m
    same PING
    run HELLO 3
    same ACL WHOAMI
    same QUIT
  `),
  'ACL DRYRUN': play(`
    run ACL DELUSER a b c
    run ACL SETUSER a on nopass +get +publish ~x
    same ACL DRYRUN a get x
    same ACL DRYRUN a GET y
    same ACL DRYRUN a set x 1
    same ACL DRYRUN a get
    same ACL DRYRUN a nosuch x
    same ACL DRYRUN nobody get x
    same ACL DRYRUN a publish c m
    same ACL DRYRUN a config get x
    same ACL DRYRUN a
  `),
  'ACL: passwords of the default user': play(`
    run ACL DELUSER a b c
    same AUTH x
    same CONFIG SET requirepass secret
    same CONFIG GET requirepass
    same GET k
    same AUTH wrong
    same AUTH secret
    same ACL SETUSER default >other
    same AUTH other
    same AUTH default secret
    same CONFIG SET requirepass ""
    same ACL LIST
    same AUTH secret
  `),
  'ACL: what was taken back since MULTI': play(`
    run ACL DELUSER a b c
    run SET k 1
    run ACL SETUSER a on nopass +@all ~* &*
    run AUTH a any
    same MULTI
    same ACL SETUSER a -get
    same GET k
    same STRLEN k
    same EXEC
    same MULTI
    same ACL SETUSER a +get resetkeys ~z
    same GET z
    same ACL SETUSER a resetkeys
    same GET z
    same EXEC
  `),
};
