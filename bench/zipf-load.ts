/**
 * Shell: a load that redis-benchmark cannot make: 80 % GET and 20 % SET whose keys follow Zipf's law
 * (exponent 0.99: the hottest of 100,000 keys gets 8 % of all requests), closed loop or at a fixed rate.
 *
 * All requests are made before the clock starts. Values have one size, so the length of every reply
 * is known and replies are counted by bytes; anything else, an error for one, ends the run.
 */
import { connect, type Socket } from 'node:net';
import { pipe, resp } from './pipe.ts';
import { connections, type Sample } from './redis-benchmark.ts';
import { cpuSeconds, type Server } from './servers.ts';

const exponent = 0.99;
const setShare = 0.2;
const requestsMade = 65_536;

type Request = { readonly bytes: Buffer; readonly replyBytes: number };

export class ZipfLoad {
  private readonly requests: Request[] = [];
  private readonly keys: number;
  private readonly value: string;

  constructor(keys: number, valueBytes: number) {
    this.keys = keys;
    this.value = 'v'.repeat(valueBytes);
    const pick = zipf(keys);
    const getBytes = `$${valueBytes}\r\n`.length + valueBytes + 2;
    for (let i = 0; i < requestsMade; i++) {
      const key = zipfKey(pick());
      const isSet = Math.random() < setShare;
      const text = isSet ? resp('SET', key, this.value) : resp('GET', key);
      this.requests.push({ bytes: Buffer.from(text), replyBytes: isSet ? 5 : getBytes });
    }
  }

  /** Writes every key once, so that each GET finds one. */
  async fill(server: Server): Promise<void> {
    await pipe(server.port, this.keys, (number) => resp('SET', zipfKey(number), this.value));
  }

  /** As many requests as the server answers, `depth` under way on each connection. */
  async closedLoop(server: Server, depth: number, seconds: number): Promise<Sample> {
    const batches: Request[] = [];
    for (let at = 0; at + depth <= this.requests.length && batches.length < 4096; at += depth) {
      const part = this.requests.slice(at, at + depth);
      const replyBytes = part.reduce((sum, one) => sum + one.replyBytes, 0);
      batches.push({ bytes: Buffer.concat(part.map(({ bytes }) => bytes)), replyBytes });
    }
    const pid = server.process.pid as number;
    const before = cpuSeconds(pid);
    const began = performance.now();
    const deadline = began + seconds * 1000;
    const latencies: number[] = [];
    await Promise.all(
      Array.from({ length: connections }, (_, n) =>
        loop(server.port, deadline, latencies, (turn) => batches[(n * 83 + turn) % batches.length]),
      ),
    );
    const took = (performance.now() - began) / 1000;
    const count = latencies.length * depth;
    const cpuMicros = ((cpuSeconds(pid) - before) / count) * 1e6;
    return { perSecond: count / took, cpuMicros, ...percentiles(latencies) };
  }

  /** `rate` requests a second whether the server keeps up or not. */
  async fixedRate(server: Server, rate: number, seconds: number): Promise<Sample> {
    const pid = server.process.pid as number;
    const before = cpuSeconds(pid);
    const lines = await Promise.all(Array.from({ length: connections }, () => Line.open(server)));
    const began = performance.now();
    let sent = 0;
    while (performance.now() - began < seconds * 1000) {
      const due = Math.floor(((performance.now() - began) / 1000) * rate);
      for (; sent < due; sent++) {
        lines[sent % connections]?.send(this.requests[sent % requestsMade] as Request);
      }
      // Asleep between bursts: a client that spins would take the core that the server needs.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const took = (performance.now() - began) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const latencies = lines.flatMap((line) => line.close());
    const cpuMicros = ((cpuSeconds(pid) - before) / sent) * 1e6;
    return { perSecond: latencies.length / took, cpuMicros, ...percentiles(latencies) };
  }
}

/** One connection that sends without waiting and times each reply. */
class Line {
  private readonly socket: Socket;
  private readonly waiting: { atMs: number; bytes: number }[] = [];
  private head = 0;
  private readonly latencies: number[] = [];

  static open(server: Server): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => resolve(new Line(socket)));
      socket.once('error', reject);
    });
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.received(chunk));
  }

  send({ bytes, replyBytes }: Request): void {
    this.waiting.push({ atMs: performance.now(), bytes: replyBytes });
    this.socket.write(bytes);
  }

  /** The latencies in ms of everything that was answered. */
  close(): number[] {
    this.socket.destroy();
    return this.latencies;
  }

  private received(chunk: Buffer): void {
    const nowMs = performance.now();
    let left = chunk.length;
    while (left > 0) {
      const first = this.waiting[this.head];
      if (first === undefined) throw new Error(`more bytes than were asked for: ${chunk}`);
      const taken = Math.min(left, first.bytes);
      first.bytes -= taken;
      left -= taken;
      if (first.bytes > 0) return;
      this.latencies.push(nowMs - first.atMs);
      this.head++;
    }
  }
}

/** Sends a batch, waits for all of its replies, sends the next, until the deadline. */
function loop(
  port: number,
  deadline: number,
  latencies: number[],
  batch: (turn: number) => Request | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let turn = 0;
    let missing = 0;
    let sentAtMs = 0;
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    const next = () => {
      const { bytes, replyBytes } = batch(turn++) as Request;
      missing = replyBytes;
      sentAtMs = performance.now();
      socket.write(bytes);
    };
    socket.once('connect', next);
    socket.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing < 0) reject(new Error(`an unexpected reply: ${chunk.toString().slice(0, 100)}`));
      if (missing > 0) return;
      const nowMs = performance.now();
      latencies.push(nowMs - sentAtMs);
      if (nowMs < deadline) next();
      else socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

function zipfKey(number: number): string {
  return `zipf:${String(number).padStart(11, '0')}`;
}

/** Draws numbers below `count`, the smaller the more often. */
function zipf(count: number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += 1 / (i + 1) ** exponent;
    sums[i] = sum;
  }
  return () => {
    const wanted = Math.random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function percentiles(latencies: readonly number[]) {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
