import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nodeSockets } from './node-sockets.ts';
import { playCase, socketContract } from './socket.contract.ts';
import { sockets } from './sockets.ts';
import { playTlsCase, tlsContract } from './tls.contract.ts';

const names = Object.keys(socketContract);
const tlsNames = Object.keys(tlsContract);

describe('sockets of Node', () => {
  test('are what Node uses', () => {
    expect(sockets.runtime).toBe('node');
    expect(sockets.connect).toBe(nodeSockets.connect);
  });

  test.each(names)('plain: %s', (name) => playCase(name, nodeSockets, 'plain'));
  test.each(names)('tls: %s', (name) => playCase(name, nodeSockets, 'tls'));
  test.each(tlsNames)('tls only: %s', (name) => playTlsCase(name, nodeSockets));
});

describe('sockets of Bun', () => {
  const results = new Map<string, string | null>();
  let runtime = '';

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(
      'node_modules/.bin/bun',
      ['engine/net/socket.contract.bun.ts'],
      { timeout: 90_000 },
    );
    const [first, ...lines] = stdout.trim().split('\n');
    runtime = JSON.parse(first).runtime;
    for (const line of lines) {
      const { title, error } = JSON.parse(line);
      results.set(title, error);
    }
  }, 100_000);

  test('are what Bun uses', () => {
    expect(runtime).toBe('bun');
  });

  const titles = [
    ...names.flatMap((name) => [`plain: ${name}`, `tls: ${name}`]),
    ...tlsNames.map((name) => `tls only: ${name}`),
  ];
  test.each(titles)('%s', (title) => {
    expect(results.get(title)).toBeNull();
  });
});
