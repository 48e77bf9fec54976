/** Every flag of the engine as data: what the parser (config.ts), the help text and the tests read. */

export type Flag = {
  readonly name: string;
  /** How the value is written; null: a switch without one. */
  readonly value: string | null;
  readonly roles: readonly ('shard' | 'proxy')[];
  readonly initial: string | null;
  readonly about: string;
};

const both = ['shard', 'proxy'] as const;
const shard = ['shard'] as const;
const proxy = ['proxy'] as const;

/** The names are those of Redis where Redis has the setting. */
function tlsFlags(): Flag[] {
  const flag = (name: string, value: string, about: string): Flag => {
    return { name, value, roles: both, initial: null, about };
  };
  return [
    flag('tls-port', 'N', 'port for clients that speak TLS'),
    flag('tls-cert', 'FILE', 'certificate chain in PEM'),
    flag('tls-key', 'FILE', 'its key in PEM'),
    flag('tls-ca', 'FILE', 'who may sign certificates of clients, in PEM'),
    flag('tls-auth-clients', 'no|optional|yes', 'default optional with --tls-ca, else no'),
    { ...flag('tls-cluster', 'no|yes', 'reach members by TLS'), roles: proxy, initial: 'no' },
    flag('peer-tls-cert', 'FILE', 'certificate for peers, with a URI name'),
    flag('peer-tls-key', 'FILE', 'its key'),
    flag('peer-tls-ca', 'FILE', 'who may sign certificates of peers'),
    {
      name: 'insecure-peers',
      value: null,
      roles: both,
      initial: null,
      about: 'plain peer links beyond this machine',
    },
  ];
}

/** Every flag, in the order of the help text. */
export const flags: readonly Flag[] = [
  {
    name: 'role',
    value: 'shard|proxy',
    roles: both,
    initial: 'shard',
    about: 'hold data or route',
  },
  { name: 'region', value: 'NAME', roles: both, initial: null, about: 'name of this region' },
  {
    name: 'region-number',
    value: '1..16',
    roles: both,
    initial: null,
    about: 'stable number of this region; breaks ties',
  },
  { name: 'database', value: 'NAME', roles: both, initial: 'default', about: 'peers must agree' },
  { name: 'member', value: 'NAME', roles: both, initial: 'standalone', about: 'name in the map' },
  { name: 'bind', value: 'ADDR', roles: both, initial: '127.0.0.1', about: 'address to listen on' },
  {
    name: 'port',
    value: 'N',
    roles: both,
    initial: '6379',
    about: 'port for clients; 0: none, with --tls-port only',
  },
  { name: 'peer-port', value: 'N', roles: both, initial: null, about: 'port for peers' },
  ...tlsFlags(),
  { name: 'requirepass', value: 'P', roles: both, initial: null, about: 'password of clients' },
  {
    name: 'aclfile',
    value: 'FILE',
    roles: both,
    initial: null,
    about: 'users, one a line as ACL LIST prints them; ACL LOAD and SAVE',
  },
  {
    name: 'user',
    value: 'NAME RULES',
    roles: both,
    initial: null,
    about: 'a user in the rules of ACL SETUSER; repeatable',
  },
  {
    name: 'masteruser',
    value: 'NAME',
    roles: proxy,
    initial: null,
    about: 'who the proxy is to members; default: default',
  },
  {
    name: 'masterauth',
    value: 'P',
    roles: proxy,
    initial: null,
    about: 'its password there; default: --requirepass',
  },
  { name: 'peer-secret', value: 'S', roles: both, initial: '', about: 'secret peers prove' },
  { name: 'log-level', value: 'L', roles: both, initial: 'info', about: 'debug|info|warn|error' },
  { name: 'dir', value: 'DIR', roles: shard, initial: null, about: 'where to store; absent: no' },
  {
    name: 'fsync',
    value: 'always|everysec|no',
    roles: shard,
    initial: 'everysec',
    about: 'policy',
  },
  { name: 'peer-compression', value: 'zstd|none', roles: shard, initial: 'none', about: 'links' },
  { name: 'peer', value: 'REGION=HOST:PORT', roles: shard, initial: null, about: 'repeatable' },
  { name: 'maxmemory', value: 'BYTES|512mb', roles: shard, initial: '0', about: '0: no limit' },
  {
    name: 'maxmemory-policy',
    value: 'POLICY',
    roles: shard,
    initial: 'noeviction',
    about: "what goes at maxmemory, by Redis' names",
  },
  { name: 'min-replicas', value: 'N', roles: shard, initial: '0', about: 'copies before a reply' },
  {
    name: 'backlog-bytes',
    value: 'BYTES|64mb',
    roles: shard,
    initial: '64mb',
    about: 'recent ops',
  },
  { name: 'slots', value: 'A-B', roles: shard, initial: '0-16383', about: 'hash slots held' },
  {
    name: 'managed',
    value: null,
    roles: shard,
    initial: null,
    about: 'role and peers come by CRDT.MAP',
  },
  { name: 'zone', value: 'Z', roles: both, initial: null, about: 'informative' },
];

/** The known flags, one a line, for the message about an unknown one. */
export function flagsHelp(): string {
  return flags
    .map((flag) => {
      const left = `  --${flag.name}${flag.value === null ? '' : ` ${flag.value}`}`;
      const initial = flag.initial ? ` (default ${flag.initial})` : '';
      return `${left.padEnd(34)}${flag.about}${initial}`;
    })
    .join('\n');
}
