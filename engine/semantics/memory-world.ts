/**
 * Shell: the smallest world in which tables can be played: per region one database and one client's
 * session, both the real ones, in one process. Frames are handed over by hand.
 *
 * Each region keeps the frames it has applied, its own and others', in order, and hands them on in
 * this order; so whatever link is chosen next, deliveries respect causality. Which link that is, how
 * often a frame is delivered, and whether frames or states are exchanged is the `Delivery`:
 * every one of them must give the same replies.
 *
 * Messages of pub/sub are handed over here and not by the member: this world is about databases.
 */
import { type MemberApi, makeServerContext, type ServerContext } from '../command/context.ts';
import { ClientSession } from '../command/session.ts';
import { Db } from '../core/db.ts';
import { internActor, makeActorId } from '../crdt/roster.ts';
import { advance, dominates, emptyVector, type VersionVector } from '../crdt/version-vector.ts';
import { SLOT_COUNT } from '../keyspace/slot.ts';
import { FRAME_HEADER_BYTES } from '../op/op.ts';
import { PushMessage, type Reply, ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { World } from './play-case.ts';

export type Delivery = {
  readonly name: string;
  readonly exchange: 'frames' | 'states';
  /** Each frame is delivered this often. */
  readonly times: number;
  /** Which of `count` links has its turn. */
  choose(count: number): number;
};

const START_MS = Date.UTC(2026, 0, 1);
const EXPIRY_STEPS = 1000;
/** Pushes that are messages; the others answer SUBSCRIBE and its kin. */
const MESSAGES: ReadonlySet<Reply> = new Set(['message', 'pmessage', 'smessage']);

type Member = {
  readonly region: string;
  readonly db: Db;
  readonly server: ServerContext;
  readonly session: ClientSession;
  readonly parser: ReplyParser;
  readonly messages: Reply[];
  /** Bodies of the batches applied here, in order. */
  readonly log: Uint8Array[];
  /** Published here and not yet handed to the other regions. */
  readonly published: { channel: string; message: string; to: Set<string> }[];
  readonly clock: { offMs: number };
};

export class MemoryWorld implements World {
  readonly regions: readonly string[];
  readonly triesMax = 0;
  private readonly members: readonly Member[];
  private readonly delivery: Delivery;
  private readonly cuts = new Set<string>();
  private nowMs = START_MS;

  constructor(regions: readonly string[], delivery: Delivery) {
    this.regions = regions;
    this.delivery = delivery;
    this.members = regions.map((region, index) => this.startMember(region, index + 1));
    for (const region of regions) this.run(region, ['HELLO', '3']);
  }

  run(region: string, words: readonly string[]): Reply {
    const member = this.member(region);
    member.session.receive(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))));
    const replies = this.takeReplies(member);
    this.takeFrame(member);
    if (replies.length !== 1) throw new Error(`${words.join(' ')}: ${replies.length} replies`);
    return replies[0];
  }

  receive(region: string): Reply {
    const member = this.member(region);
    this.takeReplies(member);
    return member.messages.shift() ?? null;
  }

  async sync(changed: (region: string) => Promise<void>): Promise<void> {
    for (;;) {
      const links = this.links().filter(
        ([from, to]) => !dominates(to.db.vector, vectorAt(from, to)),
      );
      if (links.length === 0) break;
      const [from, to] = links[this.delivery.choose(links.length)];
      if (this.delivery.exchange === 'states') this.sendState(from, to);
      else this.sendNext(from, to);
      await changed(to.region);
    }
    for (const [from, to] of this.links()) this.sendMessages(from, to);
  }

  cut(a: string, b: string): void {
    this.cuts.add([a, b].sort().join());
  }

  heal(a: string, b: string): void {
    this.cuts.delete([a, b].sort().join());
  }

  wait(ms: number): void {
    this.nowMs += ms;
    for (const member of this.members) {
      member.db.tick(this.nowMs + member.clock.offMs, EXPIRY_STEPS);
      this.takeFrame(member);
    }
  }

  setClock(region: string, offMs: number): void {
    this.member(region).clock.offMs = offMs;
  }

  private startMember(region: string, number: number): Member {
    const random = (): number => 0.5;
    const db = new Db({ random, region: number });
    db.newActor(makeActorId(number, 0, BigInt(number)));
    db.writable = true;
    db.streams.severalRegions = this.regions.length > 1;
    const published: Member['published'] = [];
    const clock = { offMs: 0 };
    const others = this.regions.filter((other) => other !== region);
    const server = makeServerContext({
      db,
      member: loneMember((channel, message) => {
        published.push({ channel, message, to: new Set(others) });
      }),
      clockMs: () => this.nowMs + clock.offMs,
      random,
      process: {
        version: '0.0.0',
        runtime: 'test',
        os: 'test',
        pid: 1,
        port: 0,
        runId: '0'.repeat(40),
        startedAtMs: this.nowMs,
        region,
        database: 'test',
      },
    });
    const session = new ClientSession(server, number, '127.0.0.1:1');
    const parser = new ReplyParser();
    return { region, db, server, session, parser, messages: [], log: [], published, clock };
  }

  private member(region: string): Member {
    const member = this.members.find((one) => one.region === region);
    if (member === undefined) throw new Error(`no such region: ${region}`);
    return member;
  }

  /** All pairs that can speak, in both directions. */
  private links(): [from: Member, to: Member][] {
    const links: [Member, Member][] = [];
    for (const from of this.members) {
      for (const to of this.members) {
        const name = [from.region, to.region].sort().join();
        if (from !== to && !this.cuts.has(name)) links.push([from, to]);
      }
    }
    return links;
  }

  private takeReplies(member: Member): Reply[] {
    const { output } = member.session;
    member.parser.push(output.take());
    output.reset();
    const replies: Reply[] = [];
    for (let reply = member.parser.next(); reply !== undefined; reply = member.parser.next()) {
      if (!(reply instanceof PushMessage)) replies.push(reply);
      else if (MESSAGES.has(reply.items[0])) member.messages.push(reply.items);
      else replies.push(reply.items);
    }
    return replies;
  }

  private takeFrame(member: Member): void {
    const frame = member.db.takeFrame();
    if (frame !== null) member.log.push(frame.subarray(FRAME_HEADER_BYTES));
  }

  /** Delivers the first batch that `to` lacks. */
  private sendNext(from: Member, to: Member): void {
    to.db.beginTurn(this.nowMs + to.clock.offMs);
    for (const body of from.log) {
      const outcome = to.db.applyBatch(body);
      if (outcome === 'known') continue;
      if (outcome !== 'applied') throw new Error(`a batch was not applied: ${format(outcome)}`);
      to.log.push(body);
      for (let again = 1; again < this.delivery.times; again++) {
        if (to.db.applyBatch(body) !== 'known') throw new Error('a batch was applied twice');
      }
      return;
    }
    throw new Error(`${from.region} has nothing for ${to.region}`);
  }

  /** Brings `to` up to date by states: the slots of `from`, and `to`'s own ops on top. */
  private sendState(from: Member, to: Member): void {
    to.db.beginTurn(this.nowMs + to.clock.offMs);
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const empty = from.db.slotSize(slot) === 0;
      if (empty && to.db.slotSize(slot) === 0) continue;
      const body =
        from.db.states.exportSlot(slot) ?? from.db.states.emptySlot(slot, from.db.slotVector(slot));
      const problem = to.db.states.importSlot(body, () => to.log);
      if (problem !== null) throw new Error(problem);
    }
    to.db.states.finishStateMerge(vectorAt(from, to));
    to.log.push(
      ...from.log.filter((body) => !to.log.some((held) => Buffer.compare(held, body) === 0)),
    );
  }

  private sendMessages(from: Member, to: Member): void {
    for (const { channel, message, to: waiting } of from.published) {
      if (waiting.delete(to.region)) to.server.pubsub.deliver(channel, message);
    }
  }
}

/** The vector of `member` in the roster of `viewer`. */
function vectorAt(member: Member, viewer: Member): VersionVector {
  const vector = emptyVector();
  for (const [actor, seq] of member.db.vector.entries()) {
    if (seq > 0) advance(vector, internActor(viewer.db.roster, member.db.roster.ids[actor]), seq);
  }
  return vector;
}

function format(outcome: unknown): string {
  return typeof outcome === 'string' ? outcome : JSON.stringify(outcome);
}

/** A member without peers; what is published goes to `publish`. */
function loneMember(publish: (channel: string, message: string) => void): MemberApi {
  const atOnce = (...wait: [...unknown[], done: (count: number) => void]): (() => void) => {
    (wait[wait.length - 1] as (count: number) => void)(0);
    return () => {};
  };
  return {
    role: () => 'primary',
    startingReason: () => '',
    status: () => ({}),
    waitRegions: (session, n, timeoutMs, all, done) => atOnce(session, n, timeoutMs, all, done),
    waitReplicas: (session, n, timeoutMs, all, done) => atOnce(session, n, timeoutMs, all, done),
    slots: () => ({ firstSlot: 0, lastSlot: 16_383 }),
    tokenParts: () => [],
    waitToken: (parts, timeoutMs, done) => atOnce(parts, timeoutMs, done),
    verify: () => 'no such region',
    link: () => false,
    setMap: () => null,
    getMap: () => null,
    publish,
    info: () => [],
    replication: () => ({ position: 0, upstream: null, replicas: [] }),
    shutdown: () => {},
  };
}
