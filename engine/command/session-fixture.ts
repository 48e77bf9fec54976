/**
 * Sessions without sockets, for tests: one member with a database of its own, alone in the world.
 * Time stands still until the test moves it. Every reply that passes is checked against the shape
 * that the table declares, and counted, so that a test can say which commands were never tried.
 */
import type { AclStart } from '../acl/acl.ts';
import { Db } from '../core/db.ts';
import type { TokenPart } from '../replication/session-token.ts';
import type { VerifyReport } from '../replication/verify-report.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ConfigStart } from './config-store.ts';
import {
  type MemberApi,
  type MemberRole,
  makeServerContext,
  type ServerContext,
} from './context.ts';
import { replyFits } from './reply-fits.ts';
import { type ReplyTree, readReplies } from './reply-tree.ts';
import { ClientSession } from './session.ts';

/** Names of commands that any test of this process has run. */
export const exercised = new Set<string>();

/** A member that has no peers and no replicas, whose answers a test may change. */
export type LoneMember = MemberApi & {
  currentRole: MemberRole;
  mapJson: string | null;
  readonly links: Map<string, boolean>;
  readonly published: [channel: string, message: string][];
  readonly waits: { n: number; timeoutMs: number; all: boolean; done(count: number): void }[];
  /** Ends of CRDT.VERIFY that are awaited. */
  readonly verifying: ((report: VerifyReport) => void)[];
  /** What CRDT.AFTER waited for. */
  readonly tokens: (readonly TokenPart[])[];
  stopped: boolean;
};

export type Fixture = {
  readonly server: ServerContext;
  readonly member: LoneMember;
  /** Moves the clock. */
  advance(ms: number): void;
  connect(): TestClient;
};

/** `startMs`: what the clock shows at first; `region`: the number of the member's region. */
export function makeFixture(
  config: ConfigStart = {},
  startMs = 1_800_000_000_000,
  region = 1,
  acl: AclStart = {},
): Fixture {
  const clock = { nowMs: startMs };
  const random = seededRandom(1);
  const db = new Db({ random, region });
  db.newActor(`${String.fromCharCode(region)}\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01`);
  db.writable = true;
  const member = loneMember();
  const server = makeServerContext({
    db,
    member,
    config,
    acl,
    clockMs: () => clock.nowMs,
    random,
    process: {
      version: '0.0.0',
      runtime: 'test',
      os: 'test',
      pid: 1,
      port: 0,
      runId: '0'.repeat(40),
      startedAtMs: clock.nowMs,
      region: 'eu',
      database: 'test',
    },
  });
  let clients = 0;
  return {
    server,
    member,
    advance: (ms) => {
      clock.nowMs += ms;
    },
    connect: () => new TestClient(server, ++clients),
  };
}

/** One connection: `send` runs a command and returns its only reply. */
export class TestClient {
  readonly session: ClientSession;

  constructor(server: ServerContext, id: number) {
    this.session = new ClientSession(server, id, `127.0.0.1:${40_000 + id}`);
  }

  /** Runs one command; null when it did not answer (blocked, or replies are off). */
  send(...words: (string | number)[]): ReplyTree | null {
    const replies = this.sendBytes(encodeRequest(words.map(latin1)));
    this.check(words, replies);
    return replies[0] ?? null;
  }

  /** Runs one command and returns all that came back: subscriptions answer more than once. */
  sendForAll(...words: (string | number)[]): ReplyTree[] {
    const replies = this.sendBytes(encodeRequest(words.map(latin1)));
    this.check(words, replies);
    return replies;
  }

  /** Hands bytes over as they are; returns what came back, decoded. */
  sendBytes(bytes: Uint8Array): ReplyTree[] {
    this.session.receive(bytes);
    return this.received();
  }

  /** What has been written to this client since the last look. */
  received(): ReplyTree[] {
    const replies = readReplies(this.session.output.take());
    this.session.output.reset();
    this.session.server.db.takeFrame();
    return replies;
  }

  private check(words: readonly (string | number)[], replies: readonly ReplyTree[]): void {
    const lookup = this.session.server.commands;
    const container = lookup.findByName(String(words[0]));
    const entry = container?.subcommands
      ? (lookup.findByName(`${words[0]}|${words[1]}`) ?? container)
      : container;
    if (!entry) return;
    exercised.add(entry.command.name);
    if (this.session.transaction !== null) return;
    for (const reply of replies) {
      // A message may come before the reply; which commands answer by pushes is in their shape.
      if (reply.kind === 'push' && entry.command.reply.kind !== 'push') continue;
      if (!replyFits(entry.command.reply, reply, this.session.output.protocol)) {
        throw new Error(`${words.join(' ')}: ${show(reply)} does not fit the declared shape`);
      }
    }
  }
}

/** A reply in one line: `OK`, `(error) ERR …`, `["a",1,null]`. */
export function show(reply: ReplyTree | null): string {
  if (reply === null) return 'nothing';
  switch (reply.kind) {
    case 'status':
      return reply.text;
    case 'error':
      return `(error) ${reply.text}`;
    case 'integer':
      return reply.value.toString();
    case 'null':
      return reply.as === 'array' ? 'null array' : 'null';
    case 'verbatim':
      return `${reply.format}:${JSON.stringify(reply.text)}`;
    case 'boolean':
      return String(reply.value);
    case 'array':
      return `[${reply.items.map(show).join(',')}]`;
    case 'set':
      return `{${reply.items.map(show).join(',')}}`;
    case 'map': {
      const pairs = reply.items.map((item, i) => `${i % 2 ? ':' : i ? ',' : ''}${show(item)}`);
      return `{${pairs.join('')}}`;
    }
    case 'push':
      return `push[${reply.items.map(show).join(',')}]`;
    default:
      return JSON.stringify(reply.text);
  }
}

/** A generator of uniform numbers that every run repeats (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function latin1(word: string | number): Uint8Array {
  return Buffer.from(String(word), 'latin1');
}

function loneMember(): LoneMember {
  const member: LoneMember = {
    currentRole: 'primary',
    mapJson: null,
    links: new Map([['us', false]]),
    published: [],
    waits: [],
    tokens: [],
    verifying: [],
    stopped: false,
    role: () => member.currentRole,
    startingReason: () => 'waiting for the map',
    status: () => ({ role: member.currentRole, region: 'eu', vector: { '1.1.1': 3 }, peers: [] }),
    waitRegions: (_session, n, timeoutMs, all, done) => wait(n, timeoutMs, all, done),
    waitReplicas: (_session, n, timeoutMs, all, done) => wait(n, timeoutMs, all, done),
    slots: () => ({ firstSlot: 0, lastSlot: 16_383 }),
    tokenParts: () => [{ firstSlot: 0, lastSlot: 16_383, seqs: [[`\x01${'\0'.repeat(11)}`, 7]] }],
    waitToken: (parts, timeoutMs, done) => {
      member.tokens.push(parts);
      return wait(1, timeoutMs, false, done);
    },
    verify: (region, done) => {
      if (region !== null && !member.links.has(region)) return 'no such region';
      member.verifying.push(done);
      return () => {};
    },
    link: (region, pause) => {
      if (!member.links.has(region)) return false;
      member.links.set(region, pause);
      return true;
    },
    setMap: (json) => {
      if (!json.startsWith('{')) return { kind: 'invalid', reason: 'version: must be a number' };
      if (json.includes('"version":1')) return { kind: 'stale', held: 8, given: 1 };
      member.mapJson = json;
      return null;
    },
    getMap: () => member.mapJson,
    publish: (channel, message) => {
      member.published.push([channel, message]);
    },
    info: () => [{ title: 'Regions', lines: [['region_us', 'connected=0']] }],
    replication: () => ({ position: 42, upstream: null, replicas: [] }),
    shutdown: () => {
      member.stopped = true;
    },
  };
  const wait: (n: number, t: number, all: boolean, done: (count: number) => void) => () => void = (
    n,
    timeoutMs,
    all,
    done,
  ) => {
    if (n === 0 && !all) {
      done(0);
      return () => {};
    }
    const entry = { n, timeoutMs, all, done };
    member.waits.push(entry);
    return () => {
      member.waits.splice(member.waits.indexOf(entry), 1);
    };
  };
  return member;
}
