/**
 * Lua's patterns with a bound on the work: the matcher of lstrlib.c, counting its steps.
 *
 * A pattern with several repetitions can take longer than the universe lasts, and C code cannot be
 * stopped by a hook. So string functions hand what may take long to this matcher, which asks `tick`
 * each 65,536 steps whether to go on; it ends the match by throwing. See pattern-functions.ts.
 *
 * A pattern ends at its first zero byte, as in Lua 5.1.
 */

const CAPTURES_MAX = 32;
const UNFINISHED = -1;
const POSITION = -2;
/** Items within each other: each takes a frame of the process' own stack. */
const DEPTH_MAX = 200;
const STEPS_PER_TICK = 0xffff;

const PERCENT = 0x25;
const OPEN = 0x28;
const CLOSE = 0x29;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const QUESTION = 0x3f;
const DOLLAR = 0x24;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const CARET = 0x5e;
const LETTER_B = 0x62;
const LETTER_F = 0x66;

/** What is wrong with a pattern, in Lua's words. */
export class PatternError extends Error {}

/** A captured text, or a position (from 1) of an empty `()`. */
export type Capture = string | number;

export class Matcher {
  readonly text: string;
  private readonly pattern: string;
  private readonly tick: () => void;
  private level = 0;
  private readonly starts: number[] = [];
  private readonly lengths: number[] = [];
  private steps = 0;
  private depth = 0;

  constructor(text: string, pattern: string, tick: () => void) {
    this.text = text;
    this.pattern = pattern;
    this.tick = tick;
  }

  /** Where the match of the pattern from its place `p` on that begins at `s` ends; -1: there is none. */
  matchAt(s: number, p: number): number {
    this.level = 0;
    this.depth = 0;
    return this.match(s, p);
  }

  /** What was captured by the last match from `s` to `end`: all of it when there are no captures. */
  captures(s: number, end: number, wholeIfNone: boolean): Capture[] {
    if (this.level === 0 && wholeIfNone) return [this.text.slice(s, end)];
    return Array.from({ length: this.level }, (_, i) => this.capture(i));
  }

  private capture(i: number): Capture {
    const length = this.lengths[i];
    if (length === UNFINISHED) throw new PatternError('unfinished capture');
    const start = this.starts[i];
    return length === POSITION ? start + 1 : this.text.slice(start, start + length);
  }

  private step(): void {
    this.steps = (this.steps + 1) & STEPS_PER_TICK;
    if (this.steps === 0) this.tick();
  }

  private match(from: number, at: number): number {
    if (++this.depth > DEPTH_MAX) throw new PatternError('pattern too complex');
    const end = this.matchItems(from, at);
    this.depth--;
    return end;
  }

  private matchItems(from: number, at: number): number {
    const { text, pattern } = this;
    let s = from;
    let p = at;
    for (;;) {
      this.step();
      if (p >= pattern.length) return s;
      const code = pattern.charCodeAt(p);
      if (code === OPEN) {
        const isPosition = pattern.charCodeAt(p + 1) === CLOSE;
        return isPosition
          ? this.startCapture(s, p + 2, POSITION)
          : this.startCapture(s, p + 1, UNFINISHED);
      }
      if (code === CLOSE) return this.endCapture(s, p + 1);
      if (code === DOLLAR && p + 1 === pattern.length) return s === text.length ? s : -1;
      if (code === PERCENT) {
        const next = pattern.charCodeAt(p + 1);
        if (next === LETTER_B) {
          s = this.balance(s, p + 2);
          if (s < 0) return -1;
          p += 4;
          continue;
        }
        if (next === LETTER_F) {
          p = this.frontier(s, p + 2);
          if (p < 0) return -1;
          continue;
        }
        if (next >= 0x30 && next <= 0x39) {
          s = this.backReference(s, next);
          if (s < 0) return -1;
          p += 2;
          continue;
        }
      }
      const end = this.classEnd(p);
      const repetition = pattern.charCodeAt(end);
      const matches = s < text.length && this.single(text.charCodeAt(s), p, end);
      if (repetition === STAR) return this.maxExpand(s, p, end);
      if (repetition === PLUS) return matches ? this.maxExpand(s + 1, p, end) : -1;
      if (repetition === MINUS) return this.minExpand(s, p, end);
      if (repetition === QUESTION) {
        if (matches) {
          const found = this.match(s + 1, end + 1);
          if (found >= 0) return found;
        }
        p = end + 1;
        continue;
      }
      if (!matches) return -1;
      s++;
      p = end;
    }
  }

  private startCapture(s: number, p: number, what: number): number {
    if (this.level >= CAPTURES_MAX) throw new PatternError('too many captures');
    this.starts[this.level] = s;
    this.lengths[this.level] = what;
    this.level++;
    const end = this.match(s, p);
    if (end < 0) this.level--;
    return end;
  }

  private endCapture(s: number, p: number): number {
    let open = this.level - 1;
    while (open >= 0 && this.lengths[open] !== UNFINISHED) open--;
    if (open < 0) throw new PatternError('invalid pattern capture');
    this.lengths[open] = s - this.starts[open];
    const end = this.match(s, p);
    if (end < 0) this.lengths[open] = UNFINISHED;
    return end;
  }

  private balance(s: number, p: number): number {
    const { text, pattern } = this;
    if (p + 1 >= pattern.length) throw new PatternError('unbalanced pattern');
    const open = pattern.charCodeAt(p);
    const close = pattern.charCodeAt(p + 1);
    if (s >= text.length || text.charCodeAt(s) !== open) return -1;
    let depth = 1;
    for (let at = s + 1; at < text.length; at++) {
      this.step();
      const code = text.charCodeAt(at);
      if (code === close) {
        if (--depth === 0) return at + 1;
      } else if (code === open) {
        depth++;
      }
    }
    return -1;
  }

  /** Where the pattern goes on behind `%f[set]`; -1: there is no frontier at `s`. */
  private frontier(s: number, p: number): number {
    const { text, pattern } = this;
    if (pattern.charCodeAt(p) !== BRACKET) {
      throw new PatternError("missing '[' after '%f' in pattern");
    }
    const end = this.classEnd(p);
    const before = s === 0 ? 0 : text.charCodeAt(s - 1);
    const here = s < text.length ? text.charCodeAt(s) : 0;
    return !this.set(before, p, end - 1) && this.set(here, p, end - 1) ? end : -1;
  }

  private backReference(s: number, digit: number): number {
    const i = digit - 0x31;
    if (i < 0 || i >= this.level || this.lengths[i] === UNFINISHED) {
      throw new PatternError('invalid capture index');
    }
    const captured = this.text.substr(this.starts[i], Math.max(0, this.lengths[i]));
    this.step();
    return this.text.startsWith(captured, s) ? s + captured.length : -1;
  }

  private maxExpand(s: number, p: number, end: number): number {
    const { text } = this;
    let n = 0;
    while (s + n < text.length && this.single(text.charCodeAt(s + n), p, end)) {
      this.step();
      n++;
    }
    for (; n >= 0; n--) {
      const found = this.match(s + n, end + 1);
      if (found >= 0) return found;
    }
    return -1;
  }

  private minExpand(from: number, p: number, end: number): number {
    const { text } = this;
    for (let s = from; ; s++) {
      const found = this.match(s, end + 1);
      if (found >= 0) return found;
      if (s >= text.length || !this.single(text.charCodeAt(s), p, end)) return -1;
    }
  }

  private classEnd(at: number): number {
    const { pattern } = this;
    let p = at + 1;
    const code = pattern.charCodeAt(at);
    if (code === PERCENT) {
      if (p >= pattern.length) throw new PatternError("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (code !== BRACKET) return p;
    if (pattern.charCodeAt(p) === CARET) p++;
    do {
      if (p >= pattern.length) throw new PatternError("malformed pattern (missing ']')");
      if (pattern.charCodeAt(p++) === PERCENT && p < pattern.length) p++;
    } while (pattern.charCodeAt(p) !== BRACKET_END);
    return p + 1;
  }

  private single(code: number, p: number, end: number): boolean {
    const item = this.pattern.charCodeAt(p);
    if (item === DOT) return true;
    if (item === PERCENT) return isInClass(code, this.pattern.charCodeAt(p + 1));
    if (item === BRACKET) return this.set(code, p, end - 1);
    return item === code;
  }

  /** Whether a set `[…]` from `at` to its bracket at `end` has the character. */
  private set(code: number, at: number, end: number): boolean {
    const { pattern } = this;
    let p = at;
    let found = true;
    if (pattern.charCodeAt(p + 1) === CARET) {
      found = false;
      p++;
    }
    while (++p < end) {
      const item = pattern.charCodeAt(p);
      if (item === PERCENT) {
        p++;
        if (isInClass(code, pattern.charCodeAt(p))) return found;
      } else if (pattern.charCodeAt(p + 1) === MINUS && p + 2 < end) {
        p += 2;
        if (item <= code && code <= pattern.charCodeAt(p)) return found;
      } else if (item === code) {
        return found;
      }
    }
    return !found;
  }
}

/** Whether a character is in a class such as `%a`; an upper case letter is the opposite. */
function isInClass(code: number, letter: number): boolean {
  const test = classes[String.fromCharCode(letter | 0x20)];
  const isLetter = (letter >= 0x41 && letter <= 0x5a) || (letter >= 0x61 && letter <= 0x7a);
  if (!isLetter || test === undefined) return letter === code;
  return test(code) === ((letter & 0x20) !== 0);
}

const isAlpha = (c: number): boolean => (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

const classes: Readonly<Record<string, (c: number) => boolean>> = {
  a: isAlpha,
  c: (c) => c < 0x20 || c === 0x7f,
  d: isDigit,
  l: (c) => c >= 0x61 && c <= 0x7a,
  p: (c) => c > 0x20 && c < 0x7f && !isAlpha(c) && !isDigit(c),
  s: (c) => c === 0x20 || (c >= 0x09 && c <= 0x0d),
  u: (c) => c >= 0x41 && c <= 0x5a,
  w: (c) => isAlpha(c) || isDigit(c),
  x: (c) => isDigit(c) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66),
  z: (c) => c === 0,
};

/** Where `wanted` begins in `text` from `from` on, in time that grows with both only; -1: nowhere. */
export function findPlain(text: string, wanted: string, from: number): number {
  const borders = new Int32Array(wanted.length + 1);
  for (let i = 1, k = 0; i < wanted.length; i++) {
    while (k > 0 && wanted.charCodeAt(i) !== wanted.charCodeAt(k)) k = borders[k];
    if (wanted.charCodeAt(i) === wanted.charCodeAt(k)) k++;
    borders[i + 1] = k;
  }
  if (wanted === '') return from;
  for (let i = from, k = 0; i < text.length; i++) {
    while (k > 0 && text.charCodeAt(i) !== wanted.charCodeAt(k)) k = borders[k];
    if (text.charCodeAt(i) === wanted.charCodeAt(k)) k++;
    if (k === wanted.length) return i - k + 1;
  }
  return -1;
}
