import { connect } from 'node:net';
import { delay, keyIn, startRegion, type TestRegion, until } from './test-region.ts';

describe('clients that do not read', () => {
  let region: TestRegion;
  const key = keyIn(0);

  beforeAll(async () => {
    region = await startRegion({ outputBytesMax: 128 * 1024 * 1024 });
  });
  afterAll(() => region.stop());

  test('are not served further until they read, and then get everything', async () => {
    const writer = await region.client();
    await writer.ask('SET', key, 'x'.repeat(50_000));
    const slow = connect({ host: '127.0.0.1', port: region.proxy.port });
    slow.pause();
    let received = 0;
    slow.on('data', (chunk) => {
      received += chunk.length;
    });
    slow.pause();
    const request = `GET ${key}\r\n`;
    const gets = 3000;
    for (let i = 0; i < gets; i++) slow.write(request);
    await delay(500);
    const served = region.shards[0][0].context.clients.commandsProcessed;
    await delay(100);
    // As many as may be on their way, and not all that were asked for.
    expect(served).toBeLessThan(1500);
    expect(await writer.ask('STRLEN', key)).toBe(50_000);
    slow.resume();
    const replyBytes = '$50000\r\n'.length + 50_000 + 2;
    await until(
      'all replies',
      () => received >= gets * replyBytes,
      () => received,
    );
    expect(received).toBe(gets * replyBytes);
    slow.destroy();
  });

  test('subscribers that never read are closed at the limit, others do not notice', async () => {
    const publisher = await region.client();
    const reader = await region.client();
    const lazy = connect({ host: '127.0.0.1', port: region.proxy.port });
    lazy.on('error', () => {});
    lazy.write('SUBSCRIBE flood\r\n');
    await new Promise((resolve) => lazy.once('data', resolve));
    lazy.pause();
    let closed = false;
    lazy.on('close', () => {
      closed = true;
    });
    await reader.ask('SUBSCRIBE', 'other');
    const message = 'x'.repeat(4_000_000);
    const clients = () => publisher.ask('CLIENT', 'LIST').then((l) => String(l).split('\n').length);
    const before = await clients();
    for (let i = 0; i < 45; i++) await publisher.ask('PUBLISH', 'flood', message);
    await delay(100);
    expect(await clients()).toBe(before - 1);
    await publisher.ask('PUBLISH', 'other', 'still here');
    expect(await reader.reply()).toEqual(['message', 'other', 'still here']);
    lazy.resume();
    await until('the end', () => closed);
  }, 60_000);
});
