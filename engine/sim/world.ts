/**
 * Virtual time: a heap of events, run one after the other. Two events of the same millisecond run
 * in the order in which they were made, so a run has exactly one history.
 */

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

export class World {
  nowMs = 0;
  /** All wall clocks are so far ahead of the time that has passed: days that nobody lived through. */
  wallAheadMs = 0;
  private readonly heap: Event[] = [];
  private order = 0;
  private readonly trace: string[] = [];
  private readonly traceMax: number;

  /** `traceMax`: lines of transcript kept; 0: none is made. */
  constructor(traceMax: number) {
    this.traceMax = traceMax;
  }

  get tracing(): boolean {
    return this.traceMax > 0;
  }

  /** Adds a line to the transcript: columns as in docs/simulation.md. */
  note(who: string, what: string): void {
    if (this.traceMax === 0) return;
    this.trace.push(`${this.nowMs.toFixed(1).padStart(9)}  ${who.padEnd(8)}  ${what}`);
    if (this.trace.length > this.traceMax * 2) this.trace.splice(0, this.traceMax);
  }

  transcript(): string[] {
    return this.trace.slice(-this.traceMax);
  }

  /** Runs `run` so many ms from now. */
  after(delayMs: number, run: () => void): void {
    const { heap } = this;
    const event = { atMs: this.nowMs + delayMs, order: this.order++, run };
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  /** Runs all events up to a moment, which becomes now. */
  runUntil(atMs: number): void {
    while (this.heap.length > 0 && this.heap[0].atMs <= atMs) {
      const event = this.pop();
      this.nowMs = event.atMs;
      event.run();
    }
    this.nowMs = atMs;
  }

  private pop(): Event {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
