/**
 * A network of streams with the faults that TCP lets through: connections that cannot be made, are
 * reset, or go silent one way; delays; chunks cut and joined anywhere. What does not exist here is
 * what TCP prevents: loss, duplication or reordering within a connection.
 *
 * A host is a process's address. A cut from A to B holds all bytes under way from A to B, like lost
 * packets that are sent again, until it heals or one side gives up.
 */

import type { Address, Link, LinkHandler, Transport } from '../env.ts';
import type { Prng } from './prng.ts';
import type { World } from './world.ts';

export type Listener = (link: Link) => LinkHandler;

type Direction = {
  readonly from: string;
  readonly to: string;
  readonly latencyMs: number;
  /** Bytes that were sent and not delivered. */
  queue: Uint8Array[];
  queuedBytes: number;
  scheduled: boolean;
  handler: LinkHandler | null;
  closing: boolean;
  over: boolean;
  readonly reverse: () => Direction;
};

export class Network {
  private readonly world: World;
  private readonly random: Prng;
  private readonly listeners = new Map<string, Listener>();
  private readonly cuts = new Set<string>();
  private readonly directions = new Set<Direction>();
  /** What bytes from one host to another take longer than usual, in ms. */
  private readonly delays = new Map<string, number>();
  /** Turns a name that is dialled into a host; null: nobody answers there. */
  resolve: (address: Address, from: string) => string | null = (address) => address.host;
  /** Share of chunks that are cut in two. */
  splitChance = 0.2;

  constructor(world: World, random: Prng) {
    this.world = world;
    this.random = random;
  }

  listen(host: string, listener: Listener): void {
    this.listeners.set(host, listener);
  }

  /** Holds everything from one host to another. */
  cut(from: string, to: string): void {
    this.cuts.add(`${from} ${to}`);
  }

  heal(from: string, to: string): void {
    if (!this.cuts.delete(`${from} ${to}`)) return;
    for (const direction of this.directions) this.schedule(direction);
  }

  /** Everything from one host to another takes so much longer; 0: as usual again. */
  delay(from: string, to: string, ms: number): void {
    if (ms === 0) this.delays.delete(`${from} ${to}`);
    else this.delays.set(`${from} ${to}`, ms);
  }

  healAll(): void {
    this.delays.clear();
    this.cuts.clear();
    for (const direction of this.directions) this.schedule(direction);
  }

  /** Breaks a random connection; both sides are told. */
  reset(): void {
    const all = [...this.directions];
    if (all.length === 0) return;
    const direction = this.random.pick(all);
    this.world.note('net', `resets ${direction.from} → ${direction.to}`);
    this.finish(direction, 'connection reset');
    this.finish(direction.reverse(), 'connection reset');
  }

  /** A process is gone. `silent`: its machine too, so nobody is told. */
  drop(host: string, silent: boolean): void {
    this.listeners.delete(host);
    for (const direction of [...this.directions]) {
      if (direction.from !== host && direction.to !== host) continue;
      if (direction.to === host) direction.handler = null;
      direction.queue = direction.from === host ? direction.queue : [];
      if (direction.from === host && !silent) direction.closing = true;
      if (silent || direction.to === host) direction.over = true;
      if (direction.over) this.directions.delete(direction);
      else this.schedule(direction);
    }
  }

  /** The transport of one host. */
  transport(from: string): Transport {
    return { dial: (address, handler) => this.dial(from, address, handler) };
  }

  private dial(from: string, address: Address, handler: LinkHandler): Link {
    const to = this.resolve(address, from);
    const latencyMs = this.random.between(1, 30);
    let backward: Direction | null = null;
    const forward: Direction = this.direction(from, to ?? '?', latencyMs, () => backward!);
    backward = this.direction(to ?? '?', from, latencyMs, () => forward);
    const answer = backward;
    answer.handler = handler;
    let closed = false;
    this.world.after(latencyMs * 2, () => {
      if (closed || answer.over) return;
      const listener = to === null ? undefined : this.listeners.get(to);
      if (listener === undefined || this.isCut(from, to!) || this.isCut(to!, from)) {
        this.finish(answer, 'cannot connect');
        this.directions.delete(forward);
        return;
      }
      forward.handler = listener(this.linkOf(answer));
      this.directions.add(forward);
      this.directions.add(answer);
      handler.opened();
    });
    const link = this.linkOf(forward);
    return {
      ...link,
      close: () => {
        closed = true;
        link.close();
      },
    };
  }

  private direction(
    from: string,
    to: string,
    latencyMs: number,
    reverse: () => Direction,
  ): Direction {
    return {
      from,
      to,
      latencyMs,
      queue: [],
      queuedBytes: 0,
      scheduled: false,
      handler: null,
      closing: false,
      over: false,
      reverse,
    };
  }

  private linkOf(direction: Direction): Link {
    return {
      send: (bytes) => {
        if (direction.over || direction.closing) return;
        direction.queue.push(bytes);
        direction.queuedBytes += bytes.length;
        this.schedule(direction);
      },
      bufferedBytes: () => direction.queuedBytes,
      close: () => {
        direction.closing = true;
        // Who closes hears nothing more.
        direction.reverse().handler = null;
        this.schedule(direction);
      },
    };
  }

  private schedule(direction: Direction): void {
    if (direction.scheduled || direction.over) return;
    if (direction.queue.length === 0 && !direction.closing) return;
    if (this.isCut(direction.from, direction.to)) return;
    direction.scheduled = true;
    const { from, to, latencyMs } = direction;
    this.world.after(latencyMs + (this.delays.get(`${from} ${to}`) ?? 0), () => {
      direction.scheduled = false;
      if (!this.isCut(direction.from, direction.to)) this.deliver(direction);
    });
  }

  private deliver(direction: Direction): void {
    if (direction.over) return;
    const chunks = direction.queue;
    direction.queue = [];
    direction.queuedBytes = 0;
    const bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const { handler } = direction;
    if (handler !== null && bytes.length > 0) {
      if (this.random.chance(this.splitChance)) {
        const at = this.random.between(0, bytes.length);
        if (at > 0) handler.received(bytes.subarray(0, at));
        if (at < bytes.length && direction.handler === handler) {
          handler.received(bytes.subarray(at));
        }
      } else handler.received(bytes);
    }
    direction.reverse().handler?.drained();
    if (direction.closing && direction.queue.length === 0) {
      this.finish(direction, 'closed by the other side');
      this.finish(direction.reverse(), 'closed');
    }
  }

  /** Ends a direction and tells who receives from it. */
  private finish(direction: Direction, reason: string): void {
    if (direction.over) return;
    direction.over = true;
    direction.queue = [];
    this.directions.delete(direction);
    const { handler } = direction;
    direction.handler = null;
    handler?.closed(reason);
  }

  private isCut(from: string, to: string): boolean {
    return this.cuts.has(`${from} ${to}`);
  }
}
