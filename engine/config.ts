/**
 * The command line of the engine: every flag as data, one parser, one table of limits.
 *
 * `readConfig` never throws and never exits: it returns either a config or the list of everything
 * that is wrong, so that main.ts, tests and the docs use the same function. An unknown flag is an
 * error that lists the known ones. Secrets may come from the environment instead, because a command
 * line is visible to everyone on the machine.
 */

import {
  EVICTION_POLICIES,
  EVICTION_SAMPLES_MAX,
  EVICTIONS_PER_COMMAND_MAX,
  EVICTIONS_PER_TICK_MAX,
  type EvictionPolicy,
} from './core/eviction.ts';
import { ACTORS_MAX } from './crdt/roster.ts';
import { PACKED_BYTES_MAX, PACKED_ELEMENTS_MAX } from './keyspace/packed-block.ts';

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

export type Limit = {
  readonly unit: string;
  readonly value: number;
  /** What happens when it is reached. */
  readonly reached: string;
};

/** Every fixed limit of log, replication, member and packed values; flags change those that are theirs. */
export const limits = {
  frameBytesMax: {
    unit: 'bytes',
    value: 512 * 1024 * 1024 + 65_536,
    reached: 'the peer link is closed; a log with such a frame is damaged',
  },
  handshakeFrameBytesMax: {
    unit: 'bytes',
    value: 65_536,
    reached: 'the peer link is closed before anybody has proved anything',
  },
  backlogBytes: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'the oldest ops are forgotten; a peer that lacks them gets the whole state',
  },
  unackedBytesMax: {
    unit: 'bytes',
    value: 16 * 1024 * 1024,
    reached: 'the server of a session sends no more until the puller has confirmed some',
  },
  linkBufferBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'the server of a session sends no more until the network took some',
  },
  atomicStateBytesMax: {
    unit: 'bytes',
    value: 8 * 1024 * 1024,
    reached: 'a larger state is merged over many turns; causality holds within each slot only',
  },
  stateTurnBytes: {
    unit: 'bytes',
    value: 1024 * 1024,
    reached: 'the rest of a state is captured in later turns; these slots are ahead of its vector',
  },
  replayBytesMax: {
    unit: 'bytes',
    value: 256 * 1024 * 1024,
    reached: 'own ops since a state began to come: the rest of it is merged instead of replayed on',
  },
  aheadPatience: {
    unit: 'ms',
    value: 10_000,
    reached: 'ops that only slots have seen, and no peer has: what slots hold of them is kept',
  },
  segmentBytesMax: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'the log goes on in a new file',
  },
  imageAfterBytes: {
    unit: 'bytes',
    value: 32 * 1024 * 1024,
    reached: 'log beyond the last image: a new image is written, older segments are removed',
  },
  imageRetryAfter: {
    unit: 'ms',
    value: 30_000,
    reached: 'an image that was given up (full or broken disk) is begun again',
  },
  actorsMax: {
    unit: 'writers',
    value: ACTORS_MAX,
    reached:
      'starts of members that wrote, of all regions and for ever: a new writer does not start',
  },
  actorsWarned: {
    unit: 'writers',
    value: 5000,
    reached: 'each start warns: vectors of 20 bytes a writer cost links and CPU',
  },
  relayAfter: {
    unit: 'ms',
    value: 1000,
    reached: 'what a mark names has not come: the sender is asked to relay all it has',
  },
  directAgainAfter: {
    unit: 'ms',
    value: 3000,
    reached: 'relaying: the own stream is tried again if all direct links stand',
  },
  peerSilence: {
    unit: 'ms',
    value: 3000,
    reached: 'no byte came: the link is dead, it is closed and dialled again',
  },
  upstreamSilence: {
    unit: 'ms',
    value: 1200,
    reached: 'two heartbeats are missing: a replica reports that its primary does not answer',
  },
  heartbeatInterval: { unit: 'ms', value: 500, reached: 'a heartbeat or confirmation is sent' },
  ackInterval: { unit: 'ms', value: 50, reached: 'what was applied is confirmed' },
  dialBackoffMin: { unit: 'ms', value: 100, reached: 'the link is dialled again; doubles' },
  dialBackoffMax: { unit: 'ms', value: 2000, reached: 'the backoff does not grow further' },
  acceptedPeersMax: { unit: 'links', value: 256, reached: 'further peers are refused' },
  packedElementsMax: {
    unit: 'elements',
    value: PACKED_ELEMENTS_MAX,
    reached: 'a set or hash becomes a table: a few times the memory for each element',
  },
  packedBytesMax: {
    unit: 'bytes',
    value: PACKED_BYTES_MAX,
    reached: 'as above, whatever the number of elements',
  },
  evictionsPerCommandMax: {
    unit: 'keys',
    value: EVICTIONS_PER_COMMAND_MAX,
    reached: 'the command runs, the tick evicts on; refused when memory is 1.125 × maxmemory',
  },
  evictionsPerTickMax: {
    unit: 'keys',
    value: EVICTIONS_PER_TICK_MAX,
    reached: 'the next tick evicts on',
  },
  evictionSamplesMax: {
    unit: 'keys',
    value: EVICTION_SAMPLES_MAX,
    reached: 'CONFIG SET maxmemory-samples refuses more',
  },
  clientsMax: { unit: 'connections', value: 10_000, reached: 'further clients get an error' },
  clientHeldBytesMax: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'a client that does not read its replies is closed',
  },
  tlsReloadInterval: {
    unit: 'ms',
    value: 5000,
    reached: 'the files of certificates are read again; SIGHUP does it at once',
  },
  verifySilence: {
    unit: 'ms',
    value: 5000,
    reached: 'a region that does not answer CRDT.VERIFY counts as unreachable',
  },
  verificationsMax: {
    unit: 'regions',
    value: 16,
    reached: 'further CRDT.VERIFY are refused until one of those that run has ended',
  },
  repairRound: {
    unit: 'ms',
    value: 600_000,
    reached: 'all slots are compared with a peer again, and what differs is mended',
  },
  repairInterval: {
    unit: 'ms',
    value: 500,
    reached: 'the next slots are compared in the background',
  },
  repairIntervalUrgent: {
    unit: 'ms',
    value: 100,
    reached: 'the same at the start and after a state merge; below 1 % of a core with what follows',
  },
  repairQuestionKeys: {
    unit: 'keys',
    value: 500,
    reached: 'no more are compared at once in the background: 0.6 ms of each side',
  },
  repairSlotBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'a larger slot is not compared in the background, only by CRDT.VERIFY',
  },
  repairRetry: {
    unit: 'ms',
    value: 2000,
    reached: 'slots that were busy or were mended are compared again',
  },
  repairTriesMax: {
    unit: 'times',
    value: 30,
    reached: 'slots that are always busy wait for the next round',
  },
  repairLagMax: {
    unit: 'ops',
    value: 10_000,
    reached: 'a peer so far behind or ahead is not compared until it has caught up',
  },
  tokenBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'CRDT.AFTER refuses the token; one actor takes 27 bytes of it',
  },
  tlsHandshake: {
    unit: 'ms',
    value: 5000,
    reached: 'a TLS handshake that is not over is given up',
  },
  tlsHandshakesMax: {
    unit: 'handshakes',
    value: 1024,
    reached: 'under way at once on one port: further connections are closed unread',
  },
  tlsFarewell: {
    unit: 'ms',
    value: 1000,
    reached: 'who was refused by its certificate has not taken the last words: it is cut off',
  },
  replicaWaitMax: {
    unit: 'ms',
    value: 10_000,
    reached: 'min-replicas is not met: the client is closed, its outcome unknown',
  },
} as const satisfies Record<string, Limit>;

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
