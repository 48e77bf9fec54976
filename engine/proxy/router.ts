/**
 * Shell: where requests go. Holds the map, the members and the requests that wait for a primary.
 *
 * A request whose primary cannot take it is held until the next map, or until the member answers
 * again, at most 5 s. It is sent again only if it surely was not executed (or cannot do harm):
 *
 *     never handed to the kernel, or refused by the member before running → held, sent again
 *     sent, connection broken: read-only                                  → held, sent again
 *     sent, connection broken: may write                                  → UNKNOWNOUTCOME
 *
 * Order. A client's commands for a slot must not change places. So while a request of a shard is
 * held, later ones of that shard queue behind it; and one that was refused goes out again only after
 * everything sent behind it on the same connection was answered. If one of those was executed (the
 * member became primary in between) the refused one must not follow: it fails with TRYAGAIN.
 */
import type { DatabaseMap } from '../map/database-map.ts';
import { buildRoutes } from '../map/routes.ts';
import { proxyError } from './errors.ts';
import { Member, type MemberSetting, PROBE_INTERVAL_MS } from './member.ts';
import type { Overtakers, Request } from './request.ts';
import type { Upstream, UpstreamEvents } from './upstream.ts';

/** How long a request may wait for a primary. */
export const HOLD_MS = 5000;
/** How often held requests are looked at when nothing else happens. */
const PASS_INTERVAL_MS = 20;
/** A refused request goes to the same primary again after this. */
const REFUSED_RETRY_MS = 50;
const HELD_REQUESTS_MAX = 100_000;
const HELD_BYTES_MAX = 256 * 1024 * 1024;
/** A former primary gets so long to answer what it already had. */
const FORMER_PRIMARY_GRACE_MS = 200;

export type RouterSetting = Omit<MemberSetting, 'events'>;

export class Router implements UpstreamEvents {
  map: DatabaseMap | null = null;
  routes: Int16Array = new Int16Array(0);
  readonly members = new Map<string, Member>();
  /** Told of each new map after it is in force. */
  mapChanged: () => void = () => {};

  private readonly setting: RouterSetting;
  private primaries: (Member | null)[] = [];
  /** Held requests by shard: while there are any, later ones queue behind. */
  private heldByShard: number[] = [];
  private held: Request[] = [];
  private heldBytes = 0;
  /** What arrives while `held` is looked through: it queues behind all of that. */
  private late: Request[] = [];
  /** Held requests that were refused: only these can be overtaken. */
  private refusedCount = 0;
  private passTimer: NodeJS.Timeout | null = null;
  private readonly probeTimer: NodeJS.Timeout;
  private readonly graceTimers = new Set<NodeJS.Timeout>();
  private passing = false;
  private closing = false;

  constructor(setting: RouterSetting) {
    this.setting = setting;
    this.probeTimer = setInterval(() => {
      for (const member of this.members.values()) member.tick();
    }, PROBE_INTERVAL_MS);
  }

  /** Puts a map in force: new members are dialled, former ones closed, held requests go out. */
  setMap(map: DatabaseMap): void {
    const formerPrimaries = new Set(this.primaries);
    this.map = map;
    this.routes = buildRoutes(map);
    this.updateMembers(map);
    this.primaries = map.shards.map((shard) => this.members.get(shard.primary) ?? null);
    for (const member of formerPrimaries) {
      if (member !== null && !this.primaries.includes(member)) this.retire(member);
    }
    for (const request of this.held) request.retryAtMs = 0;
    this.countHeld();
    this.pass();
    this.mapChanged();
  }

  /** The shard that owns the slot, as an index into the map; -1: none. */
  shardOf(slot: number): number {
    return this.routes.length === 0 ? -1 : this.routes[slot];
  }

  /** The primary of a shard; null while there is none. */
  primary(shard: number): Member | null {
    return this.primaries[shard] ?? null;
  }

  /** Sends a command, or holds it. Returns the connection it went to, if it did. */
  dispatch(request: Request, source: Buffer, start: number, end: number): Upstream | null {
    const shard = this.shardOf(request.slot);
    if (shard < 0) {
      request.answer(proxyError('slotNotServed'));
      return null;
    }
    if (this.heldByShard[shard] === 0 && !this.passing) {
      const upstream = this.primaries[shard]?.sharedReady(request.protocol) ?? null;
      if (upstream !== null) {
        upstream.send(request, source, start, end);
        return upstream;
      }
    }
    this.hold(request, source, start, end);
    return null;
  }

  // What happens on the connections.

  ready(): void {
    this.pass();
  }

  answered(request: Request): void {
    if (this.refusedCount > 0) this.failOvertaken(request);
  }

  refused(request: Request, upstream: Upstream, _reply: Buffer): void {
    request.overtakers = { upstream, until: upstream.sent };
    request.retryAtMs = this.setting.nowMs() + REFUSED_RETRY_MS;
    request.refusedWithin = false;
    this.holdAgain(request);
  }

  lost(request: Request, upstream: Upstream, sent: boolean): void {
    if (sent && request.write) {
      request.release();
      request.answer(proxyError('unknownOutcome', upstream.address.name));
    } else {
      this.holdAgain(request);
    }
  }

  closed(): void {
    this.pass();
  }

  close(): void {
    this.closing = true;
    clearInterval(this.probeTimer);
    if (this.passTimer !== null) clearTimeout(this.passTimer);
    for (const timer of this.graceTimers) clearTimeout(timer);
    for (const member of this.members.values()) member.close('the proxy is closing');
    this.held = [];
  }

  private updateMembers(map: DatabaseMap): void {
    const wanted = new Map(map.shards.flatMap((s) => s.members).map((m) => [m.name, m]));
    for (const [name, member] of this.members) {
      const { host, port } = member.address;
      const now = wanted.get(name);
      if (now !== undefined && now.host === host && now.port === port) continue;
      this.members.delete(name);
      member.close('no longer in the map');
    }
    const setting: MemberSetting = { ...this.setting, events: this };
    for (const [name, { host, port }] of wanted) {
      if (!this.members.has(name)) {
        this.members.set(name, new Member({ name, host, port }, setting));
      }
    }
  }

  /** A member that is no primary any more answers what it has, and then nothing. */
  private retire(member: Member): void {
    const timer = setTimeout(() => {
      this.graceTimers.delete(timer);
      if (!this.primaries.includes(member)) member.abandon('no longer primary');
    }, FORMER_PRIMARY_GRACE_MS);
    this.graceTimers.add(timer);
  }

  private holdAgain(request: Request): void {
    const { memory, start, end } = request;
    request.repliesLeft = request.repliesWanted;
    if (memory === null) request.answer(proxyError('badUpstream', 'unknown'));
    else this.hold(request, memory, start, end);
  }

  private hold(request: Request, source: Buffer, start: number, end: number): void {
    const bytes = end - start;
    const full = this.held.length >= HELD_REQUESTS_MAX || this.heldBytes + bytes > HELD_BYTES_MAX;
    if (full || this.closing) {
      request.release();
      request.answer(proxyError('tooManyHeld', request.slot));
      return;
    }
    const copy = Buffer.from(source.subarray(start, end));
    request.release();
    request.memory = copy;
    request.start = 0;
    request.end = bytes;
    if (request.deadlineMs === 0) request.deadlineMs = this.setting.nowMs() + HOLD_MS;
    if (this.passing) {
      this.late.push(request);
      return;
    }
    this.held.push(request);
    this.count(request, 1);
    if (this.passTimer === null) this.schedulePass();
  }

  private schedulePass(): void {
    this.passTimer = setTimeout(() => {
      this.passTimer = null;
      this.pass();
    }, PASS_INTERVAL_MS);
  }

  /** Looks at everything held, in order: sends, keeps or gives up. */
  private pass(): void {
    if (this.held.length === 0 || this.passing || this.closing) return;
    this.passing = true;
    const now = this.setting.nowMs();
    const before = this.held;
    this.held = [];
    this.heldBytes = 0;
    this.refusedCount = 0;
    this.heldByShard.fill(0);
    for (const request of before) this.passOne(request, now);
    this.passing = false;
    for (const request of this.late) {
      this.held.push(request);
      this.count(request, 1);
    }
    this.late = [];
    if (this.held.length > 0 && this.passTimer === null) this.schedulePass();
  }

  private passOne(request: Request, now: number): void {
    if (request.sink.gone) {
      request.release();
      return;
    }
    if (now >= request.deadlineMs) {
      request.release();
      request.answer(proxyError('noPrimary', request.slot, HOLD_MS));
      return;
    }
    const shard = this.shardOf(request.slot);
    const { overtakers } = request;
    const mayGo =
      shard >= 0 &&
      this.heldByShard[shard] === 0 &&
      now >= request.retryAtMs &&
      (overtakers === null || allAnswered(overtakers));
    const upstream = mayGo ? this.primaries[shard]?.sharedReady(request.protocol) : null;
    if (!upstream) {
      this.held.push(request);
      this.count(request, 1);
      return;
    }
    request.overtakers = null;
    request.retryAtMs = 0;
    upstream.send(request, request.memory!, request.start, request.end);
    request.sink.resent(request);
  }

  /** Fails refused requests that `executed`, a later one of the same client and slot, has passed. */
  private failOvertaken(executed: Request): void {
    const passed = this.held.filter(
      (request) =>
        request.overtakers !== null &&
        request.client !== null &&
        request.client === executed.client &&
        request.slot === executed.slot &&
        (request.write || executed.write),
    );
    if (passed.length === 0) return;
    this.held = this.held.filter((request) => !passed.includes(request));
    this.countHeld();
    for (const request of passed) {
      request.release();
      request.answer(proxyError('overtaken', request.slot));
    }
  }

  private countHeld(): void {
    this.heldByShard = new Array<number>(this.primaries.length).fill(0);
    this.heldBytes = 0;
    this.refusedCount = 0;
    for (const request of this.held) this.count(request, 1);
  }

  private count(request: Request, by: number): void {
    const shard = this.shardOf(request.slot);
    if (shard >= 0) this.heldByShard[shard] += by;
    this.heldBytes += by * (request.end - request.start);
    if (request.overtakers !== null) this.refusedCount += by;
  }
}

/** Whether everything sent behind a refused request has been answered, or never will be. */
function allAnswered({ upstream, until }: Overtakers): boolean {
  return upstream.answered >= until || upstream.state === 'closed';
}
