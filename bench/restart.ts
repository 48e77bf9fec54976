/**
 * Shell: how long a server takes to come back with its data, how long an image of it takes, and the
 * longest silence that a client notices meanwhile.
 *
 * A PING each millisecond on a connection of its own shows the silence. Redis' image is the rewrite of
 * its log (a fork); ours is written in the loop, and begun by the growth of the log.
 */
import { Redis } from 'ioredis';
import { pipe, resp } from './pipe.ts';
import { type Server, type StartOptions, startEngine, startRedis } from './servers.ts';

export type RestartOptions = { keys: number };

const write = (line: string) => process.stdout.write(`${line}\n`);
const imageMsMax = 120_000;
const idleMs = 2000;
const key = (number: number) => `key:${String(number).padStart(12, '0')}`;
const value = 'v'.repeat(32);

type Result = {
  imageMs: number;
  silenceMs: number;
  /** The same while nothing happens: what machine and client make of it. */
  idleSilenceMs: number;
  logMs: number;
  restartMs: number;
};

/** Prints the table; returns sentences about targets that were missed. */
export async function measureRestart({ keys }: RestartOptions): Promise<string[]> {
  write('');
  write(
    '| server | keys | image s | longest silence during it ms | longest silence idle ms | ' +
      'restart from log ms | restart from image ms |',
  );
  write(`|${' --- |'.repeat(7)}`);
  const missed: string[] = [];
  for (const start of [startRedis, startEngine]) {
    const isRedis = start === startRedis;
    const { imageMs, silenceMs, idleSilenceMs, logMs, restartMs } = await measure(
      start,
      keys,
      isRedis,
    );
    write(
      `| ${isRedis ? 'redis' : 'meridian'} | ${keys} | ${(imageMs / 1000).toFixed(1)} | ` +
        `${silenceMs.toFixed(1)} | ${idleSilenceMs.toFixed(1)} | ${logMs.toFixed(0)} | ` +
        `${restartMs.toFixed(0)} |`,
    );
    if (!isRedis && silenceMs >= 5) {
      missed.push(
        `longest silence while an image is written: ${silenceMs.toFixed(1)} ms, target < 5 ms`,
      );
    }
  }
  return missed;
}

async function measure(
  start: (options?: StartOptions) => Promise<Server>,
  keys: number,
  isRedis: boolean,
): Promise<Result> {
  const extra = isRedis ? ['--auto-aof-rewrite-percentage', '0'] : [];
  let server = await start({ extra });
  const again = async () => {
    await server.end();
    const began = performance.now();
    server = await start({ extra, directory: server.directory });
    return performance.now() - began;
  };
  try {
    await pipe(server.port, keys, (i) => resp('SET', key(i), value));
    const logMs = await again();
    const idleSilenceMs = await idleSilence(server.port);
    const { imageMs, silenceMs } = await timeImage(server, keys, isRedis);
    const restartMs = await again();
    const client = new Redis({ port: server.port });
    const size = await client.dbsize();
    client.disconnect();
    if (size !== keys) throw new Error(`${server.name} came back with ${size} of ${keys} keys`);
    return { imageMs, silenceMs, idleSilenceMs, logMs, restartMs };
  } finally {
    await server.stop();
  }
}

/** Has an image made, and times it from its first to its last sign. */
async function timeImage(server: Server, keys: number, isRedis: boolean) {
  const client = new Redis({ port: server.port });
  const isWriting = async () => {
    const info = await client.info();
    return /aof_rewrite_in_progress:1|log_writing_image:1/.test(info);
  };
  const until = async (wanted: boolean, meanwhile: () => Promise<unknown>) => {
    const deadline = performance.now() + imageMsMax;
    while ((await isWriting()) !== wanted) {
      if (performance.now() > deadline) throw new Error(`${server.name} makes no image`);
      await meanwhile();
    }
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
  await until(false, pause);
  if (isRedis) await client.call('BGREWRITEAOF');
  // Ours begins when the log has grown by as much as the last image: the same keys once more.
  let next = 0;
  const grow = () =>
    pipe(server.port, Math.ceil(keys / 20), () => resp('SET', key(next++ % keys), value));
  await until(true, isRedis ? pause : grow);
  const began = performance.now();
  const silence = new Silence(server.port);
  await until(false, pause);
  const imageMs = performance.now() - began;
  client.disconnect();
  return { imageMs, silenceMs: silence.end() };
}

async function idleSilence(port: number): Promise<number> {
  const silence = new Silence(port);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  return silence.end();
}

/** The longest round trip of a PING that is sent each millisecond. */
class Silence {
  private readonly client: Redis;
  private readonly timer: NodeJS.Timeout;
  private longestMs = 0;

  constructor(port: number) {
    this.client = new Redis({ port });
    this.client.on('error', () => {});
    this.timer = setInterval(() => {
      const sentAtMs = performance.now();
      void this.client.ping().then(() => {
        this.longestMs = Math.max(this.longestMs, performance.now() - sentAtMs);
      });
    }, 1);
  }

  end(): number {
    clearInterval(this.timer);
    this.client.disconnect();
    return this.longestMs;
  }
}
