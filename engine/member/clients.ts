/**
 * The clients of a member and their replies, which wait here until what they tell of is safe.
 *
 * A reply made in a turn may go out when the log is safe up to the end of that turn (at once, but
 * for fsync always), so no client, not even one that only reads, learns of a write that a crash
 * could take back. With min-replicas, the replies of a client that wrote wait besides until enough
 * replicas have confirmed. Replies of one client stay in order.
 */

import type { ServerContext } from '../command/context.ts';
import { errorText } from '../command/errors.ts';
import { ClientSession } from '../command/session.ts';
import { limits } from '../limits.ts';

/** The connection of a client, seen from here. */
export type ClientLink = {
  /** Sends the first `length` bytes of memory that is used again after the call. */
  send(bytes: Uint8Array, length: number): void;
  bufferedBytes(): number;
  close(): void;
  /** Stops and goes on reading, so that the kernel holds the client back. */
  pause?(): void;
  resume?(): void;
};

type Held = {
  readonly bytes: Uint8Array;
  readonly position: number;
  /** Our own seq that replicas must confirm; 0: none. */
  readonly seq: number;
  readonly sinceMs: number;
};

export type Client = {
  readonly session: ClientSession;
  readonly link: ClientLink;
  held: Held[];
  heldBytes: number;
  dirty: boolean;
  over: boolean;
  /** Not read from, because it does not read. */
  paused: boolean;
};

export type ClientsHost = {
  readonly minReplicas: number;
  /** The log's end, and up to where it is safe. */
  position(): number;
  safe(): number;
  /** How many replicas have confirmed our own op with this seq. */
  replicasWith(seq: number): number;
  monotonicMs(): number;
  /** A client has written in this turn. */
  wrote(): void;
  wake(): void;
};

export class Clients {
  private readonly host: ClientsHost;
  private readonly all = new Set<Client>();
  private dirty: Client[] = [];
  private flushing: Client[] = [];
  private readonly waiting = new Set<Client>();
  /** Clients that leave more unread than their class may for long. */
  private readonly overSoft = new Set<Client>();
  private nextId = 1;

  constructor(host: ClientsHost) {
    this.host = host;
  }

  get count(): number {
    return this.all.size;
  }

  /** Bytes of the replies that one client has not been sent yet, at most. */
  get heldBytesMost(): number {
    let most = 0;
    for (const { heldBytes } of this.waiting) most = Math.max(most, heldBytes);
    return most;
  }

  /** A client has connected. Hand its bytes to `receive`, and say `closed` when it is gone. */
  connect(context: ServerContext, remote: string, local: string, link: ClientLink): Client {
    const session = new ClientSession(context, this.nextId++, remote);
    session.local = local;
    const client: Client = {
      session,
      link,
      held: [],
      heldBytes: 0,
      dirty: false,
      over: false,
      paused: false,
    };
    session.wake = () => this.mark(client);
    session.unreadBytes = () => unreadBytes(client);
    this.all.add(client);
    if (this.all.size > context.limits.clientsMax) {
      session.output.error(errorText('maxClients'));
      session.closing = true;
      this.mark(client);
    }
    return client;
  }

  receive(client: Client, chunk: Uint8Array): void {
    if (client.over) return;
    client.session.receive(chunk);
    this.mark(client);
  }

  closed(client: Client): void {
    if (client.over) return;
    client.over = true;
    this.all.delete(client);
    this.waiting.delete(client);
    this.overSoft.delete(client);
    client.session.closed();
  }

  /** Ends the turn of all clients that have replies: sends them, or keeps them until they may go. */
  flush(): void {
    if (this.dirty.length === 0) return;
    const clients = this.dirty;
    this.dirty = this.flushing;
    this.flushing = clients;
    const position = this.host.position();
    const isSafe = this.host.safe() >= position;
    for (const client of clients) {
      client.dirty = false;
      if (!client.over) this.flushClient(client, position, isSafe);
    }
    clients.length = 0;
  }

  /** Sends replies that may go out by now. */
  release(): void {
    if (this.waiting.size === 0) return;
    for (const client of [...this.waiting]) {
      while (client.held.length > 0 && this.mayGo(client.held[0])) {
        const held = client.held.shift()!;
        client.heldBytes -= held.bytes.length;
        client.link.send(held.bytes, held.bytes.length);
      }
      if (client.paused) this.drained(client);
      if (client.held.length > 0) continue;
      this.waiting.delete(client);
      if (client.session.closing) this.end(client);
    }
  }

  /** Gives up clients whose write was not confirmed by enough replicas. */
  tick(): void {
    const nowMs = this.host.monotonicMs();
    for (const client of [...this.waiting]) {
      const first = client.held[0];
      if (first.seq > 0 && nowMs - first.sinceMs > limits.replicaWaitMax.value) this.end(client);
    }
    for (const client of [...this.overSoft]) this.checkUnread(client);
  }

  /** The network has taken all that waited for it: perhaps the client is served again. */
  drained(client: Client): void {
    if (client.over || !client.paused) return;
    if (unreadBytes(client) > limits.clientHeldBytesMax.value / 2) return;
    client.paused = false;
    client.link.resume?.();
  }

  /** Closes every client. */
  stop(): void {
    for (const client of [...this.all]) this.end(client);
  }

  private mark(client: Client): void {
    if (client.dirty || client.over) return;
    client.dirty = true;
    this.dirty.push(client);
    this.host.wake();
  }

  private flushClient(client: Client, position: number, isSafe: boolean): void {
    const { session } = client;
    const { output } = session;
    const seq = session.wrote && this.host.minReplicas > 0 ? session.lastSeq : 0;
    if (session.wrote) this.host.wrote();
    session.wrote = false;
    if (output.length > 0) {
      if (isSafe && seq === 0 && client.held.length === 0) {
        client.link.send(output.buffer, output.length);
      } else {
        // A copy: `slice` of a Buffer would be one more view of the memory that the next replies go to.
        const bytes = new Uint8Array(output.take());
        client.held.push({ bytes, position, seq, sinceMs: this.host.monotonicMs() });
        client.heldBytes += bytes.length;
        this.waiting.add(client);
      }
      output.reset();
    }
    if (session.closing && client.held.length === 0) this.end(client);
    else this.checkUnread(client);
  }

  /** Closes a client that leaves more unread than it may, or stops reading from it. */
  private checkUnread(client: Client): void {
    const unread = unreadBytes(client);
    const { session } = client;
    // Most clients have read everything.
    if (unread === 0 && session.softSinceMs === 0) return;
    if (session.server.limits.exceedsOutput(session, unread, this.host.monotonicMs())) {
      this.end(client);
      return;
    }
    if (session.softSinceMs === 0) this.overSoft.delete(client);
    else this.overSoft.add(client);
    if (client.paused || unread <= limits.clientHeldBytesMax.value) return;
    client.paused = true;
    client.link.pause?.();
  }

  private mayGo(held: Held): boolean {
    if (held.position > this.host.safe()) return false;
    return held.seq === 0 || this.host.replicasWith(held.seq) >= this.host.minReplicas;
  }

  private end(client: Client): void {
    this.closed(client);
    client.link.close();
  }
}

/** Replies that are kept here, and those that the network has not taken. */
function unreadBytes(client: Client): number {
  return client.heldBytes + client.link.bufferedBytes();
}
