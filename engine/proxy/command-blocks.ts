/**
 * Commands on their way to a member, one after the other in blocks of memory.
 *
 * A command is copied once, from the client's input into a block. The block is what is written to
 * the socket, and it stays until all of its commands are answered, so that a command can be sent
 * again without another copy. Blocks without users are used again.
 */

const BLOCK_BYTES = 64 * 1024;
const FREE_BLOCKS_MAX = 8;

export class CommandBlock {
  readonly memory: Buffer;
  used = 0;
  /** Up to here it was handed to the socket. */
  flushed = 0;
  /** Commands in it that are not answered. */
  users = 0;

  constructor(bytes: number) {
    this.memory = Buffer.allocUnsafeSlow(bytes);
  }
}

export class CommandBlocks {
  /** Bytes ever appended: the place of the next command in the stream. */
  appended = 0;
  /** Bytes ever handed to the socket. */
  flushedBytes = 0;
  private current = new CommandBlock(BLOCK_BYTES);
  /** Full blocks, in order: some to be flushed yet, some waiting for their last user. */
  private full: CommandBlock[] = [];
  private free: CommandBlock[] = [];

  /** Copies a command in; returns its block, whose `used` is where the command ends. */
  append(source: Buffer, start: number, end: number): CommandBlock {
    const size = end - start;
    if (this.current.used + size > this.current.memory.length) this.change(size);
    const block = this.current;
    const { memory, used } = block;
    if (size < 64) {
      for (let i = 0; i < size; i++) memory[used + i] = source[start + i];
    } else {
      source.copy(memory, used, start, end);
    }
    block.used = used + size;
    block.users++;
    this.appended += size;
    return block;
  }

  /** Hands everything that was not flushed to `write`, in order. */
  flush(write: (bytes: Buffer) => void): void {
    if (this.full.length > 0) {
      for (const block of this.full) this.flushOne(block, write);
      this.recycle();
    }
    this.flushOne(this.current, write);
    if (this.current.users === 0) {
      this.current.used = 0;
      this.current.flushed = 0;
    }
  }

  private flushOne(block: CommandBlock, write: (bytes: Buffer) => void): void {
    const { flushed, used } = block;
    if (flushed === used) return;
    block.flushed = used;
    this.flushedBytes += used - flushed;
    write(block.memory.subarray(flushed, used));
  }

  private change(size: number): void {
    this.full.push(this.current);
    const reused = size <= BLOCK_BYTES ? this.free.pop() : undefined;
    this.current = reused ?? new CommandBlock(Math.max(size, BLOCK_BYTES));
  }

  private recycle(): void {
    const kept: CommandBlock[] = [];
    for (const block of this.full) {
      if (block.users > 0) {
        kept.push(block);
        continue;
      }
      block.used = 0;
      block.flushed = 0;
      const fits = block.memory.length === BLOCK_BYTES && this.free.length < FREE_BLOCKS_MAX;
      if (fits) this.free.push(block);
    }
    this.full = kept;
  }
}
