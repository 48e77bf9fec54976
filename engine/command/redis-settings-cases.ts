/** Cases of settings and limits for redis.compare.test.ts; each puts back what it changed. */
import { type Case, play } from './redis-script.ts';

export const settingCases: Readonly<Record<string, readonly Case[]>> = {
  'CONFIG: limits of clients': play(`
    same CONFIG GET proto-max-bulk-len
    run CONFIG SET proto-max-bulk-len 100
    same CONFIG SET proto-max-bulk-len x
    same CONFIG SET proto-max-bulk-len 2mb
    same CONFIG GET proto-max-bulk-len
    same SETRANGE k 2097152 x
    same SETBIT k 16777216 1
    same SETRANGE k 2097151 x
    same APPEND k y
    same CONFIG SET proto-max-bulk-len 512mb
    same CONFIG GET client-query-buffer-limit
    same CONFIG SET client-query-buffer-limit 10
    same CONFIG SET client-query-buffer-limit 2gb
    same CONFIG GET client-query-buffer-limit
    same CONFIG SET client-query-buffer-limit 1gb
    same CONFIG GET maxclients
    same CONFIG SET maxclients 0
    same CONFIG SET maxclients many
    same CONFIG GET timeout
    same CONFIG SET timeout -1
    same CONFIG SET timeout 2147483648
    same CONFIG SET timeout 60
    same CONFIG GET timeout
    same CONFIG SET timeout 0
    same CONFIG GET tcp-keepalive
    same CONFIG SET tcp-keepalive -1
    same CONFIG SET tcp-keepalive 60
    same CONFIG GET tcp-keepalive
    same CONFIG SET tcp-keepalive 300
    same CONFIG GET maxmemory-clients
    same CONFIG SET maxmemory-clients 101%
    same CONFIG SET maxmemory-clients x
    same CONFIG SET maxmemory-clients 5%
    same CONFIG GET maxmemory-clients
    same CONFIG SET maxmemory-clients 1gb
    same CONFIG GET maxmemory-clients
    same CONFIG SET maxmemory-clients 0
  `),
  'CONFIG: client-output-buffer-limit': play(`
    same CONFIG GET client-output-buffer-limit
    same CONFIG SET client-output-buffer-limit "normal 1 2 3 x"
    same CONFIG SET client-output-buffer-limit "foo 1 2 3"
    same CONFIG SET client-output-buffer-limit "normal 1mb 2 a"
    same CONFIG SET client-output-buffer-limit "normal x 2 1"
    same CONFIG SET client-output-buffer-limit "pubsub 1mb 512kb 10 replica 2mb 1mb 5"
    same CONFIG GET client-output-buffer-limit
    same CONFIG SET client-output-buffer-limit "slave 268435456 67108864 60 pubsub 33554432 8388608 60"
    same CONFIG GET client-output-buffer-limit
  `),
  'CONFIG: users': play(`
    same CONFIG GET acllog-max-len
    same CONFIG SET acllog-max-len x
    same CONFIG GET acl-pubsub-default
    same CONFIG SET acl-pubsub-default some
    same CONFIG SET acl-pubsub-default allchannels
    run ACL DELUSER a
    same ACL SETUSER a
    same ACL LIST
    same ACL SETUSER a reset
    same ACL LIST
    same CONFIG SET acl-pubsub-default resetchannels
    same CONFIG GET aclfile
    same CONFIG SET aclfile f
  `),
  'CLIENT TRACKING: modes': play(`
    same CLIENT TRACKINGINFO
    same CLIENT GETREDIR
    same CLIENT CACHING YES
    same CLIENT TRACKING MAYBE
    same CLIENT TRACKING ON FOO
    same CLIENT TRACKING OFF FOO
    same CLIENT TRACKING ON PREFIX x
    same CLIENT TRACKING ON REDIRECT
    same CLIENT TRACKING ON REDIRECT x
    same CLIENT TRACKING ON REDIRECT 99999999
    same CLIENT TRACKING ON BCAST OPTIN
    same CLIENT TRACKING ON OPTIN OPTOUT
    same CLIENT TRACKING ON BCAST PREFIX x PREFIX xy
    same CLIENT TRACKING ON BCAST PREFIX x PREFIX x
    same CLIENT TRACKING ON BCAST PREFIX y PREFIX x NOLOOP
    same CLIENT TRACKINGINFO
    same CLIENT TRACKING ON BCAST PREFIX xz
    same CLIENT TRACKING ON
    same CLIENT TRACKING OFF
    same CLIENT TRACKING ON BCAST
    same CLIENT TRACKINGINFO
    same CLIENT TRACKING ON BCAST PREFIX q
    same CLIENT TRACKING OFF
    same CLIENT TRACKING ON OPTIN
    same CLIENT CACHING NO
    same CLIENT CACHING MAYBE
    same CLIENT CACHING YES
    same CLIENT TRACKINGINFO
    same PING
    same CLIENT TRACKINGINFO
    same CLIENT TRACKING ON OPTOUT
    same CLIENT TRACKING ON
    same CLIENT TRACKING ON OPTOUT
    same CLIENT CACHING YES
    same CLIENT CACHING NO
    same CLIENT TRACKINGINFO
    same CLIENT GETREDIR
    same RESET
    same CLIENT TRACKINGINFO
    same CONFIG GET tracking-table-max-keys
    same CONFIG SET tracking-table-max-keys -1
  `),
  'SLOWLOG and LATENCY': play(`
    same CONFIG GET slowlog-log-slower-than
    same CONFIG GET slowlog-max-len
    same CONFIG SET slowlog-log-slower-than -2
    same CONFIG SET slowlog-max-len -1
    same SLOWLOG RESET
    same SLOWLOG LEN
    same SLOWLOG GET
    same SLOWLOG GET -1
    same SLOWLOG GET -2
    same SLOWLOG GET x
    same SLOWLOG GET 1 2
    same SLOWLOG NOPE
    same SLOWLOG
    same CONFIG GET latency-monitor-threshold
    same CONFIG SET latency-monitor-threshold -1
    same CONFIG SET latency-tracking maybe
    same LATENCY LATEST
    same LATENCY HISTORY command
    same LATENCY RESET
    same LATENCY RESET command
    same LATENCY GRAPH command
    same LATENCY HISTOGRAM nosuch
    same LATENCY
    run LATENCY DOCTOR
  `),
  'COMMAND: keys and lists': play(`
    same COMMAND GETKEYSANDFLAGS SET k v
    same COMMAND GETKEYSANDFLAGS SET k v GET
    same COMMAND GETKEYSANDFLAGS MGET a b
    same COMMAND GETKEYSANDFLAGS RENAME a b
    same COMMAND GETKEYSANDFLAGS ZUNIONSTORE d 2 a b
    same COMMAND GETKEYSANDFLAGS EVAL x 1 k
    same COMMAND GETKEYSANDFLAGS SORT a STORE b
    same COMMAND GETKEYSANDFLAGS PUBLISH a b
    same COMMAND GETKEYSANDFLAGS PING
    same COMMAND GETKEYSANDFLAGS NOPE x
    same COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0
    same COMMAND GETKEYS SORT a BY STORE STORE b
    same COMMAND GETKEYS XREADGROUP GROUP STREAMS c STREAMS k l > >
    same COMMAND GETKEYS XREAD COUNT 1 STREAMS k 0
    sameSorted COMMAND LIST FILTERBY PATTERN config|*
    same COMMAND LIST FILTERBY ACLCAT nope
    same COMMAND LIST FILTERBY MODULE x
    same COMMAND LIST FILTERBY FOO x
    same COMMAND COUNT x
    same COMMAND INFO nope
  `),
};
