/**
 * Shell: what every implementation of Sockets must do, as cases that any runner can play.
 *
 * Jest plays them on Node's sockets; `socket.contract.bun.ts` plays them inside Bun; both with and
 * without TLS. Each case gets its own listener on a free port and fails by throwing.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as rawConnect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as rawConnectTls } from 'node:tls';
import type { Connection, Listener, Sockets } from './connection.ts';
import type { TlsMaterial, TlsPolicy } from './tls.ts';

const LOOPBACK = '127.0.0.1';
const CASE_TIMEOUT_MS = 8000;

type Setting = {
  sockets: Sockets;
  listener: Listener;
  /** Connections accepted so far. */
  accepted: Connection[];
  /** Replaced by cases that act on arrival. */
  onConnection: (connection: Connection) => void;
  /** A client with nothing of ours in it. */
  raw: () => Promise<Socket>;
  /** Breaks the connection of a raw client by a reset. */
  reset: (client: Socket) => void;
};

export type Carrier = 'plain' | 'tls';

export const socketContract: Record<string, (setting: Setting) => Promise<void>> = {
  'echoes bytes in order, whatever their size': async ({ sockets, listener }) => {
    const sent = pattern(3_000_000);
    const client = await sockets.connect({ host: LOOPBACK, port: listener.port });
    const got = collect(client);
    for (let at = 0; at < sent.length; at += 70_001) client.write(sent.subarray(at, at + 70_001));
    await until(() => got.bytes >= sent.length);
    assert.ok(Buffer.concat(got.chunks).equals(sent));
    client.close();
  },

  'a writer may reuse its memory at once, and bufferedBytes falls to 0': async (setting) => {
    const client = await setting.raw();
    client.pause();
    await until(() => setting.accepted.length === 1);
    const server = setting.accepted[0];
    let drained = 0;
    server.onDrain = () => drained++;
    const memory = Buffer.alloc(1_000_000);
    let refused = 0;
    for (let i = 0; i < 16; i++) {
      memory.fill(i);
      if (!server.write(memory)) refused++;
    }
    assert.ok(refused > 0, 'a reader that stands still must be felt');
    assert.ok(server.bufferedBytes > 0);
    // What has left may at most be what the client's kernel and ours hold.
    assert.ok(server.unsentBytes > 8_000_000 && server.unsentBytes <= server.bufferedBytes);
    memory.fill(99);
    const counts = new Array<number>(100).fill(0);
    let previous = 0;
    client.on('data', (chunk: Buffer) => {
      for (const byte of chunk) {
        assert.ok(byte >= previous, 'out of order');
        previous = byte;
        counts[byte]++;
      }
    });
    client.resume();
    await until(() => counts[15] === 1_000_000 && drained > 0);
    assert.deepEqual(counts.slice(0, 17), [...new Array<number>(16).fill(1_000_000), 0]);
    assert.equal(server.bufferedBytes, 0);
    assert.equal(drained, 1);
    client.destroy();
  },

  'pause holds data back and resume gets all of it': async (setting) => {
    const sent = pattern(2_000_000);
    const client = await setting.raw();
    await until(() => setting.accepted.length === 1);
    const server = setting.accepted[0];
    const got = collect(server);
    server.pause();
    client.write(sent);
    await delay(100);
    assert.ok(got.bytes <= 128 * 1024, `${got.bytes} bytes came through`);
    server.resume();
    await until(() => got.bytes === sent.length);
    assert.ok(Buffer.concat(got.chunks).equals(sent));
    client.destroy();
  },

  'close sends everything first, also after the other side has ended': async (setting) => {
    const sent = pattern(5_000_000);
    setting.onConnection = (server) => {
      server.onData = () => {};
      server.onEnd = () => {
        server.write(sent);
        server.close();
      };
    };
    const client = await setting.raw();
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.end('bye');
    await new Promise((resolve) => client.once('end', resolve));
    assert.ok(Buffer.concat(chunks).equals(sent));
  },

  'close reaches a client that goes on sending': async (setting) => {
    let closed = 0;
    setting.onConnection = (server) => {
      server.onClose = () => closed++;
      server.onData = () => {
        server.write(Buffer.from('-ERR enough\r\n'));
        server.close();
      };
    };
    const client = await setting.raw();
    let text = '';
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const ended = new Promise((resolve) => client.once('end', resolve));
    for (let i = 0; i < 20; i++) client.write(Buffer.alloc(50_000));
    await ended;
    assert.equal(text, '-ERR enough\r\n');
    client.end();
    await until(() => closed === 1);
  },

  'onClose comes exactly once, on either side': async (setting) => {
    const closes: string[] = [];
    setting.onConnection = (server) => {
      server.onClose = () => closes.push('server');
    };
    const client = await setting.sockets.connect({ host: LOOPBACK, port: setting.listener.port });
    client.onClose = () => closes.push('client');
    await until(() => setting.accepted.length === 1);
    client.destroy();
    client.destroy();
    client.close();
    await until(() => closes.length === 2);
    await delay(20);
    assert.deepEqual(closes.sort(), ['client', 'server']);
    assert.equal(client.closed, true);
    assert.equal(client.write(Buffer.from('x')), false);
  },

  'a reset by the other side closes us with an error, and later writes are harmless': async (
    setting,
  ) => {
    let error: Error | null | undefined;
    setting.onConnection = (server) => {
      server.onClose = (e) => {
        error = e;
      };
    };
    const client = await setting.raw();
    await until(() => setting.accepted.length === 1);
    setting.reset(client);
    await until(() => error !== undefined);
    assert.equal((error as { code?: string } | null)?.code, 'ECONNRESET');
    assert.equal(setting.accepted[0].write(Buffer.from('x')), false);
    assert.equal(setting.accepted[0].closed, true);
  },

  'after a break unsentBytes still says what surely did not arrive': async (setting) => {
    const client = await setting.raw();
    client.pause();
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.pause();
    await until(() => setting.accepted.length === 1);
    const server = setting.accepted[0];
    let unsent = -1;
    server.onClose = () => {
      unsent = server.unsentBytes;
    };
    const total = 40 * 500_000;
    for (let i = 0; i < 40; i++) server.write(Buffer.alloc(500_000));
    client.resume();
    await until(() => received > 2_000_000);
    setting.reset(client);
    await until(() => unsent >= 0);
    assert.ok(unsent > 0, 'the rest cannot have left');
    assert.ok(received + unsent <= total, `${received} received, ${unsent} unsent of ${total}`);
  },

  'refused connections and occupied ports reject with the code': async (setting) => {
    const { sockets, listener } = setting;
    await assert.rejects(
      sockets.listen({ host: LOOPBACK, port: listener.port, onConnection: () => {} }),
      { code: 'EADDRINUSE' },
    );
    const other = await sockets.listen({ host: LOOPBACK, port: 0, onConnection: () => {} });
    other.close();
    await delay(20);
    await assert.rejects(sockets.connect({ host: LOOPBACK, port: other.port }), {
      code: 'ECONNREFUSED',
    });
  },

  'dials from the address it is told': async (setting) => {
    const { sockets, listener } = setting;
    const client = await sockets.connect({
      host: LOOPBACK,
      port: listener.port,
      localAddress: '127.0.0.9',
    });
    await until(() => setting.accepted.length === 1);
    assert.match(setting.accepted[0].remoteAddress, /^127\.0\.0\.9:\d+$/);
    assert.match(client.localAddress, /^127\.0\.0\.9:\d+$/);
    assert.equal(client.remoteAddress, `127.0.0.1:${listener.port}`);
    client.destroy();
  },

  'a connection that nobody answers is given up in time': async ({ sockets }) => {
    // TEST-NET-1 is routed nowhere: either the network says so at once or nothing ever comes.
    const started = performance.now();
    await assert.rejects(sockets.connect({ host: '192.0.2.1', port: 9, timeoutMs: 200 }));
    assert.ok(performance.now() - started < 2000);
  },
};

/** Plays one case on one implementation. */
export async function playCase(name: string, bare: Sockets, carrier: Carrier): Promise<void> {
  const sockets = carrier === 'tls' ? withTls(bare) : bare;
  const accepted: Connection[] = [];
  const clients: Socket[] = [];
  const lower = new Map<Socket, Socket>();
  const setting: Setting = {
    sockets,
    accepted,
    listener: await sockets.listen({
      host: LOOPBACK,
      port: 0,
      onConnection(connection) {
        accepted.push(connection);
        connection.onData = (chunk) => connection.write(chunk);
        setting.onConnection(connection);
      },
    }),
    onConnection: () => {},
    raw: () =>
      new Promise((resolve, reject) => {
        const client = rawConnect({ host: LOOPBACK, port: setting.listener.port });
        clients.push(client);
        client.on('error', reject);
        client.once('connect', () => {
          if (carrier === 'plain') {
            resolve(client);
            return;
          }
          const options = {
            socket: client,
            ca: testMaterial('server').ca!,
            servername: 'localhost',
          };
          const secure = rawConnectTls(options, () => resolve(secure));
          lower.set(secure, client);
          clients.push(secure);
          secure.on('error', reject);
        });
      }),
    reset: (client) => void (lower.get(client) ?? client).resetAndDestroy(),
  };
  try {
    await socketContract[name](setting);
  } finally {
    setting.listener.close();
    for (const connection of accepted) connection.destroy();
    for (const client of clients) client.destroy();
  }
}

/** The same sockets, with a certificate at the listener that the one who dials checks. */
function withTls(bare: Sockets): Sockets {
  const server: TlsPolicy = {
    material: () => testMaterial('server'),
    minVersion: 'TLSv1.2',
    certificate: 'no',
  };
  const client: TlsPolicy = {
    material: () => testMaterial('client'),
    minVersion: 'TLSv1.3',
    certificate: 'required',
  };
  return {
    runtime: bare.runtime,
    listen: (options) => bare.listen({ ...options, tls: server }),
    connect: (options) => bare.connect({ ...options, tls: client }),
  };
}

const materials = new Map<string, TlsMaterial>();

/** Certificate and key of a name in testdata/, with the CA of most of them. */
export function testMaterial(name: string): TlsMaterial {
  const text = (file: string) => readFileSync(join(import.meta.dirname, 'testdata', file), 'utf8');
  const held = materials.get(name);
  if (held !== undefined) return held;
  const made = { cert: text(`${name}.pem`), key: text(`${name}.key`), ca: text('ca.pem') };
  materials.set(name, made);
  return made;
}

export function collect(connection: Connection): { chunks: Uint8Array[]; bytes: number } {
  const got = { chunks: [] as Uint8Array[], bytes: 0 };
  connection.onData = (chunk) => {
    got.chunks.push(chunk);
    got.bytes += chunk.length;
  };
  return got;
}

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + CASE_TIMEOUT_MS;
  while (!done()) {
    assert.ok(performance.now() < deadline, `waited too long for ${done}`);
    await delay(2);
  }
}
