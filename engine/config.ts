/**
 * The command line of the engine: every flag as data, one parser.
 *
 * `readConfig` never throws and never exits: it returns either a config or the list of everything
 * that is wrong, so that main.ts, tests and the docs use the same function. An unknown flag is an
 * error that lists the known ones. Secrets may come from the environment instead, because a command
 * line is visible to everyone on the machine.
 */

import { EVICTION_POLICIES, type EvictionPolicy } from './core/eviction.ts';

export type FsyncPolicy = 'always' | 'everysec' | 'no';
export type TlsAuthClients = 'no' | 'optional' | 'yes';
export type PeerAddress = { readonly region: string; readonly host: string; readonly port: number };
export type TlsFiles = {
  readonly cert: string;
  readonly key: string;
  /** null: whom the system trusts. */
  readonly ca: string | null;
};
export type SlotRange = { readonly first: number; readonly last: number };

export type Config = {
  readonly role: 'shard' | 'proxy';
  readonly region: string;
  readonly regionNumber: number;
  readonly database: string;
  readonly member: string;
  readonly bind: string;
  /** null: no plain port for clients. */
  readonly port: number | null;
  readonly peerPort: number;
  /** null: no TLS port for clients. */
  readonly tlsPort: number | null;
  readonly tls: TlsFiles | null;
  readonly tlsAuthClients: TlsAuthClients;
  /** A proxy reaches the members by TLS. */
  readonly tlsCluster: boolean;
  /** Mutual TLS on the peer port and on links that are dialled; null: plain. */
  readonly peerTls: TlsFiles | null;
  /** Plain peer links are wanted although other machines can reach them. */
  readonly insecurePeers: boolean;
  readonly requirepass: string | null;
  readonly peerSecret: string;
  readonly logLevel: string;
  readonly dir: string | null;
  readonly fsync: FsyncPolicy;
  readonly peers: readonly PeerAddress[];
  readonly maxMemoryBytes: number;
  readonly maxMemoryPolicy: EvictionPolicy;
  readonly minReplicas: number;
  readonly backlogBytesMax: number;
  readonly slots: SlotRange;
  readonly managed: boolean;
  readonly zone: string | null;
};

type Flag = {
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

export type ConfigResult = { readonly config: Config } | { readonly errors: readonly string[] };

/**
 * Reads the command line. `args` are without runtime and script; `environment` may hold
 * MERIDIAN_REQUIREPASS and MERIDIAN_PEER_SECRET. Returns the config, or everything that is wrong.
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const errors: string[] = [];
  const given = splitArguments(args, errors);
  const text = (name: string): string | null =>
    given.get(name)?.at(-1) ?? flags.find((flag) => flag.name === name)?.initial ?? null;
  const required = (name: string): string => {
    const value = text(name);
    if (value === null || value === '') errors.push(`--${name}: must be given`);
    return value ?? '';
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = text(name) as T;
    if (!allowed.includes(value)) {
      errors.push(`--${name}: "${value}" is not one of ${allowed.join(', ')}`);
    }
    return value;
  };
  const whole = (name: string, value: string | null, min: number, max: number): number => {
    const number = value !== null && /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      errors.push(`--${name}: "${value ?? ''}" must be a whole number from ${min} to ${max}`);
    }
    return number;
  };
  const role = oneOf('role', ['shard', 'proxy']);
  for (const name of given.keys()) {
    const flag = flags.find((known) => known.name === name)!;
    if (!flag.roles.includes(role)) errors.push(`--${name}: not known to the role ${role}`);
  }
  const config: Config = {
    role,
    region: required('region'),
    regionNumber: whole('region-number', text('region-number'), 1, 16),
    database: required('database'),
    member: required('member'),
    bind: required('bind'),
    port: zeroIsNone(whole('port', text('port'), 0, 65_535)),
    peerPort: whole(
      'peer-port',
      text('peer-port') ?? (role === 'proxy' ? '7443' : '7380'),
      0,
      65_535,
    ),
    insecurePeers: given.has('insecure-peers'),
    ...readTls({ text, whole, oneOf }, errors),
    requirepass: (text('requirepass') ?? environment.MERIDIAN_REQUIREPASS) || null,
    peerSecret: text('peer-secret') || (environment.MERIDIAN_PEER_SECRET ?? ''),
    logLevel: oneOf('log-level', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    dir: text('dir'),
    fsync: oneOf('fsync', ['always', 'everysec', 'no']),
    peers: (given.get('peer') ?? []).flatMap((value) => readPeer(value, errors)),
    maxMemoryBytes: readBytes('maxmemory', text('maxmemory')!, errors),
    maxMemoryPolicy: oneOf('maxmemory-policy', EVICTION_POLICIES),
    minReplicas: whole('min-replicas', text('min-replicas'), 0, 15),
    backlogBytesMax: readBytes('backlog-bytes', text('backlog-bytes')!, errors),
    slots: readSlots(text('slots')!, errors),
    managed: given.has('managed'),
    zone: text('zone'),
  };
  checkPeers(config, errors);
  checkTls(config, errors);
  checkPeerTls(config, errors);
  return errors.length > 0 ? { errors } : { config };
}

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

/** `--name value`, `--name=value` and switches, by name; each may come more than once. */
function splitArguments(args: readonly string[], errors: string[]): Map<string, string[]> {
  const given = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i];
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(argument);
    const flag = match && flags.find((known) => known.name === match[1]);
    if (!match || !flag) {
      errors.push(`unknown flag ${argument}; the known flags are:\n${flagsHelp()}`);
      if (args[i + 1] !== undefined && !args[i + 1].startsWith('--')) i++;
      continue;
    }
    let value = match[2];
    if (flag.value !== null && value === undefined) {
      i++;
      value = args[i];
      if (value === undefined) {
        errors.push(`--${flag.name}: needs a value (${flag.value})`);
        continue;
      }
    }
    given.set(flag.name, [...(given.get(flag.name) ?? []), value ?? '']);
  }
  return given;
}

type Readers = {
  text(name: string): string | null;
  whole(name: string, value: string | null, min: number, max: number): number;
  oneOf<T extends string>(name: string, allowed: readonly T[]): T;
};

function readTls({ text, whole, oneOf }: Readers, errors: string[]) {
  const tls = readTlsFiles('tls', text, errors);
  const peerTls = readTlsFiles('peer-tls', text, errors);
  if (peerTls !== null && peerTls.ca === null) {
    errors.push('--peer-tls-ca: must be given with --peer-tls-cert; peers prove themselves by it');
  }
  const auth = text('tls-auth-clients');
  const byDefault = tls === null || tls.ca === null ? 'no' : 'optional';
  return {
    tlsPort: zeroIsNone(whole('tls-port', text('tls-port') ?? '0', 0, 65_535)),
    tls,
    tlsAuthClients:
      auth === null
        ? byDefault
        : oneOf<TlsAuthClients>('tls-auth-clients', ['no', 'optional', 'yes']),
    tlsCluster: oneOf('tls-cluster', ['no', 'yes']) === 'yes',
    peerTls,
  };
}

function zeroIsNone(port: number): number | null {
  return port === 0 ? null : port;
}

/** `prefix`-cert, -key and -ca; null when the certificate is not given. */
function readTlsFiles(
  prefix: string,
  text: (name: string) => string | null,
  errors: string[],
): TlsFiles | null {
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((part) => text(`${prefix}-${part}`));
  if (cert !== null && key !== null) return { cert, key, ca };
  if (cert !== null || key !== null || ca !== null) {
    errors.push(`--${prefix}-cert and --${prefix}-key: must both be given`);
  }
  return null;
}

function checkTls(config: Config, errors: string[]): void {
  const { port, tlsPort, tls, tlsAuthClients, tlsCluster } = config;
  if (port === null && tlsPort === null) {
    errors.push('--port: 0 turns the plain port off; that needs --tls-port');
  }
  if (tlsPort !== null && tls === null) {
    errors.push('--tls-port: needs --tls-cert and --tls-key');
  }
  if (tlsAuthClients !== 'no' && (tls === null || tls.ca === null)) {
    errors.push(`--tls-auth-clients: ${tlsAuthClients} needs --tls-ca`);
  }
  if (tlsCluster && (tls === null || tls.ca === null)) {
    errors.push('--tls-cluster: needs --tls-cert, --tls-key and --tls-ca');
  }
}

/** Only this machine can reach it. */
function isLoopback(address: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(address);
}

function checkPeerTls({ peerTls, insecurePeers, bind }: Config, errors: string[]): void {
  if (peerTls !== null && insecurePeers) {
    errors.push('--insecure-peers: contradicts --peer-tls-cert; leave out one of the two');
  }
  if (peerTls !== null || insecurePeers || isLoopback(bind) || bind === '') return;
  errors.push(
    `--peer-tls-cert: must be given with --bind ${bind}, where other machines reach the peer port; ` +
      '--insecure-peers allows plain links on a network that you trust',
  );
}

function readPeer(value: string, errors: string[]): PeerAddress[] {
  const match = /^([^=]+)=(.+):(\d+)$/.exec(value);
  const port = match ? Number(match[3]) : 0;
  if (!match || port < 1 || port > 65_535) {
    errors.push(`--peer: "${value}" must be REGION=HOST:PORT`);
    return [];
  }
  return [{ region: match[1], host: match[2].replace(/^\[|\]$/g, ''), port }];
}

function checkPeers(config: Config, errors: string[]): void {
  const seen = new Set<string>([config.region]);
  for (const peer of config.peers) {
    if (seen.has(peer.region)) {
      const what = peer.region === config.region ? 'is this region itself' : 'is given twice';
      errors.push(`--peer: ${peer.region} ${what}`);
    }
    seen.add(peer.region);
  }
  if (config.managed && config.peers.length > 0) {
    errors.push('--peer: a managed member gets its peers by CRDT.MAP; leave out one of the two');
  }
}

const unitBytes: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1_000_000,
  mb: 1024 ** 2,
  g: 1_000_000_000,
  gb: 1024 ** 3,
};

/** Redis' notation: 100, 512mb (1024-based), 512m (1000-based). */
export function parseBytes(value: string): number | null {
  const match = /^(\d+)([a-z]*)$/i.exec(value);
  const factor = match ? unitBytes[match[2].toLowerCase()] : undefined;
  return match && factor !== undefined ? Number(match[1]) * factor : null;
}

function readBytes(name: string, value: string, errors: string[]): number {
  const bytes = parseBytes(value);
  if (bytes === null) errors.push(`--${name}: "${value}" must be bytes such as 100000 or 512mb`);
  return bytes ?? 0;
}

function readSlots(value: string, errors: string[]): SlotRange {
  const match = /^(\d+)-(\d+)$/.exec(value);
  const range = match ? { first: Number(match[1]), last: Number(match[2]) } : null;
  if (!range || range.first > range.last || range.last > 16_383) {
    errors.push(`--slots: "${value}" must be A-B within 0-16383`);
    return { first: 0, last: 16_383 };
  }
  return range;
}
