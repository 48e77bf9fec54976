import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nodeSockets } from './node-sockets.ts';
import { playCase, socketContract } from './socket.contract.ts';
import { sockets } from './sockets.ts';

const names = Object.keys(socketContract);

describe('sockets of node:net', () => {
  test('are what Node uses', () => {
    expect(sockets.runtime).toBe('node');
    expect(sockets.connect).toBe(nodeSockets.connect);
  });

  test.each(names)('%s', (name) => playCase(name, nodeSockets));
});

describe('sockets of Bun', () => {
  const results = new Map<string, string | null>();
  let runtime = '';

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(
      'node_modules/.bin/bun',
      ['engine/net/socket.contract.bun.ts'],
      { timeout: 60_000 },
    );
    const [first, ...lines] = stdout.trim().split('\n');
    runtime = JSON.parse(first).runtime;
    for (const line of lines) {
      const { name, error } = JSON.parse(line);
      results.set(name, error);
    }
  }, 70_000);

  test('are what Bun uses', () => {
    expect(runtime).toBe('bun');
  });

  test.each(names)('%s', (name) => {
    expect(results.get(name)).toBeNull();
  });
});
