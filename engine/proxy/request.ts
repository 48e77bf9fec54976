/**
 * One command on its way through the proxy: who asked, where it goes, and what it takes to send it
 * once more. Requests are linked twice without any array: in the order of their client (replies must
 * come in it) and in the order of their upstream connection (replies do come in it).
 */
import type { CommandBlock } from './command-blocks.ts';
import type { Upstream } from './upstream.ts';

/** Who gets a reply. */
export interface ReplySink {
  /** Hands over the whole reply; the memory is valid during the call only. */
  replied(request: Request, buffer: Buffer, start: number, end: number): void;
  /** Nobody waits any more: the request need not be sent. */
  readonly gone: boolean;
  /** The request was held, and goes out by the map that is in force now. */
  resent(request: Request): void;
}

export class Request {
  readonly sink: ReplySink;
  /** Tells the commands of one client from those of others, also when they were split. */
  readonly client: object | null;
  /** The slot it is routed by. */
  readonly slot: number;
  readonly protocol: 2 | 3;
  /** It may change data: it must not run twice. */
  readonly write: boolean;

  /** Which part of a split command it is. */
  part = 0;

  /** The command as RESP: `memory[start, end)`, in a block or in memory of its own. */
  block: CommandBlock | null = null;
  memory: Buffer | null = null;
  start = 0;
  end = 0;
  /** Where it begins in the stream of its upstream connection. */
  offset = 0;
  /** Replies that the command gets: 1, or all those of a transaction. */
  repliesWanted = 1;
  /** Replies to come: more than one for a transaction, of which only the last one is passed on. */
  repliesLeft = 1;
  /** A refusal among the replies of a transaction that came before the last one. */
  refusedWithin = false;
  nextOfUpstream: Request | null = null;

  /** When to give up holding it, in ms of the process' clock; 0: it was never held. */
  deadlineMs = 0;
  /** While it was refused: not to be sent again before this, unless the map changed. */
  retryAtMs = 0;
  /** Later requests of the same connection that were on their way when this one was refused. */
  overtakers: Overtakers | null = null;

  /** The reply, while those of earlier commands of the client are still missing. */
  reply: Buffer | null = null;
  /** Nobody wants the reply (CLIENT REPLY). */
  silent = false;
  nextOfClient: Request | null = null;

  constructor(
    sink: ReplySink,
    client: object | null,
    slot: number,
    protocol: 2 | 3,
    write: boolean,
  ) {
    this.sink = sink;
    this.client = client;
    this.slot = slot;
    this.protocol = protocol;
    this.write = write;
  }

  /** Hands over a reply made here instead of by a member. */
  answer(reply: Buffer): void {
    this.sink.replied(this, reply, 0, reply.length);
  }

  /** The reply has come or will not come: the block may be used again. */
  release(): void {
    if (this.block !== null) this.block.users--;
    this.block = null;
    this.memory = null;
  }
}

/** The requests of an upstream connection up to number `until`. */
export type Overtakers = { readonly upstream: Upstream; readonly until: number };
