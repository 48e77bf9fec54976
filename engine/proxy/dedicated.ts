/**
 * A connection to a member that serves one client alone for a while: for WATCH, whose state lives on
 * the connection, and for commands that block it.
 *
 * Nothing is sent again here: what the member refuses, or what is lost, is an error to the client.
 */
import { proxyError } from './errors.ts';
import type { Member } from './member.ts';
import type { Request } from './request.ts';
import type { Upstream, UpstreamEvents } from './upstream.ts';

export class LentConnection implements UpstreamEvents {
  private readonly member: Member;
  private readonly upstream: Upstream;
  private queued: { request: Request; bytes: Buffer }[] = [];
  private answeredCalls: (() => void)[] = [];

  constructor(member: Member, protocol: 2 | 3) {
    this.member = member;
    this.upstream = member.lend(protocol, this);
  }

  /** False once the connection broke: the member has forgotten what it knew of us. */
  get alive(): boolean {
    return this.upstream.state !== 'closed';
  }

  /** Sends a command; `answered` is called after its reply was handed over, or was lost. */
  send(request: Request, bytes: Buffer, answered: () => void = () => {}): void {
    this.answeredCalls.push(answered);
    if (this.upstream.state === 'ready') this.upstream.send(request, bytes, 0, bytes.length);
    else if (this.upstream.state === 'closed') {
      this.failed(request);
      this.answered();
    } else this.queued.push({ request, bytes });
  }

  /** Gives the connection back; the member must hold no state of this client on it. */
  giveBack(): void {
    this.member.release(this.upstream);
  }

  ready(): void {
    const queued = this.queued;
    this.queued = [];
    for (const { request, bytes } of queued) this.upstream.send(request, bytes, 0, bytes.length);
  }

  answered(): void {
    // The reply is handed over right after this call, in the same turn.
    const call = this.answeredCalls.shift();
    if (call) queueMicrotask(call);
  }

  refused(request: Request, _upstream: Upstream, reply: Buffer): void {
    const copy = Buffer.from(reply);
    request.release();
    request.answer(copy);
    this.answered();
  }

  lost(request: Request, upstream: Upstream, sent: boolean): void {
    request.release();
    if (sent && request.write) request.answer(proxyError('unknownOutcome', upstream.address.name));
    else this.failed(request);
    this.answered();
  }

  closed(): void {
    const queued = this.queued;
    this.queued = [];
    for (const { request } of queued) this.failed(request);
    for (const call of this.answeredCalls.splice(0)) queueMicrotask(call);
    this.member.release(this.upstream);
  }

  private failed(request: Request): void {
    request.answer(proxyError('connectionLost', this.member.address.name));
  }
}
