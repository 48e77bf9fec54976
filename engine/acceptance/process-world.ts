/**
 * Shell: a world of three real engines in which the tables of docs/semantics.md are played: real
 * processes, sockets, logs and sessions between regions.
 *
 * The links between regions are paused by `CRDT.LINK` while a table writes, so that its writes are
 * concurrent; *sync* lets go of all that are not cut and waits until every region has what the others have.
 * The wall clock of each engine is a file (set-clock.ts): moments of a table are at one ms everywhere, and
 * *wait 6 s* takes no longer than the next tick.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type PushMessage, type Reply, ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { TableCase } from '../semantics/parse-tables.ts';
import type { World } from '../semantics/play-case.ts';
import { freePort, startEngine, temporaryDirectory, until } from './processes.ts';

const NAMES = ['eu', 'us', 'ap'] as const;
const START_MS = Date.UTC(2026, 0, 1);
/** Longer than any grace or TTL of a table. */
const BETWEEN_TABLES_MS = 100_000;
const TICK_MS = 10;
const MESSAGE_MS_MAX = 5_000;
/** A region that misses something asks a third one for it after a second. */
const SYNC_MS_MAX = 30_000;

type Status = {
  readonly vector: Readonly<Record<string, number>>;
  readonly peers: readonly { readonly region: string; readonly connected: boolean }[];
};

type Region = {
  readonly name: string;
  /** Its clock, open for writing. */
  readonly clock: number;
  readonly client: Client;
  offMs: number;
};

export class ProcessWorld implements World {
  regions: readonly string[] = NAMES;
  readonly triesMax = 500;
  private readonly all: readonly Region[];
  private readonly cuts = new Set<string>();
  private nowMs = START_MS;
  /** Links stay open between *sync*s: messages of pub/sub are not kept for a region that is away. */
  private alwaysLinked = false;

  private constructor(all: readonly Region[]) {
    this.all = all;
  }

  /** Starts the three engines, linked with each other. */
  static async start(): Promise<ProcessWorld> {
    const ports = await Promise.all(NAMES.map(() => freePort()));
    const directory = temporaryDirectory();
    const all = await Promise.all(
      NAMES.map(async (name, index): Promise<Region> => {
        const clockFile = join(directory, `${name}.clock`);
        const clock = openSync(clockFile, 'w');
        writeClock(clock, START_MS);
        const peers = NAMES.flatMap((other, at) =>
          at === index ? [] : ['--peer', `${other}=127.0.0.1:${ports[at]}`],
        );
        const engine = await startEngine({
          region: name,
          regionNumber: index + 1,
          peerPort: ports[index] as number,
          directory: temporaryDirectory(),
          flags: peers,
          clockFile,
        });
        return { name, clock, client: await Client.connect(engine.port), offMs: 0 };
      }),
    );
    for (const { client } of all) await client.ask(['HELLO', '3']);
    return new ProcessWorld(all);
  }

  /** Empties all regions, sets their clocks right and makes the links as the table needs them. */
  async begin(table: TableCase): Promise<void> {
    this.regions = NAMES;
    this.cuts.clear();
    for (const region of this.all) region.offMs = 0;
    await this.wait(BETWEEN_TABLES_MS);
    await this.sync(async () => {});
    await this.run('eu', ['FLUSHALL']);
    for (const { client } of this.all) await client.reset();
    await this.sync(async () => {});
    this.regions = table.regions;
    this.alwaysLinked = table.rows.some(({ cells }) =>
      cells.flat().some(({ words }) => words[0] === 'PUBLISH' || words[0] === 'SPUBLISH'),
    );
    if (!this.alwaysLinked) return;
    await this.link('RESUME');
    await until('the links to stand', async () => ((await this.isLinked()) ? true : undefined));
  }

  run(region: string, words: readonly string[]): Promise<Reply> {
    return this.region(region).client.ask(words);
  }

  receive(region: string): Promise<Reply> {
    return this.region(region).client.message();
  }

  async sync(changed: (region: string) => Promise<void>): Promise<void> {
    await this.link('RESUME');
    await until(
      'the regions to have each other’s ops',
      async () => {
        for (const name of this.regions) await changed(name);
        return (await this.isSynced()) ? true : undefined;
      },
      SYNC_MS_MAX,
    );
    if (!this.alwaysLinked) await this.link('PAUSE');
  }

  cut(a: string, b: string): void {
    this.cuts.add([a, b].sort().join());
  }

  heal(a: string, b: string): void {
    this.cuts.delete([a, b].sort().join());
  }

  /** Moves all clocks; 0: lets a tick of the engines pass. */
  async wait(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { clock, offMs } of this.all) writeClock(clock, this.nowMs + offMs);
    if (ms === 0) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }

  async setClock(region: string, offMs: number): Promise<void> {
    this.region(region).offMs = offMs;
    await this.wait(1);
  }

  stop(): void {
    for (const { client, clock } of this.all) {
      client.close();
      closeSync(clock);
    }
  }

  private region(name: string): Region {
    return this.all.find((one) => one.name === name) as Region;
  }

  /** Pauses all links, or resumes those between regions of this table that are not cut. */
  private async link(state: 'PAUSE' | 'RESUME'): Promise<void> {
    for (const { name, client } of this.all) {
      for (const { name: other } of this.all) {
        if (name === other) continue;
        const isOpen = this.regions.includes(name) && this.reaches(name, other);
        await client.ask(['CRDT.LINK', other, isOpen ? state : 'PAUSE']);
      }
    }
  }

  private reaches(a: string, b: string): boolean {
    return this.regions.includes(b) && !this.cuts.has([a, b].sort().join());
  }

  /** Whether regions that reach each other, perhaps over a third, have the same vectors. */
  private async isSynced(): Promise<boolean> {
    const vectors = new Map<string, string>();
    for (const name of this.regions) vectors.set(name, await this.vector(name));
    for (const a of this.regions) {
      for (const b of this.regions) {
        const linked =
          this.reaches(a, b) || this.regions.some((c) => this.reaches(a, c) && this.reaches(c, b));
        if (a !== b && linked && vectors.get(a) !== vectors.get(b)) return false;
      }
    }
    return true;
  }

  private async isLinked(): Promise<boolean> {
    for (const name of this.regions) {
      const { peers } = await this.status(name);
      const open = peers.filter(({ region }) => this.reaches(name, region));
      if (!open.every(({ connected }) => connected)) return false;
    }
    return true;
  }

  private async status(name: string): Promise<Status> {
    return JSON.parse((await this.region(name).client.ask(['CRDT.STATUS', 'JSON'])) as string);
  }

  private async vector(name: string): Promise<string> {
    const { vector } = await this.status(name);
    const parts = Object.entries(vector).filter(([, seq]) => seq > 0);
    return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Writes the 8 bytes in place: a reader never finds the file empty. */
function writeClock(file: number, ms: number): void {
  writeSync(file, new Uint8Array(Float64Array.of(ms).buffer), 0, 8, 0);
}

/** One RESP3 client: replies in order, messages of pub/sub beside them. */
class Client {
  private readonly socket: Socket;
  private readonly parser = new ReplyParser();
  private readonly messages: Reply[] = [];
  private waiting: ((reply: Reply) => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.parser.push(chunk);
      for (let reply = this.parser.next(); reply !== undefined; reply = this.parser.next()) {
        this.take(reply);
      }
    });
  }

  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket)));
    });
  }

  ask(words: readonly string[]): Promise<Reply> {
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.socket.write(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))));
    });
  }

  /** The next message; null when none comes. */
  async message(): Promise<Reply> {
    const waitUntilMs = performance.now() + MESSAGE_MS_MAX;
    while (this.messages.length === 0 && performance.now() < waitUntilMs) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    return this.messages.shift() ?? null;
  }

  /** Forgets subscriptions, transactions and messages. */
  async reset(): Promise<void> {
    await this.ask(['RESET']);
    await this.ask(['HELLO', '3']);
    this.messages.length = 0;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(reply: Reply): void {
    const push = isPush(reply) ? reply.items : null;
    if (push !== null && ['message', 'pmessage', 'smessage'].includes(push[0] as string)) {
      this.messages.push(push);
      return;
    }
    const { waiting } = this;
    this.waiting = null;
    waiting?.(push ?? reply);
  }
}

function isPush(reply: Reply): reply is PushMessage {
  return typeof reply === 'object' && reply !== null && 'items' in reply;
}
