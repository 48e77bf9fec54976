/** The commands that took long, for SLOWLOG: the newest first, with shortened arguments. */
import type { Setting } from './config-store.ts';
import { numberSetting } from './setting-kinds.ts';

export const SLOWER_THAN_MICROSECONDS = 10_000;
export const SLOWLOG_MAX_LEN = 128;
const WORDS_MAX = 32;
const WORD_BYTES_MAX = 128;

export type SlowCommand = {
  readonly id: number;
  readonly atMs: number;
  readonly microseconds: number;
  readonly words: readonly string[];
  readonly remote: string;
  readonly name: string;
};

export class SlowLog {
  /** Commands that take at least so long are kept; negative: none. */
  slowerThan = SLOWER_THAN_MICROSECONDS;
  maxLength = SLOWLOG_MAX_LEN;
  private entries: SlowCommand[] = [];
  private nextId = 0;

  get length(): number {
    return this.entries.length;
  }

  isSlow(microseconds: number): boolean {
    return this.slowerThan >= 0 && microseconds >= this.slowerThan;
  }

  add(command: Omit<SlowCommand, 'id'>): void {
    const words = shorten(command.words);
    this.entries.unshift({ ...command, words, id: this.nextId++ });
    if (this.entries.length > this.maxLength) this.entries.length = this.maxLength;
  }

  /** The newest first; -1: all. */
  list(count: number): readonly SlowCommand[] {
    return count < 0 ? this.entries : this.entries.slice(0, count);
  }

  reset(): void {
    this.entries = [];
  }

  settings(): Setting[] {
    return [
      numberSetting('slowlog-log-slower-than', -1, 2n ** 63n - 1n, {
        get: () => this.slowerThan,
        set: (value) => {
          this.slowerThan = value;
        },
      }),
      numberSetting('slowlog-max-len', 0, 2n ** 63n - 1n, {
        get: () => this.maxLength,
        set: (value) => {
          this.maxLength = value;
        },
      }),
    ];
  }
}

function shorten(words: readonly string[]): string[] {
  const kept = words.length > WORDS_MAX ? words.slice(0, WORDS_MAX - 1) : words;
  const short = kept.map((word) =>
    word.length <= WORD_BYTES_MAX
      ? word
      : `${word.slice(0, WORD_BYTES_MAX)}... (${word.length - WORD_BYTES_MAX} more bytes)`,
  );
  if (kept !== words) short.push(`... (${words.length - kept.length} more arguments)`);
  return short;
}
