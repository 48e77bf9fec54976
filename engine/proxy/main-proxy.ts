/**
 * Shell: the proxy role. Clients and peers of other regions reach a region's members through it.
 *
 *     clients → client.ts → forward.ts, special.ts → router.ts → upstream.ts → members
 *     peers   → peer-splice.ts → peer port of the primary
 *
 * It holds no data. Whoever made the map hands it over by CRDT.MAP SET; until then commands that
 * touch data wait, at most 5 s, and are then answered with LOADING.
 */
import { randomBytes } from 'node:crypto';
import { aclOf } from '../acl/acl-file.ts';
import { makeServerContext } from '../command/context.ts';
import { errorText } from '../command/errors.ts';
import type { TlsFiles } from '../config.ts';
import { Db } from '../core/db.ts';
import { type Journal, silentJournal } from '../env.ts';
import { openPeerTls } from '../member/peer-tls.ts';
import { type ClientPortOptions, dialingByTls, listenToClients } from '../net/client-ports.ts';
import type { Connection, Sockets } from '../net/connection.ts';
import { sockets as runtimeSockets } from '../net/sockets.ts';
import { TlsSource } from '../net/tls-files.ts';
import { ProxyClient } from './client.ts';
import { ProxyCore } from './core.ts';
import { PeerSplicer } from './peer-splice.ts';
import { ProxyMember } from './proxy-member.ts';
import { Router } from './router.ts';
import { Subscriptions } from './subscriptions.ts';
import { Turn } from './turn.ts';
import type { Login } from './upstream.ts';

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const TICK_MS = 50;
const DRAIN_MS = 1000;
const TOO_MANY = Buffer.from(`-${errorText('maxClients')}\r\n`);

export type ProxyOptions = ClientPortOptions & {
  readonly region: string;
  readonly regionNumber: number;
  readonly database: string;
  /** The name of this proxy. */
  readonly member: string;
  /** For peers of other regions; 0: any. */
  readonly peerPort: number;
  /** The default user's password, here and, unless `masterAuth` says otherwise, at the members. */
  readonly requirepass: string | null;
  /** Who this proxy is to the members; absent or null: the default user. */
  readonly masterUser?: string | null;
  readonly masterAuth?: string | null;
  /** Users of this proxy: in a file, or as `NAME RULES`. */
  readonly aclFile?: string | null;
  readonly users?: readonly string[];
  /** Bytes that a client may leave unread before it is closed; default 256 MB. */
  readonly outputBytesMax?: number;
  readonly version?: string;
  /** Absent: those of the runtime. */
  readonly sockets?: Sockets;
  /** Reaches the members by TLS, with the certificate and CA of `tls`. */
  readonly tlsCluster?: boolean;
  /** Mutual TLS on the peer port and towards the members; null or absent: plain. */
  readonly peerTls?: TlsFiles | null;
  /** Absent: nothing is written down. */
  readonly journal?: Journal;
  /** Called by SHUTDOWN. */
  readonly shutdown?: () => void;
};

export type RunningProxy = {
  /** Bound for clients; 0: no such port. */
  readonly port: number;
  readonly tlsPort: number;
  readonly peerPort: number;
  /** Stops listening and closes every connection. */
  close(): Promise<void>;
};

/** Starts a proxy; resolves when both ports are bound. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const sockets = options.sockets ?? runtimeSockets;
  const turn = new Turn();
  const login = loginOf(options);
  const journal = options.journal ?? silentJournal;
  const clusterTls = options.tlsCluster && options.tls ? new TlsSource(options.tls, journal) : null;
  const toMembers = clusterTls === null ? sockets : dialingByTls(sockets, clusterTls);
  const router = new Router({ sockets: toMembers, turn, login, nowMs: () => performance.now() });
  const peerTls = openPeerTls(options.peerTls ?? null, options.database, journal);
  const splicer = new PeerSplicer(sockets, { region: options.region, tls: peerTls, journal });
  const member = new ProxyMember(options, router);
  const context = makeServerContext({
    // Commands about the connection ask a database only for sizes: this one stays empty.
    db: new Db({ random: Math.random, region: options.regionNumber }),
    member,
    clockMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    random: Math.random,
    acl: { ...aclOf(options), scriptsElsewhere: true },
    tracks: false,
    config: { requirepass: options.requirepass ?? '', port: options.port ?? 0, bind: options.bind },
    process: {
      version: options.version ?? '0.1.0',
      runtime: `${sockets.runtime} ${process.versions.bun ?? process.versions.node}`,
      os: `${process.platform} ${process.arch}`,
      pid: process.pid,
      port: options.port ?? 0,
      runId: randomBytes(20).toString('hex'),
      startedAtMs: Date.now(),
      region: options.region,
      database: options.database,
    },
  });
  const { pubsub } = context;
  const { outputBytesMax = OUTPUT_BYTES_MAX } = options;
  const subscriptions = new Subscriptions({ sockets: toMembers, login, pubsub, router });
  const core = new ProxyCore(context, router, turn, subscriptions, outputBytesMax);
  member.clientCount = () => core.clients.size;
  router.mapChanged = () => {
    subscriptions.mapChanged();
    splicer.setMap(router.map!);
    for (const client of [...core.postponed]) client.retryPostponed();
  };
  const listener = await listenToClients(sockets, options, journal, clientAcceptor(core));
  const peerPort = await splicer.listen(options.bind, options.peerPort).catch((error) => {
    listener.close();
    router.close();
    throw error;
  });
  const timer = setInterval(() => core.tick(Date.now()), TICK_MS);
  return {
    port: listener.port,
    tlsPort: listener.tlsPort,
    peerPort,
    async close() {
      listener.close();
      clusterTls?.close();
      peerTls?.close();
      await repliesSent(core);
      clearInterval(timer);
      splicer.close();
      subscriptions.close();
      for (const client of [...core.clients]) client.close();
      router.close();
      // One more turn, so that the last bytes of all sockets are on their way.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function loginOf({ requirepass, masterUser, masterAuth }: ProxyOptions): Login | null {
  const password = masterAuth ?? requirepass;
  if (password === null) return null;
  return masterUser ? [masterUser, password] : [password];
}

/** Resolves when all commands that clients have sent are answered, or after a second. */
async function repliesSent(core: ProxyCore): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  while (performance.now() < deadline) {
    if ([...core.clients].every((client) => client.idle)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function clientAcceptor(core: ProxyCore): (connection: Connection) => void {
  let lastId = 0;
  return (connection) => {
    if (core.clients.size >= core.context.limits.clientsMax) {
      connection.write(TOO_MANY);
      connection.close();
      return;
    }
    lastId++;
    connection.keepAlive(core.context.limits.keepAliveSeconds * 1000);
    core.clients.add(new ProxyClient(core, connection, lastId));
  };
}
