/**
 * Shell: a client that writes all the time and remembers what was acknowledged. It sets a new key
 * every few milliseconds, reconnects when its connection ends, and counts a write as acknowledged
 * only when it has seen the OK. What ends without a reply may or may not be there; what was
 * acknowledged must be.
 */
import { RespClient, RespError } from './resp-client.ts';

/** Longer than the 5 s for which a proxy holds a command back. */
const replyTimeoutMs = 8_000;
const retryMs = 5;
const readAtOnce = 200;

export interface WriterOptions {
  readonly port: number;
  /** Decides the shard: every key is "<prefix>{tag}<n>". */
  readonly tag: string;
  readonly prefix: string;
  /** Pause between writes. */
  readonly pauseMs: number;
}

export class Writer {
  readonly options: WriterOptions;
  /** When each acknowledged write was sent and acknowledged, in ms of performance.now(). */
  readonly acks: { sentAt: number; ackedAt: number }[] = [];
  /** Error replies and lost connections by text, with how often. */
  readonly failures = new Map<string, number>();
  private readonly acknowledged: number[] = [];
  private client: RespClient | null = null;
  private next = 0;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.options = options;
  }

  get count(): number {
    return this.acknowledged.length;
  }

  start(): void {
    this.running = this.loop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.client?.close();
  }

  /** The longest time without an acknowledged write between two moments. */
  longestGap(fromMs: number, toMs: number): number {
    const times = this.acks.map((ack) => ack.ackedAt);
    const before = times.filter((time) => time <= fromMs).at(-1) ?? fromMs;
    const inside = times.filter((time) => time > fromMs && time <= toMs);
    let longest = 0;
    let last = before;
    for (const time of inside) {
      longest = Math.max(longest, time - last);
      last = time;
    }
    return longest;
  }

  /** How many acknowledged writes a region does not have. */
  async missingAt(port: number): Promise<number> {
    const client = await RespClient.connect(port, replyTimeoutMs);
    let missing = 0;
    for (let at = 0; at < this.acknowledged.length; at += readAtOnce) {
      const some = this.acknowledged.slice(at, at + readAtOnce);
      const values = await client.command('MGET', ...some.map((number) => this.key(number)));
      if (!Array.isArray(values)) throw new Error(`cannot read: ${JSON.stringify(values)}`);
      missing += some.filter((number, index) => values[index] !== String(number)).length;
    }
    client.close();
    return missing;
  }

  private key(number: number): string {
    return `${this.options.prefix}{${this.options.tag}}${number}`;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      const number = this.next;
      this.next += 1;
      const sentAt = performance.now();
      const failure = await this.write(number);
      if (failure === null) {
        this.acknowledged.push(number);
        this.acks.push({ sentAt, ackedAt: performance.now() });
        await pause(this.options.pauseMs);
        continue;
      }
      this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
      await pause(retryMs);
    }
  }

  /** null when acknowledged, else why not. */
  private async write(number: number): Promise<string | null> {
    try {
      this.client ??= await RespClient.connect(this.options.port, replyTimeoutMs);
      const reply = await this.client.command('SET', this.key(number), number);
      if (reply === 'OK') return null;
      return reply instanceof RespError ? reply.message : JSON.stringify(reply);
    } catch (error) {
      this.client?.close();
      this.client = null;
      return (error as Error).message;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A tag whose keys are in the slots "first-last". */
export function tagInSlots(slots: string): string {
  const [first, last] = slots.split('-').map(Number);
  for (let number = 0; ; number += 1) {
    const slot = hashSlot(`t${number}`);
    if (slot >= first && slot <= last) return `t${number}`;
  }
}

/** The hash slot of a key without braces: CRC16 (XMODEM) mod 16384. */
export function hashSlot(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    }
    crc &= 0xffff;
  }
  return crc % 16384;
}
