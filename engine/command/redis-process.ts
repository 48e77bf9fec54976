/**
 * Shell: a real redis-server beside our sessions, for the comparing tests. It listens on 127.0.0.1
 * only, keeps nothing, and ends with the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { type ReplyTree, readReply } from './reply-tree.ts';

const PORT_TRIES = 20;
const START_TRIES = 100;
const START_PAUSE_MS = 50;

/** The version of the redis-server on PATH; null when there is none. */
export function redisVersion(): string | null {
  const found = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(found.stdout ?? '')?.[1] ?? null;
}

export class RedisProcess {
  private readonly child: ChildProcess;
  private readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  /**
   * Starts a server on this port, or on the next one that nobody has (another checkout's tests may run
   * beside these); resolves when it accepts connections.
   */
  static async start(port: number, ...options: string[]): Promise<RedisProcess> {
    for (let next = port; next < port + PORT_TRIES; next++) {
      const server = await RedisProcess.startAt(next, options);
      if (server !== null) return server;
    }
    throw new Error(`redis-server did not start on 127.0.0.1:${port} or the ports behind it`);
  }

  /** Null: the port is taken, or the server did not come up. */
  private static async startAt(
    port: number,
    options: readonly string[],
  ): Promise<RedisProcess | null> {
    const child = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir(), ...options],
      { stdio: 'ignore' },
    );
    const server = new RedisProcess(child, port);
    for (let i = 0; i < START_TRIES && child.exitCode === null; i++) {
      try {
        if (await server.isOurs()) return server;
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
      }
    }
    child.kill();
    return null;
  }

  /** Whether who answers on the port is the process that was started here. */
  private async isOurs(): Promise<boolean> {
    const connection = await this.connect();
    connection.write(Buffer.from('INFO server\r\n'));
    const reply = await connection.next();
    connection.close();
    return 'text' in reply && reply.text.includes(`process_id:${this.child.pid}\r`);
  }

  connect(): Promise<RedisConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RedisConnection(socket));
      });
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** One connection to Redis: bytes out, replies in, in order. */
export class RedisConnection {
  private readonly socket: Socket;
  private bytes = Buffer.alloc(0);
  private readonly waiting: ((reply: ReplyTree) => void)[] = [];
  private readonly ready: ReplyTree[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => socket.destroy());
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next reply. */
  next(): Promise<ReplyTree> {
    const reply = this.ready.shift();
    if (reply) return Promise.resolve(reply);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    for (;;) {
      const found = this.bytes.length > 0 ? readReply(this.bytes) : null;
      if (found === null) return;
      this.bytes = this.bytes.subarray(found.end);
      const waiter = this.waiting.shift();
      if (waiter) waiter(found.reply);
      else this.ready.push(found.reply);
    }
  }
}
