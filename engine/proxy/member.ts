/**
 * Shell: one member of the region as this proxy sees it: whether it answers, its shared connections,
 * and the ones that are lent to a single client.
 *
 * The probe is a connection of its own with a PING every 250 ms. It measures the data path, so it is
 * what the operator asks for when it suspects a member: `up` turns false when the probe breaks or
 * three PINGs in a row stay without an answer.
 */
import type { Connection, Sockets } from '../net/connection.ts';
import { ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { Turn } from './turn.ts';
import { type Login, Upstream, type UpstreamAddress, type UpstreamEvents } from './upstream.ts';

export const PROBE_INTERVAL_MS = 250;
const SILENCE_MS = 3 * PROBE_INTERVAL_MS;
const REDIAL_MS = 100;
const IDLE_DEDICATED_MAX = 64;
/** A member that was silent for so long has lost what was sent to it. */
const ABANDON_MS = 5000;

export type MemberSetting = {
  readonly sockets: Sockets;
  readonly turn: Turn;
  readonly login: Login | null;
  readonly events: UpstreamEvents;
  /** Ms that never go back. */
  readonly nowMs: () => number;
};

export class Member {
  readonly address: UpstreamAddress;
  up = false;
  /** When `up` last changed, in ms of the Unix epoch. */
  sinceMs: number;

  private readonly setting: MemberSetting;
  private shared: { 2: Upstream | null; 3: Upstream | null } = { 2: null, 3: null };
  private dialledAtMs = { 2: Number.NEGATIVE_INFINITY, 3: Number.NEGATIVE_INFINITY };
  private idle: Upstream[] = [];
  private lent = new Set<Upstream>();
  private probe: Connection | null = null;
  private probing = false;
  private answeredAtMs = 0;
  private closed = false;

  constructor(address: UpstreamAddress, setting: MemberSetting) {
    this.address = address;
    this.setting = setting;
    this.sinceMs = Date.now();
    this.answeredAtMs = setting.nowMs();
    void this.dialProbe();
  }

  /** The shared connection, dialled when needed; null while it is not ready. */
  sharedReady(protocol: 2 | 3): Upstream | null {
    const upstream = this.shared[protocol];
    if (upstream !== null && upstream.state === 'ready') return upstream;
    if (upstream === null || upstream.state === 'closed') this.dialShared(protocol);
    return null;
  }

  /** A connection for one client alone; it may still be connecting. Give it back with `release`. */
  lend(protocol: 2 | 3, events: UpstreamEvents): Upstream {
    const at = this.idle.findIndex((u) => u.protocol === protocol && u.state === 'ready');
    const upstream = at >= 0 ? this.idle.splice(at, 1)[0] : this.dial(protocol, events);
    upstream.events = events;
    this.lent.add(upstream);
    return upstream;
  }

  /** Takes a lent connection back; it must hold no state of the client (WATCH). */
  release(upstream: Upstream): void {
    this.lent.delete(upstream);
    this.idle = this.idle.filter((other) => other !== upstream);
    if (upstream.state !== 'ready' || upstream.pending > 0 || this.closed) {
      upstream.destroy('no longer needed');
    } else if (this.idle.length < IDLE_DEDICATED_MAX) {
      this.idle.push(upstream);
    } else {
      upstream.destroy('no longer needed');
    }
  }

  /** To be called every PROBE_INTERVAL_MS. */
  tick(): void {
    if (this.closed) return;
    const silentMs = this.setting.nowMs() - this.answeredAtMs;
    if (silentMs > SILENCE_MS) this.setUp(false);
    if (silentMs > ABANDON_MS) this.abandon('no answer for 5 s');
    if (this.probe === null) void this.dialProbe();
    else this.probe.write(PING);
  }

  /** Breaks its client connections: what was sent is lost, what was not goes elsewhere. */
  abandon(reason: string): void {
    const all = [this.shared[2], this.shared[3], ...this.idle, ...this.lent];
    for (const upstream of all) upstream?.destroy(reason);
    this.idle = [];
  }

  close(reason: string): void {
    this.closed = true;
    this.probe?.destroy();
    this.abandon(reason);
  }

  private dial(protocol: 2 | 3, events: UpstreamEvents): Upstream {
    const { sockets, turn, login } = this.setting;
    return new Upstream(sockets, turn, this.address, protocol, login, events);
  }

  private dialShared(protocol: 2 | 3): void {
    const now = this.setting.nowMs();
    if (this.closed || now - this.dialledAtMs[protocol] < REDIAL_MS) return;
    this.dialledAtMs[protocol] = now;
    this.shared[protocol] = this.dial(protocol, this.setting.events);
  }

  private async dialProbe(): Promise<void> {
    if (this.probing) return;
    this.probing = true;
    const { sockets, login } = this.setting;
    const { host, port } = this.address;
    const connection = await sockets
      .connect({ host, port, timeoutMs: SILENCE_MS })
      .catch(() => null);
    this.probing = false;
    if (connection === null || this.closed) {
      connection?.destroy();
      this.setUp(false);
      return;
    }
    this.probe = connection;
    const replies = new ReplyParser();
    connection.onData = (chunk) => {
      replies.push(chunk);
      // Any answer counts, LOADING and NOAUTH too: the process is there and its loop turns.
      while (replies.next() !== undefined) {
        this.answeredAtMs = this.setting.nowMs();
        this.setUp(true);
      }
      if (replies.error !== null) connection.destroy();
    };
    connection.onEnd = () => connection.destroy();
    connection.onClose = () => {
      this.probe = null;
      this.setUp(false);
    };
    if (login !== null) connection.write(encodeRequest(['AUTH', ...login]));
    connection.write(PING);
  }

  private setUp(up: boolean): void {
    if (this.closed || this.up === up) return;
    this.up = up;
    this.sinceMs = Date.now();
  }
}

const PING = encodeRequest(['PING']);
