/**
 * Shell: what TLS adds to the contract of sockets: who is let in, what the refused are told, and that
 * a renewed certificate serves at once. Played like socket.contract.ts, in both runtimes.
 */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, connect as rawConnect } from 'node:net';
import { type ConnectionOptions, connect as rawConnectTls } from 'node:tls';
import type { Connection, Listener, Sockets } from './connection.ts';
import { delay, testMaterial, until } from './socket.contract.ts';
import type { TlsMaterial, TlsPolicy } from './tls.ts';

const LOOPBACK = '127.0.0.1';

type Setting = {
  sockets: Sockets;
  /** A listener that echoes, with this policy over the one of a peer. */
  listen(policy?: Partial<TlsPolicy>): Promise<Listener>;
  accepted: Connection[];
  /** Reasons for which connections were refused. */
  refused: string[];
  /** All bytes that accepted connections have received. */
  received: () => string;
};

const peerPolicy: TlsPolicy = {
  material: () => testMaterial('peer-eu'),
  minVersion: 'TLSv1.3',
  certificate: 'required',
  farewell: (reason) => Buffer.from(`refused: ${reason}`),
};

const as = (name: string, policy: Partial<TlsPolicy> = {}): TlsPolicy => ({
  ...peerPolicy,
  material: () => testMaterial(name),
  ...policy,
});

/** Dials as `name` and resolves with everything that came until the other side ended. */
async function lastWords(setting: Setting, port: number, name: string): Promise<string> {
  let text = '';
  let over = false;
  const connection = await setting.sockets.connect({ host: LOOPBACK, port, tls: as(name) });
  connection.onData = (chunk) => {
    text += Buffer.from(chunk).toString();
  };
  connection.onClose = () => {
    over = true;
  };
  await until(() => over);
  return text;
}

/** A client of node:tls without anything of ours; resolves with what it read or its error. */
function stranger(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const client = rawConnectTls({
      host: LOOPBACK,
      port,
      ca: testMaterial('client').ca!,
      ...options,
    });
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    client.on('error', (error) => resolve(`error: ${error.message}`));
    client.on('close', () => resolve(text));
  });
}

export const tlsContract: Record<string, (setting: Setting) => Promise<void>> = {
  'both sides see the certificate of the other, with its URI names': async (setting) => {
    const { port } = await setting.listen();
    const client = await setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    await until(() => setting.accepted.length === 1);
    const uris = (region: string) => [
      `meridian://default/region/${region}`,
      `meridian://shop/carts/region/${region}`,
    ];
    assert.deepEqual(client.certificate, { subject: 'CN=peer-eu', uris: uris('eu') });
    assert.deepEqual(setting.accepted[0].certificate, { subject: 'CN=peer-us', uris: uris('us') });
    client.destroy();
  },

  'who shows no certificate where one is required is told so': async (setting) => {
    const { port } = await setting.listen();
    const words = await stranger(port, { checkServerIdentity: () => undefined });
    assert.equal(words, 'refused: no certificate was shown; one is required');
    assert.deepEqual(setting.refused, ['no certificate was shown; one is required']);
    assert.equal(setting.accepted.length, 0);
  },

  'a certificate of another CA is refused with words on both sides': async (setting) => {
    const { port } = await setting.listen();
    const words = await lastWords(setting, port, 'peer-us-of-other-ca');
    const reason =
      'the certificate "CN=peer-us-of-other-ca" is not trusted: ' +
      'none of the CAs given here has signed it';
    assert.equal(words, `refused: ${reason}`);
    assert.deepEqual(setting.refused, [reason]);
    assert.equal(setting.accepted.length, 0);
  },

  'an expired certificate is refused with words on both sides': async (setting) => {
    const { port } = await setting.listen();
    const words = await lastWords(setting, port, 'peer-us-expired');
    const reason = 'the certificate "CN=peer-us-expired" is not trusted: it has expired';
    assert.equal(words, `refused: ${reason}`);
    assert.deepEqual(setting.refused, [reason]);
    assert.equal(setting.accepted.length, 0);
  },

  'what accept says is the reason, and nothing that was sent is looked at': async (setting) => {
    const { port } = await setting.listen({ accept: ({ uris }) => `not for ${uris[0]}` });
    const connect = setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    const client = await connect;
    let text = '';
    client.onData = (chunk) => {
      text += Buffer.from(chunk).toString();
    };
    client.write(Buffer.from('are you there?'));
    await until(() => client.closed);
    assert.equal(text, 'refused: not for meridian://default/region/us');
    assert.equal(setting.accepted.length, 0);
    assert.equal(setting.received(), '');
  },

  'optional: none is fine, a wrong one is not': async (setting) => {
    const { port } = await setting.listen({ certificate: 'optional' });
    const client = await setting.sockets.connect({
      host: LOOPBACK,
      port,
      tls: {
        ...as('peer-us'),
        material: () => ({ ...testMaterial('peer-us'), cert: '', key: '' }),
      },
    });
    await until(() => setting.accepted.length === 1);
    assert.equal(setting.accepted[0].certificate, null);
    client.destroy();
    const words = await lastWords(setting, port, 'peer-us-of-other-ca');
    assert.match(words, /^refused: .*none of the CAs given here has signed it$/);
    assert.equal(setting.accepted.length, 1);
  },

  'who dials refuses a server that its CA has not signed, and tells it why': async (setting) => {
    const { port } = await setting.listen({
      material: () => testMaterial('peer-us-of-other-ca'),
      certificate: 'no',
    });
    await assert.rejects(
      setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-eu') }),
      /none of the CAs given here has signed it/,
    );
    await until(() => setting.received().startsWith('refused: the certificate'));
  },

  'who dials may refuse by the URI names': async (setting) => {
    const { port } = await setting.listen();
    const tls = as('peer-us', { accept: () => 'it is the wrong region' });
    await assert.rejects(
      setting.sockets.connect({ host: LOOPBACK, port, tls }),
      /it is the wrong region/,
    );
    await until(() => setting.received() === 'refused: it is the wrong region');
  },

  'a plain client is kept out, and the others do not notice': async (setting) => {
    const { port } = await setting.listen();
    const good = await setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    let echo = '';
    good.onData = (chunk) => {
      echo += Buffer.from(chunk).toString();
    };
    const plain = rawConnect({ host: LOOPBACK, port });
    plain.on('error', () => {});
    plain.on('data', () => {});
    plain.write('PING\r\n');
    await new Promise((resolve) => plain.once('close', resolve));
    assert.deepEqual(setting.refused, ['it does not speak TLS']);
    good.write(Buffer.from('still here'));
    await until(() => echo === 'still here');
    assert.equal(setting.accepted.length, 1);
    good.destroy();
  },

  'a TLS client on a plain port fails with words': async ({ sockets }) => {
    const listener = await sockets.listen({
      host: LOOPBACK,
      port: 0,
      onConnection: (connection) => {
        connection.onData = () => void connection.write(Buffer.from('-ERR unknown command\r\n'));
      },
    });
    await assert.rejects(
      sockets.connect({ host: LOOPBACK, port: listener.port, tls: as('peer-us') }),
      /it does not speak TLS/,
    );
    listener.close();
  },

  'TLS 1.2 is refused where 1.3 is the least': async (setting) => {
    const { port } = await setting.listen();
    const words = await stranger(port, { maxVersion: 'TLSv1.2', ...testMaterial12() });
    assert.match(words, /^error: /);
    await until(() => setting.refused.length === 1);
    assert.deepEqual(setting.refused, ['it offers no TLS version that is allowed here']);
    const { port: lower } = await setting.listen({ minVersion: 'TLSv1.2', certificate: 'no' });
    const client = rawConnectTls({
      ...{ host: LOOPBACK, port: lower, ca: testMaterial('client').ca!, maxVersion: 'TLSv1.2' },
      checkServerIdentity: () => undefined,
    });
    await new Promise((resolve, reject) => {
      client.once('secureConnect', resolve);
      client.once('error', reject);
    });
    assert.equal(client.getProtocol(), 'TLSv1.2');
    client.destroy();
  },

  'bytes that are no records close that connection alone': async (setting) => {
    const { port } = await setting.listen({ certificate: 'no' });
    // A cable that can be made to carry something else.
    const raw = rawConnect({ host: LOOPBACK, port });
    const cable = createServer((near) => {
      near.on('error', () => {});
      near.pipe(raw).pipe(near);
    });
    raw.on('error', () => {});
    await new Promise<void>((resolve) => cable.listen(0, LOOPBACK, resolve));
    const client = rawConnectTls({
      ...{ host: LOOPBACK, port: (cable.address() as AddressInfo).port },
      ...{ ca: testMaterial('client').ca!, checkServerIdentity: () => undefined },
    });
    client.on('error', () => {});
    await until(() => setting.accepted.length === 1);
    let closed = 0;
    setting.accepted[0].onClose = () => closed++;
    raw.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 64]), Buffer.alloc(64)]));
    await until(() => closed === 1);
    const next = await setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    await until(() => setting.accepted.length === 2);
    next.destroy();
    client.destroy();
    raw.destroy();
    cable.close();
  },

  'a new certificate serves new connections, and older ones go on': async (setting) => {
    let material: TlsMaterial = testMaterial('peer-eu');
    const { port } = await setting.listen({ material: () => material });
    const dial = () => setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    const older = await dial();
    material = testMaterial('peer-eu-renewed');
    const newer = await dial();
    assert.equal(older.certificate?.subject, 'CN=peer-eu');
    assert.equal(newer.certificate?.subject, 'CN=peer-eu-renewed');
    let echo = '';
    older.onData = (chunk) => {
      echo += Buffer.from(chunk).toString();
    };
    older.write(Buffer.from('still here'));
    await until(() => echo === 'still here');
    older.destroy();
    newer.destroy();
  },

  'a handshake that does not come is given up': async (setting) => {
    const { port } = await setting.listen();
    const silent = rawConnect({ host: LOOPBACK, port });
    silent.on('error', () => {});
    silent.on('data', () => {});
    await new Promise((resolve) => silent.once('close', resolve));
    assert.deepEqual(setting.refused, ['no TLS handshake within 5000 ms']);
  },

  'thousands of failed handshakes leave room for a good one': async (setting) => {
    const { port } = await setting.listen();
    // More than may be under way at once, some silent and some with nonsense.
    for (let i = 0; i < 1500; i++) {
      const raw = rawConnect({ host: LOOPBACK, port });
      raw.on('error', () => {});
      await new Promise<void>((resolve) => raw.once('connect', () => resolve()));
      if (i % 3 === 0) raw.write('nonsense\r\n');
      if (i % 3 === 1) raw.end();
      else raw.destroy();
    }
    const client = await setting.sockets.connect({ host: LOOPBACK, port, tls: as('peer-us') });
    await until(() => setting.accepted.length === 1);
    client.destroy();
  },

  'who leaves before the handshake is no news': async (setting) => {
    const { port } = await setting.listen();
    const probe = rawConnect({ host: LOOPBACK, port });
    await new Promise<void>((resolve) => probe.once('connect', () => resolve()));
    probe.destroy();
    await delay(100);
    assert.deepEqual(setting.refused, []);
  },
};

function testMaterial12(): ConnectionOptions {
  const { cert, key } = testMaterial('peer-us');
  return { cert, key, checkServerIdentity: () => undefined };
}

/** Plays one case on one implementation. */
export async function playTlsCase(name: string, sockets: Sockets): Promise<void> {
  const listeners: Listener[] = [];
  const accepted: Connection[] = [];
  const refused: string[] = [];
  const received: Uint8Array[] = [];
  const onConnection = (connection: Connection) => {
    accepted.push(connection);
    connection.onData = (chunk) => {
      received.push(chunk);
      connection.write(chunk);
    };
  };
  const setting: Setting = {
    sockets,
    accepted,
    refused,
    received: () => Buffer.concat(received).toString(),
    async listen(policy = {}) {
      const listener = await sockets.listen({
        ...{ host: LOOPBACK, port: 0, onConnection, tls: { ...peerPolicy, ...policy } },
        onRefused: (_address, reason) => refused.push(reason),
      });
      listeners.push(listener);
      return listener;
    },
  };
  try {
    await tlsContract[name](setting);
  } finally {
    for (const listener of listeners) listener.close();
    for (const connection of accepted) connection.destroy();
  }
}
