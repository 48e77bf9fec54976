/**
 * Shell: a member as a process. Sockets, timers and signals on one side, the pure member on the
 * other: bytes go in as they come, and one turn per round of the event loop ends what they did.
 */

import { randomBytes } from 'node:crypto';
import { aclOf } from '../acl/acl-file.ts';
import type { Config } from '../config.ts';
import type { Clock, Disk, Env, Journal, Random } from '../env.ts';
import { openFileDisk } from '../log/disk-file.ts';
import { listenToClients } from '../net/client-ports.ts';
import type { Connection, Listener } from '../net/connection.ts';
import { sockets } from '../net/sockets.ts';
import { giveBack } from '../net/spent-chunk.ts';
import { loadLuaModule } from '../script/lua-module.ts';
import { Member, TICK_MS } from './member.ts';
import { linkOver, socketTransport } from './peer-links.ts';
import { openPeerTls, type PeerTls } from './peer-tls.ts';
import { threadClock, waitingClock } from './thread-clock.ts';

/** While there is work in the background, so many pulses come evenly between two ticks. */
const PULSES = 3;

export type RunningMember = {
  /** Bound for clients; 0: no such port. */
  readonly port: number;
  readonly tlsPort: number;
  readonly peerPort: number;
  readonly member: Member;
  /** Makes everything safe, closes all connections. */
  close(): Promise<void>;
};

export type ServerHooks = {
  readonly version: string;
  readonly journal: Journal;
  /** Something is wrong beyond repair: the process must end at once. */
  readonly fatal: (reason: string) => void;
  /** SHUTDOWN was asked for. */
  readonly shutdown: () => void;
};

const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  cpuMs: threadClock(),
  waitedMs: waitingClock() ?? undefined,
};

/** Random numbers come from a pool: one call of the system for many of them. */
export function realRandom(): Random {
  let pool = randomBytes(4096);
  let at = 0;
  return {
    uint32() {
      if (at + 4 > pool.length) {
        pool = randomBytes(4096);
        at = 0;
      }
      at += 4;
      return pool.readUInt32LE(at - 4);
    },
    bytes: (length) => new Uint8Array(randomBytes(length)),
  };
}

/** Recovers, binds both ports and serves. Throws when it cannot, with words for people. */
export async function startMember(config: Config, hooks: ServerHooks): Promise<RunningMember> {
  // Now rather than with the first script: it takes some ms, and its file may be missing.
  loadLuaModule();
  const peerTls = openPeerTls(config.peerTls, config.database, hooks.journal);
  const disk: Disk | null = config.dir === null ? null : openFileDisk(config.dir);
  let scheduled = false;
  let member: Member | null = null;
  const wake = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      member?.turn();
    });
  };
  const env: Env = {
    clock: realClock,
    random: realRandom(),
    disk,
    transport: socketTransport(sockets, config.bind, peerTls),
    journal: hooks.journal,
    fatal: hooks.fatal,
  };
  try {
    member = new Member(env, config, {
      facts: processFacts(config, hooks.version),
      acl: aclOf(config),
      wake,
      shutdown: hooks.shutdown,
    });
  } catch (error) {
    disk?.close();
    throw error;
  }
  const running = member;
  const clients = await listenToClients(sockets, config, hooks.journal, (connection) =>
    serveClient(running, connection),
  ).catch((error) => {
    disk?.close();
    throw error;
  });
  const peers = await listenToPeers(running, config, peerTls).catch((error) => {
    clients.close();
    disk?.close();
    throw error;
  });
  const timer = setInterval(() => {
    running.tick();
    if (!running.hasBackgroundWork) return;
    for (let n = 1; n <= PULSES; n++) {
      setTimeout(() => running.pulse(), (TICK_MS / (PULSES + 1)) * n);
    }
  }, TICK_MS);
  return {
    port: clients.port,
    tlsPort: clients.tlsPort,
    peerPort: peers.port,
    member: running,
    async close() {
      clients.close();
      peers.close();
      peerTls?.close();
      clearInterval(timer);
      await new Promise<void>((resolve) => running.stop(resolve));
      // One more round, so that the last bytes of all sockets are on their way.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function listenToPeers(member: Member, config: Config, tls: PeerTls | null): Promise<Listener> {
  return sockets.listen({
    host: config.bind,
    port: config.peerPort,
    tls: tls?.accept,
    onRefused: tls?.refused,
    onConnection: (connection) => {
      const { link, attach } = linkOver(connection, tls?.certified(connection.certificate));
      attach(member.acceptPeer(link));
    },
  });
}

/** What INFO tells about this process. */
function processFacts(config: Config, version: string) {
  return {
    version,
    runtime: `${sockets.runtime} ${process.versions.bun ?? process.versions.node}`,
    os: `${process.platform} ${process.arch}`,
    pid: process.pid,
    residentBytes: () => process.memoryUsage.rss(),
    port: config.port ?? 0,
    runId: randomBytes(20).toString('hex'),
    startedAtMs: Date.now(),
    region: config.region,
    database: config.database,
  };
}

function serveClient(member: Member, connection: Connection): void {
  const client = member.connectClient(connection.remoteAddress, connection.localAddress, {
    send: (bytes, length) => connection.write(bytes, length),
    bufferedBytes: () => connection.bufferedBytes,
    close: () => connection.close(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
  });
  connection.keepAlive(member.context.limits.keepAliveSeconds * 1000);
  connection.onDrain = () => member.clients.drained(client);
  connection.onData = (chunk) => {
    member.clients.receive(client, chunk);
    // A session keeps no part of a chunk.
    giveBack(chunk);
  };
  connection.onClose = () => member.clients.closed(client);
}
