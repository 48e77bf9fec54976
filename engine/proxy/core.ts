/**
 * What the parts of a proxy share.
 */
import type { ServerContext } from '../command/context.ts';
import type { ProxyClient } from './client.ts';
import { type ReplySink, Request } from './request.ts';
import type { Router } from './router.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Turn } from './turn.ts';

export class ProxyCore {
  readonly context: ServerContext;
  readonly router: Router;
  readonly turn: Turn;
  readonly subscriptions: Subscriptions;
  readonly clients = new Set<ProxyClient>();
  /** Clients that leave more unread than their class may for long. */
  readonly overSoft = new Set<ProxyClient>();
  /** Clients whose next command waits for the end of CLIENT PAUSE. */
  readonly postponed = new Set<ProxyClient>();

  /** A client that leaves so much unread is closed. */
  readonly outputBytesMax: number;

  constructor(
    context: ServerContext,
    router: Router,
    turn: Turn,
    subscriptions: Subscriptions,
    outputBytesMax: number,
  ) {
    this.outputBytesMax = outputBytesMax;
    this.context = context;
    this.router = router;
    this.turn = turn;
    this.subscriptions = subscriptions;
  }

  /** A request of `client` whose reply goes to `sink` (absent: the client itself). */
  request(client: ProxyClient, slot: number, write: boolean, sink: ReplySink = client): Request {
    return new Request(sink, client, slot, client.session.output.protocol, write);
  }

  /** To be called several times a second. */
  tick(nowMs: number): void {
    this.context.clients.tick(nowMs, this.context);
    for (const client of [...this.overSoft]) client.checkOutput();
    for (const client of [...this.postponed]) client.retryPostponed();
  }

  left(client: ProxyClient): void {
    this.clients.delete(client);
    this.overSoft.delete(client);
  }
}
