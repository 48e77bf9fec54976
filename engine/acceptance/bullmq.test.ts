/**
 * Shell: BullMQ, the job queue of Node, against real processes. It lives in some sixty Lua scripts over lists,
 * sorted sets, hashes, streams and blocking pops. Through a proxy a hash tag as prefix keeps a queue in one slot.
 */
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { startEngine, stopAll, until } from './processes.ts';
import { startShardedRegion } from './sharded-region.ts';

const LIMIT_MS = 20_000;
const targets: { title: string; port: number }[] = [];

beforeAll(async () => {
  const [bun, node] = await Promise.all([startEngine(), startEngine({ runtime: 'node' })]);
  targets.push({ title: 'an engine under Bun', port: bun.port });
  targets.push({ title: 'an engine under Node', port: node.port });
  targets.push({ title: 'a proxy of two shards', port: (await startShardedRegion()).proxy.port });
}, 60_000);

afterAll(stopAll);

test.each([0, 1, 2])(
  'target %#: jobs, delays, retries, priorities, flows and schedules',
  async (index) => {
    const name = 'work';
    const options = {
      connection: { host: '127.0.0.1', port: targets[index].port },
      prefix: '{bull}',
    };
    const queue = new Queue(name, options);
    queue.setMaxListeners(100);
    const events = new QueueEvents(name, options);
    events.setMaxListeners(100);
    const flow = new FlowProducer(options);
    await events.waitUntilReady();
    const worker = new Worker(
      name,
      async (job: Job) => {
        if (job.name === 'flaky' && job.attemptsMade === 0) throw new Error('once');
        await job.updateProgress(50);
        await job.log('half done');
        return job.data.n * 2;
      },
      { ...options, concurrency: 4 },
    );
    const plain = Array.from({ length: 20 }, (_, n) => ({ name: 'plain', data: { n } }));
    const jobs = await queue.addBulk(plain);
    jobs.push(await queue.add('delayed', { n: 100 }, { delay: 200 }));
    const retry = { attempts: 3, backoff: { type: 'fixed', delay: 50 } };
    jobs.push(await queue.add('flaky', { n: 200 }, retry));
    jobs.push(await queue.add('important', { n: 300 }, { priority: 5 }));
    const child = { name: 'child', queueName: name, data: { n: 7 } };
    const parent = { name: 'parent', queueName: name, data: { n: 1000 }, children: [child] };
    jobs.push((await flow.add(parent)).job);
    const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, LIMIT_MS)));
    expect(results).toEqual([...plain.map(({ data }) => data.n * 2), 200, 400, 600, 2000]);
    expect(await queue.getJobCounts('completed', 'failed', 'waiting')).toEqual({
      completed: 25,
      failed: 0,
      waiting: 0,
    });
    await queue.upsertJobScheduler('tick', { every: 100 }, { name: 'tick', data: { n: 1 } });
    await until('some ticks', async () => (await queue.getCompletedCount()) > 27 || undefined);
    await queue.removeJobScheduler('tick');
    await worker.close();
    await queue.obliterate({ force: true });
    await Promise.all([queue.close(), events.close(), flow.close()]);
  },
  LIMIT_MS * 2,
);
