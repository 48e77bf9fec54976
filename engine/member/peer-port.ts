/**
 * One connection to a peer with a session at this end: cuts chunks into frames, hands them to the
 * session, and notices when the other side has gone silent.
 */

import type { Link, LinkHandler } from '../env.ts';
import { limits } from '../limits.ts';
import { FrameReader } from '../log/frame.ts';
import { FRAME_KIND } from '../op/op.ts';

/** What a port needs of a puller or a session server. */
export type PortSession = {
  /** A frame; the bytes of a BATCH are lent until this returns. */
  receive(frame: Uint8Array): void;
  /** The bytes are no frames; `why` in words. */
  malformed(why: string): void;
  opened(): void;
  closed(reason: string): void;
  /** The network takes bytes again. */
  drained(): void;
};

export class PeerPort {
  readonly handler: LinkHandler;
  private readonly session: PortSession;
  private readonly reader = new FrameReader(limits.handshakeFrameBytesMax.value, FRAME_KIND.batch);
  private link: Link | null = null;
  private lastReceivedMs: number;
  private over = false;

  constructor(session: PortSession, nowMs: () => number) {
    this.session = session;
    this.lastReceivedMs = nowMs();
    this.handler = {
      opened: () => {
        this.lastReceivedMs = nowMs();
        session.opened();
      },
      received: (chunk) => {
        this.lastReceivedMs = nowMs();
        this.receive(chunk);
      },
      drained: () => session.drained(),
      closed: (reason) => this.end(reason),
    };
  }

  attach(link: Link): void {
    this.link = link;
    if (this.over) link.close();
  }

  get bufferedBytes(): number {
    return this.link?.bufferedBytes() ?? 0;
  }

  /** How long nothing has been received, in ms. */
  silentMs(nowMs: number): number {
    return nowMs - this.lastReceivedMs;
  }

  send(bytes: Uint8Array): void {
    if (!this.over) this.link?.send(bytes);
  }

  /** Both sides have proved who they are: frames may be as great as data is. */
  trust(): void {
    this.reader.frameBytesMax = limits.frameBytesMax.value;
  }

  /** Closes the connection; the session hears of it at once. */
  close(reason: string): void {
    this.link?.close();
    this.end(reason);
  }

  /** Closes a connection that has been silent for too long. */
  tick(nowMs: number): void {
    if (this.over || this.silentMs(nowMs) < limits.peerSilence.value) return;
    this.close(`silent for ${limits.peerSilence.value} ms`);
  }

  private receive(chunk: Uint8Array): void {
    if (this.over) return;
    const problem = this.reader.push(chunk, (frame) => {
      this.session.receive(frame);
      return !this.over;
    });
    if (problem !== null && !this.over) this.session.malformed(problem);
  }

  private end(reason: string): void {
    if (this.over) return;
    this.over = true;
    this.session.closed(reason);
  }
}
