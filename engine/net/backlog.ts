/**
 * Bytes that wait until the kernel takes them: blocks in order, small additions packed together.
 */

const BLOCK_BYTES = 64 * 1024;

type Block = { readonly memory: Buffer; start: number; end: number };

export class Backlog {
  bytes = 0;
  private blocks: Block[] = [];

  /** Appends a copy of `bytes`. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    const last = this.blocks[this.blocks.length - 1];
    if (last !== undefined && last.memory.length - last.end >= bytes.length) {
      last.memory.set(bytes, last.end);
      last.end += bytes.length;
      return;
    }
    const memory = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes.length));
    memory.set(bytes);
    this.blocks.push({ memory, start: 0, end: bytes.length });
  }

  /** The longest piece at the front that lies in one block; null when nothing waits. */
  first(): Buffer | null {
    const block = this.blocks[0];
    return block === undefined ? null : block.memory.subarray(block.start, block.end);
  }

  /** Takes `count` bytes off the front; at most as many as first() gave. */
  drop(count: number): void {
    const block = this.blocks[0];
    block.start += count;
    this.bytes -= count;
    if (block.start < block.end) return;
    this.blocks.shift();
  }

  clear(): void {
    this.blocks = [];
    this.bytes = 0;
  }
}
