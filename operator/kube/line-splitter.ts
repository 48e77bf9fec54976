/** Cuts a stream of bytes into lines, whatever the size of the chunks. */
export class LineSplitter {
  private readonly decoder = new TextDecoder();
  private rest = '';

  /** The lines that are whole after this chunk; empty lines are left out. */
  push(chunk: Uint8Array): string[] {
    const parts = (this.rest + this.decoder.decode(chunk, { stream: true })).split('\n');
    this.rest = parts.pop() ?? '';
    return parts.filter((line) => line.trim() !== '');
  }
}
