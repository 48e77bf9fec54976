/**
 * The parts of a command that was split: waits for all of them, then answers the whole.
 */
import type { ReplySink, Request } from './request.ts';

/** The client behind a split command. */
export interface SplitOwner {
  readonly gone: boolean;
  resent(request: Request): void;
}

export class Gather implements ReplySink {
  private readonly owner: SplitOwner;
  private readonly whole: Request;
  private readonly replies: Buffer[];
  private readonly merge: (replies: readonly Buffer[]) => Buffer;
  private missing: number;

  /** `whole` stands in the client's order; `merge` makes its reply of those of `count` parts. */
  constructor(
    owner: SplitOwner,
    whole: Request,
    count: number,
    merge: (replies: readonly Buffer[]) => Buffer,
  ) {
    this.owner = owner;
    this.whole = whole;
    this.merge = merge;
    this.missing = count;
    this.replies = new Array<Buffer>(count);
  }

  get gone(): boolean {
    return this.owner.gone;
  }

  replied(request: Request, buffer: Buffer, start: number, end: number): void {
    this.replies[request.part] = Buffer.from(buffer.subarray(start, end));
    this.missing--;
    if (this.missing === 0) this.whole.answer(this.merge(this.replies));
  }

  resent(request: Request): void {
    this.owner.resent(request);
  }
}
