/**
 * Shell: a region of two shards as real processes, for the acceptance tests and for `make clients`: a
 * proxy, a primary for each half of the slots, and a replica of the first.
 */
import { Redis } from 'ioredis';
import { type Engine, startEngine } from './processes.ts';

const DATABASE = 'shop/carts';

export type ShardedRegion = {
  readonly proxy: Engine;
  readonly primaries: readonly [Engine, Engine];
  /** Of the first shard. */
  readonly replica: Engine;
};

export async function startShardedRegion(): Promise<ShardedRegion> {
  const start = (member: string, slots: string) =>
    startEngine({
      flags: ['--managed', '--member', member, '--slots', slots, '--database', DATABASE],
    });
  const [first, replica, second, proxy] = await Promise.all([
    start('carts-0-0', '0-8191'),
    start('carts-0-1', '0-8191'),
    start('carts-1-0', '8192-16383'),
    startEngine({ flags: ['--role', 'proxy', '--database', DATABASE] }),
  ]);
  const member = (name: string, { port, peerPort }: Engine) => ({
    name,
    host: '127.0.0.1',
    port,
    peerPort,
    zone: 'a',
  });
  const map = {
    version: 1,
    database: DATABASE,
    region: 'eu',
    regionNumber: 1,
    shards: [
      {
        slots: '0-8191',
        epoch: 1,
        primary: 'carts-0-0',
        members: [member('carts-0-0', first), member('carts-0-1', replica)],
      },
      {
        slots: '8192-16383',
        epoch: 1,
        primary: 'carts-1-0',
        members: [member('carts-1-0', second)],
      },
    ],
    regions: [],
  };
  for (const { port } of [first, replica, second, proxy]) {
    const client = new Redis({ port, enableReadyCheck: false });
    await client.call('CRDT.MAP', 'SET', JSON.stringify(map));
    client.disconnect();
  }
  return { proxy, primaries: [first, second], replica };
}
