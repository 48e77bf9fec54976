/**
 * Shell: a shard for tests: the engine's sessions and an empty database behind a real socket, in this
 * process, with a role that a test can change and a socket that it can break.
 */
import { type MemberApi, makeServerContext, type ServerContext } from '../command/context.ts';
import { ClientSession } from '../command/session.ts';
import { Db } from '../core/db.ts';
import type { Connection, Listener } from '../net/connection.ts';
import { nodeSockets } from '../net/node-sockets.ts';
import { type TokenPart, tokenPart } from '../replication/session-token.ts';
import { reportOf, type VerifyReport } from '../replication/verify-report.ts';
import { RequestParser } from '../resp/request-parser.ts';

export class TestShard {
  readonly name: string;
  role: 'primary' | 'replica' | 'starting' = 'primary';
  /** What WAIT and CRDT.WAIT answer, and with which words they were asked. */
  waitCount = 1;
  readonly waits: string[][] = [];
  verifyReport: VerifyReport = reportOf([]);
  slots = { firstSlot: 0, lastSlot: 16_383 };
  /** What CRDT.AFTER answers, and what it was asked. */
  tokenReached = 1;
  readonly tokenWaits: { parts: readonly TokenPart[]; timeoutMs: number }[] = [];
  /** Chunks received but not run yet while `frozen`. */
  frozen = false;
  /** Called with each chunk before it is run; false: it is dropped with the connection. */
  accepts: (chunk: Buffer) => boolean = () => true;
  port = 0;
  connectionsAccepted = 0;
  readonly context: ServerContext;
  readonly memberApi: MemberApi;
  private listener: Listener | null = null;
  private readonly open = new Map<Connection, ClientSession>();
  private thawed: (() => void)[] = [];

  constructor(name: string, actor: number, password: string | null = null) {
    this.name = name;
    this.memberApi = this.makeMemberApi();
    const db = new Db({ random: Math.random, region: 1 });
    // Region number, then anything that is different for each member.
    const actorId = `\x01${'\0'.repeat(10)}${String.fromCharCode(actor)}`;
    db.newActor(actorId);
    db.writable = true;
    this.context = makeServerContext({
      db,
      member: this.memberApi,
      clockMs: () => Date.now(),
      random: Math.random,
      config: { requirepass: password ?? '' },
      process: {
        version: '0',
        runtime: 'test',
        os: 'test',
        pid: 1,
        port: 0,
        runId: name,
        startedAtMs: 0,
        region: 'eu',
        database: 'shop/carts',
      },
    });
  }

  async start(port = 0): Promise<void> {
    this.listener = await nodeSockets.listen({
      host: '127.0.0.1',
      port,
      onConnection: (connection) => this.accept(connection),
    });
    this.port = this.listener.port;
  }

  /** Dies as a killed process does. */
  stop(): void {
    this.listener?.close();
    this.breakConnections();
  }

  breakConnections(): void {
    for (const connection of [...this.open.keys()]) connection.destroy();
  }

  thaw(): void {
    this.frozen = false;
    for (const run of this.thawed.splice(0)) run();
  }

  /** Runs a command here, without the network. */
  get(key: string): string | null {
    this.context.db.beginTurn(Date.now());
    return this.context.db.getString(key);
  }

  private accept(connection: Connection): void {
    this.connectionsAccepted++;
    const session = new ClientSession(
      this.context,
      this.connectionsAccepted,
      connection.remoteAddress,
    );
    this.open.set(connection, session);
    const flush = () => {
      connection.write(session.output.take());
      session.output.reset();
      if (session.closing) connection.close();
    };
    session.wake = flush;
    connection.onData = (chunk) => {
      const run = () => {
        if (!this.accepts(Buffer.from(chunk))) {
          connection.destroy();
          return;
        }
        if (Buffer.from(chunk).includes('WAIT\r\n')) {
          this.answerWait(connection, chunk);
          return;
        }
        session.receive(chunk);
        this.context.db.takeFrame();
        flush();
      };
      if (this.frozen) this.thawed.push(run);
      else run();
    };
    connection.onClose = () => {
      this.open.delete(connection);
      session.closed();
    };
  }

  /** Waits come alone on connections of their own, so a chunk holds exactly one. */
  private answerWait(connection: Connection, chunk: Uint8Array): void {
    const parser = new RequestParser();
    parser.push(chunk);
    parser.next();
    const { args } = parser;
    this.waits.push(Array.from({ length: args.count }, (_, i) => args.text(i)));
    connection.write(Buffer.from(`:${this.waitCount}\r\n`));
  }

  private makeMemberApi(): MemberApi {
    const wait: MemberApi['waitReplicas'] = () => () => {};
    return {
      role: () => this.role,
      startingReason: () => 'waiting for the map',
      status: () => ({ name: this.name }),
      waitRegions: wait,
      waitReplicas: wait,
      slots: () => this.slots,
      tokenParts: () => {
        const { db } = this.context;
        return [tokenPart(this.slots.firstSlot, this.slots.lastSlot, db.vector, db.roster)];
      },
      waitToken: (parts, timeoutMs, done) => {
        this.tokenWaits.push({ parts, timeoutMs });
        done(this.tokenReached);
        return () => {};
      },
      verify: (region, done) => {
        if (region === 'mars') return 'no such region';
        done(this.verifyReport);
        return () => {};
      },
      link: () => true,
      setMap: () => null,
      getMap: () => null,
      publish: () => {},
      info: () => [],
      replication: () => ({ position: 0, upstream: null, replicas: [] }),
      shutdown: () => {},
    };
  }
}
