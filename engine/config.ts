/**
 * The command line of the engine: one parser for the flags of flags.ts.
 *
 * `readConfig` never throws and never exits: it returns either a config or the list of everything
 * that is wrong, so that main.ts, tests and the docs use the same function. An unknown flag is an
 * error that lists the known ones. Secrets may come from the environment instead, because a command
 * line is visible to everyone on the machine.
 */

import { EVICTION_POLICIES, type EvictionPolicy } from './core/eviction.ts';
import { flags, flagsHelp } from './flags.ts';

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
  /** Users, in a file or one by one as `NAME RULES`; not both. */
  readonly aclFile: string | null;
  readonly users: readonly string[];
  /** Who a proxy is to members; null: the default user, by `requirepass`. */
  readonly masterUser: string | null;
  readonly masterAuth: string | null;
  readonly peerSecret: string;
  readonly logLevel: string;
  readonly dir: string | null;
  readonly fsync: FsyncPolicy;
  readonly peers: readonly PeerAddress[];
  readonly peerCompression: 'zstd' | 'none';
  readonly maxMemoryBytes: number;
  readonly maxMemoryPolicy: EvictionPolicy;
  readonly minReplicas: number;
  readonly backlogBytesMax: number;
  readonly slots: SlotRange;
  readonly managed: boolean;
  readonly zone: string | null;
};

export type ConfigResult = { readonly config: Config } | { readonly errors: readonly string[] };

/**
 * Reads the command line. `args` are without runtime and script; `environment` may hold
 * MERIDIAN_REQUIREPASS, MERIDIAN_MASTERAUTH and MERIDIAN_PEER_SECRET. Returns the config, or everything that is wrong.
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
    ...readAccess(text, environment),
    users: given.get('user') ?? [],
    peerSecret: text('peer-secret') || (environment.MERIDIAN_PEER_SECRET ?? ''),
    logLevel: oneOf('log-level', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    dir: text('dir'),
    fsync: oneOf('fsync', ['always', 'everysec', 'no']),
    peers: (given.get('peer') ?? []).flatMap((value) => readPeer(value, errors)),
    peerCompression: oneOf('peer-compression', ['zstd', 'none']),
    maxMemoryBytes: readBytes('maxmemory', text('maxmemory')!, errors),
    maxMemoryPolicy: oneOf('maxmemory-policy', EVICTION_POLICIES),
    minReplicas: whole('min-replicas', text('min-replicas'), 0, 15),
    backlogBytesMax: readBytes('backlog-bytes', text('backlog-bytes')!, errors),
    slots: readSlots(text('slots')!, errors),
    managed: given.has('managed'),
    zone: text('zone'),
  };
  checkUsers(config, errors);
  checkPeers(config, errors);
  checkTls(config, errors);
  checkPeerTls(config, errors);
  return errors.length > 0 ? { errors } : { config };
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

/** Who may come in, and who a proxy is to members. */
function readAccess(
  text: (name: string) => string | null,
  environment: Readonly<Record<string, string | undefined>>,
) {
  const masterAuth = (text('masterauth') ?? environment.MERIDIAN_MASTERAUTH) || null;
  return {
    requirepass: (text('requirepass') ?? environment.MERIDIAN_REQUIREPASS) || null,
    aclFile: text('aclfile'),
    masterUser: text('masteruser'),
    masterAuth,
  };
}

function checkUsers({ aclFile, users, masterUser, masterAuth }: Config, errors: string[]): void {
  if (aclFile !== null && users.length > 0) {
    errors.push('--user: contradicts --aclfile; users stand in the file, or in flags, not in both');
  }
  for (const user of users) {
    if (!/^\S+(\s|$)/.test(user)) errors.push(`--user: "${user}" must begin with a name`);
  }
  if (masterUser !== null && masterAuth === null) {
    errors.push('--masterauth: must be given with --masteruser (or MERIDIAN_MASTERAUTH)');
  }
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
