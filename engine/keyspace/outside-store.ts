/**
 * What does not go into the arena, by number: JS values in an array whose free places are used
 * again. Rich key states live in one, keys and values too large for a block in another.
 */

export class OutsideStore<T> {
  /** Bytes of all items, as their owners told. */
  totalBytes = 0;
  private items: (T | null)[] = [];
  private bytes: number[] = [];
  private free: number[] = [];

  add(item: T, bytes: number): number {
    const index = this.free.pop() ?? this.items.length;
    this.items[index] = item;
    this.bytes[index] = bytes;
    this.totalBytes += bytes;
    return index;
  }

  /** The item, which must be there. */
  get(index: number): T {
    return this.items[index] as T;
  }

  bytesOf(index: number): number {
    return this.bytes[index];
  }

  set(index: number, item: T, bytes: number): void {
    this.totalBytes += bytes - this.bytes[index];
    this.items[index] = item;
    this.bytes[index] = bytes;
  }

  /** The item takes so many bytes more. */
  grow(index: number, bytes: number): void {
    this.bytes[index] += bytes;
    this.totalBytes += bytes;
  }

  remove(index: number): void {
    this.totalBytes -= this.bytes[index];
    this.items[index] = null;
    this.free.push(index);
  }

  reset(): void {
    this.totalBytes = 0;
    this.items = [];
    this.bytes = [];
    this.free = [];
  }
}
