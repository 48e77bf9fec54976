/**
 * Shell: one pipelined connection to a member. Requests go out in order, replies come back in it.
 *
 * What became of a request when the connection breaks is known only in part, and the difference
 * decides what the proxy may do:
 *
 *     [ answered | sent, no reply: may have run | never handed to the kernel: surely not run ]
 *
 * The last border is `flushed - unsentBytes`: bytes still in our own memory cannot have arrived.
 */
import type { Connection, Sockets } from '../net/connection.ts';
import { ReplyFramer } from '../resp/reply-framer.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { CommandBlocks } from './command-blocks.ts';
import type { Request } from './request.ts';
import type { Flushable, Turn } from './turn.ts';

const MINUS = 0x2d;
const GREATER = 0x3e;
/** A member that takes commands no faster than this makes its clients wait. */
const CONGESTED_BYTES = 8 * 1024 * 1024;

/** What a proxy says after AUTH to enter a member: a password, or user and password. */
export type Login = readonly string[];

export type UpstreamAddress = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
};

/** What the owner of the connection wants to know. */
export interface UpstreamEvents {
  ready(upstream: Upstream): void;
  /** The member refused to run it (replica, loading, slot moved): it may be sent elsewhere. */
  refused(request: Request, upstream: Upstream, reply: Buffer): void;
  /** It was answered, not refused: called before the reply is handed over. */
  answered(request: Request): void;
  /**
   * The connection is gone. `sent`: whether the request may have run. Called in order, but first for
   * all that may be sent again: whoever gets an error may send more at once, and that must queue up
   * behind them.
   */
  lost(request: Request, upstream: Upstream, sent: boolean): void;
  /** After all `lost` calls. */
  closed(upstream: Upstream): void;
}

export class Upstream implements Flushable {
  readonly address: UpstreamAddress;
  readonly protocol: 2 | 3;
  state: 'connecting' | 'ready' | 'closed' = 'connecting';
  /** Changed when the connection is lent to another client. */
  events: UpstreamEvents;
  /** Why it closed. */
  reason = '';
  /** Requests sent and answered, ever. */
  sent = 0;
  answered = 0;
  dirty = false;
  /** True while too much waits in our memory; `onceDrained` is called when that is over. */
  congested = false;

  private readonly turn: Turn;
  private readonly framer = new ReplyFramer();
  private readonly blocks = new CommandBlocks();
  private connection: Connection | null = null;
  private head: Request | null = null;
  private tail: Request | null = null;
  private greetings: number;
  private readonly greeting: Buffer;
  private drainCalls: (() => void)[] = [];

  constructor(
    sockets: Sockets,
    turn: Turn,
    address: UpstreamAddress,
    protocol: 2 | 3,
    login: Login | null,
    events: UpstreamEvents,
  ) {
    this.turn = turn;
    this.address = address;
    this.protocol = protocol;
    this.events = events;
    const commands: string[][] = [];
    if (login !== null) commands.push(['AUTH', ...login]);
    commands.push(['CRDT.ROUTED']);
    if (protocol === 3) commands.push(['HELLO', '3']);
    this.greetings = commands.length;
    this.greeting = Buffer.concat(commands.map(encodeRequest));
    void this.connect(sockets);
  }

  /** Requests without a reply yet. */
  get pending(): number {
    return this.sent - this.answered;
  }

  /** Appends a command; it is written at the end of the turn. Only when ready. */
  send(request: Request, source: Buffer, start: number, end: number): void {
    request.offset = this.blocks.appended;
    const block = this.blocks.append(source, start, end);
    request.release();
    request.block = block;
    request.memory = block.memory;
    request.end = block.used;
    request.start = block.used - (end - start);
    request.nextOfUpstream = null;
    if (this.tail === null) this.head = request;
    else this.tail.nextOfUpstream = request;
    this.tail = request;
    this.sent++;
    this.turn.add(this);
  }

  flush(): void {
    const connection = this.connection;
    if (this.state !== 'ready' || connection === null) return;
    this.blocks.flush((bytes) => connection.write(bytes));
    if (connection.bufferedBytes > CONGESTED_BYTES) this.congested = true;
  }

  /** Calls back when the member takes commands again, or is gone. */
  onceDrained(call: () => void): void {
    this.drainCalls.push(call);
  }

  /** Closes at once; requests without a reply are lost. */
  destroy(reason: string): void {
    if (this.state === 'closed') return;
    this.reason ||= reason;
    const connection = this.connection;
    if (connection === null) this.gone(null);
    else connection.destroy();
  }

  private async connect(sockets: Sockets): Promise<void> {
    const { host, port } = this.address;
    let connection: Connection;
    try {
      connection = await sockets.connect({ host, port, timeoutMs: 2000 });
    } catch (error) {
      this.gone(error as Error);
      return;
    }
    if (this.state === 'closed') {
      connection.destroy();
      return;
    }
    this.connection = connection;
    connection.onData = (chunk) => this.received(chunk);
    connection.onEnd = () => connection.destroy();
    connection.onClose = (error) => this.gone(error);
    connection.onDrain = () => this.drained();
    connection.write(this.greeting);
  }

  private received(chunk: Uint8Array): void {
    const framer = this.framer;
    framer.push(chunk);
    while (this.state !== 'closed' && framer.next()) {
      if (this.greetings > 0) this.greeted();
      else if (framer.first !== GREATER) this.reply();
    }
    if (framer.error !== null) this.destroy(framer.error);
  }

  private greeted(): void {
    const { buffer, start, end } = this.framer;
    if (buffer[start] === MINUS) {
      // A member of an older version looks at no slots, and does not know the word.
      const text = buffer.latin1Slice(start + 1, end - 2);
      if (!text.startsWith("ERR unknown command 'CRDT.ROUTED'")) {
        this.destroy(text);
        return;
      }
    }
    this.greetings--;
    if (this.greetings > 0) return;
    this.state = 'ready';
    this.events.ready(this);
  }

  private reply(): void {
    const { buffer, start, end } = this.framer;
    const request = this.head;
    if (request === null) {
      this.destroy('a reply to no command');
      return;
    }
    const isError = buffer[start] === MINUS;
    if (request.repliesLeft > 1) {
      request.repliesLeft--;
      if (isError && isRefusal(buffer, start + 1)) request.refusedWithin = true;
      return;
    }
    this.head = request.nextOfUpstream;
    if (this.head === null) this.tail = null;
    this.answered++;
    if (isError && this.isRefused(request, buffer, start, end)) {
      this.events.refused(request, this, buffer.subarray(start, end));
      return;
    }
    this.events.answered(request);
    request.release();
    request.sink.replied(request, buffer, start, end);
  }

  private isRefused(request: Request, buffer: Buffer, start: number, end: number): boolean {
    if (isRefusal(buffer, start + 1)) return true;
    const text = buffer.latin1Slice(start + 1, Math.min(end, start + 200));
    if (!text.startsWith('EXECABORT')) return false;
    return request.refusedWithin || /READONLY|LOADING|MOVED/.test(text);
  }

  private drained(): void {
    this.congested = false;
    const calls = this.drainCalls;
    this.drainCalls = [];
    for (const call of calls) call();
  }

  private gone(error: Error | null): void {
    if (this.state === 'closed') return;
    const wasReady = this.state === 'ready';
    this.state = 'closed';
    this.reason ||= error?.message ?? 'closed by the member';
    const unsent = this.connection?.unsentBytes ?? 0;
    const handed = wasReady ? this.blocks.flushedBytes - unsent : 0;
    const lost: Request[] = [];
    for (let r = this.head; r !== null; r = r.nextOfUpstream) lost.push(r);
    this.head = null;
    this.tail = null;
    const failed = (r: Request) => r.write && r.offset < handed;
    for (const r of lost) if (!failed(r)) this.events.lost(r, this, r.offset < handed);
    for (const r of lost) if (failed(r)) this.events.lost(r, this, true);
    this.events.closed(this);
    this.drained();
  }
}

const REFUSALS = ['READONLY', 'LOADING', 'MOVED'].map((code) => Buffer.from(`${code} `));

/** Whether the error at `at` says that the member did not run the command but another one might. */
function isRefusal(buffer: Buffer, at: number): boolean {
  for (const code of REFUSALS) {
    let same = 0;
    while (same < code.length && buffer[at + same] === code[same]) same++;
    if (same === code.length) return true;
  }
  return false;
}
