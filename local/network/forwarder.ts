/**
 * Shell: a TCP forwarder: what a Service's address is in a cluster. Each new connection goes to the
 * next target in turn, and to the one after it when that refuses. Between regions a link can be
 * cut: connections across it are then reset, or stand still as if every packet were lost.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** What a cut link does to a connection: go on, be reset, or stand still. */
export type LinkState = 'open' | 'reset' | 'silent';

export interface ForwarderOptions {
  readonly host: string;
  readonly port: number;
  /** The targets at this moment, in a stable order. */
  targets(): readonly Target[];
  /** The link from a source address to this forwarder's targets. */
  linkFrom(sourceAddress: string): LinkState;
}

interface Connection {
  readonly client: Socket;
  readonly source: string;
  upstream: Socket | null;
  frozen: boolean;
}

/** Targets tried for one connection before the client is told no. */
const attemptsMax = 8;

export class Forwarder {
  private readonly options: ForwarderOptions;
  private readonly server: Server;
  private readonly connections = new Set<Connection>();
  private turn = 0;
  private listening: Promise<unknown> = Promise.resolve();

  constructor(options: ForwarderOptions) {
    this.options = options;
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.accept(client),
    );
  }

  /** Resolves with the port; rejects with EADDRINUSE when somebody else has it. */
  async listen(): Promise<number> {
    const { host, port } = this.options;
    const listening = new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    this.listening = listening.catch(() => {});
    await listening;
    return (this.server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    // A server that is closed before it listens would listen for ever after.
    await this.listening;
    for (const connection of this.connections) destroy(connection);
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Looks at every link again after something was cut or healed. */
  applyLinks(): void {
    for (const connection of [...this.connections]) {
      const state = this.options.linkFrom(connection.source);
      if (state === 'reset') destroy(connection);
      else if (state === 'silent') freeze(connection);
      else this.thaw(connection);
    }
  }

  private accept(client: Socket): void {
    const source = client.remoteAddress ?? '';
    const state = this.options.linkFrom(source);
    const frozen = state === 'silent';
    const connection: Connection = { client, source, upstream: null, frozen };
    client.on('error', () => {});
    if (state === 'reset') {
      client.resetAndDestroy();
      return;
    }
    this.connections.add(connection);
    client.on('close', () => {
      this.connections.delete(connection);
      connection.upstream?.destroy();
    });
    if (!frozen) this.dial(connection);
  }

  private dial(connection: Connection): void {
    const targets = this.options.targets();
    this.turn += 1;
    const from = this.turn;
    const ordered = targets.map((_, index) => targets[(from + index) % targets.length]);
    this.dialNext(connection, ordered.slice(0, attemptsMax));
  }

  private dialNext(connection: Connection, targets: readonly Target[]): void {
    const { client } = connection;
    const [target, ...rest] = targets;
    if (client.destroyed) return;
    if (target === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    connection.upstream = upstream;
    let connected = false;
    upstream.on('connect', () => {
      connected = true;
      if (!connection.frozen) join(connection);
    });
    upstream.on('error', () => {
      if (!connected) this.dialNext(connection, rest);
    });
    upstream.on('close', () => {
      // A reset on one side is a reset on the other, so that clients see a crash as a crash.
      if (!connected) return;
      if (client.readableEnded || client.writableEnded) client.destroy();
      else client.resetAndDestroy();
    });
  }

  private thaw(connection: Connection): void {
    if (!connection.frozen) return;
    connection.frozen = false;
    if (connection.upstream === null) this.dial(connection);
    else join(connection);
  }
}

function join({ client, upstream }: Connection): void {
  if (upstream === null) return;
  client.pipe(upstream);
  upstream.pipe(client);
}

function freeze(connection: Connection): void {
  const { client, upstream } = connection;
  connection.frozen = true;
  if (upstream === null) return;
  client.unpipe(upstream);
  upstream.unpipe(client);
  client.pause();
  upstream.pause();
}

function destroy({ client, upstream }: Connection): void {
  client.resetAndDestroy();
  upstream?.resetAndDestroy();
}
