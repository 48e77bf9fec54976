/**
 * Shell: collects what has something to write, and writes it once at the end of the turn of the event
 * loop. A hundred commands of a chunk, or of a hundred clients, become one system call per socket.
 */

export interface Flushable {
  /** Set while it is on the list. */
  dirty: boolean;
  flush(): void;
}

export class Turn {
  private list: Flushable[] = [];
  private scheduled = false;

  /** Has `item` flushed once before the loop waits again. */
  add(item: Flushable): void {
    if (item.dirty) return;
    item.dirty = true;
    this.list.push(item);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private readonly run = (): void => {
    this.scheduled = false;
    const list = this.list;
    this.list = [];
    for (const item of list) {
      item.dirty = false;
      item.flush();
    }
  };
}
