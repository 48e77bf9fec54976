/**
 * Inline commands: a line of words, as people type them into `nc` or telnet.
 *
 * Words are divided by blanks. Double quotes know `\n \r \t \b \a \xHH` and `\` before any other
 * character; single quotes know only `\'`. A closing quote must be followed by a blank or the end.
 * The rules, down to NUL ending the line, are those of Redis' sdssplitargs.
 */
import type { Args } from './args.ts';

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<number, number>> = {
  110: 0x0a,
  114: 0x0d,
  116: 0x09,
  98: 0x08,
  97: 0x07,
};

/**
 * Splits the line `line[start, end)` into `args`, whose words are decoded into memory of their own.
 * Returns false when quotes are unbalanced. No words at all is no error: `args.count` is 0.
 */
export function splitInline(line: Uint8Array, start: number, end: number, args: Args): boolean {
  const words = Buffer.allocUnsafe(end - start);
  args.clear();
  args.buffer = words;
  let used = 0;
  let at = start;
  for (;;) {
    while (at < end && isBlank(line[at])) at++;
    if (at >= end || line[at] === 0) return true;
    const wordStart = used;
    for (;;) {
      const byte = at < end ? line[at] : 0;
      if (byte === 0 || isBlank(byte)) break;
      at++;
      if (byte !== QUOTE && byte !== APOSTROPHE) {
        words[used++] = byte;
        continue;
      }
      const quoted = readQuoted(line, at, end, byte, words, used);
      if (quoted === null) return false;
      at = quoted.at;
      used = quoted.used;
      if (at < end && line[at] !== 0 && !isBlank(line[at])) return false;
      break;
    }
    args.add(wordStart, used);
  }
}

/** Reads up to the closing quote. Returns where reading and writing go on, or null at no quote. */
function readQuoted(
  line: Uint8Array,
  at: number,
  end: number,
  quote: number,
  words: Buffer,
  used: number,
): { at: number; used: number } | null {
  while (at < end && line[at] !== 0) {
    const byte = line[at];
    if (byte === quote) return { at: at + 1, used };
    if (byte !== BACKSLASH || at + 1 >= end) {
      words[used++] = byte;
      at++;
      continue;
    }
    const next = line[at + 1];
    if (quote === APOSTROPHE) {
      // Only \' is an escape here; any other backslash stands for itself.
      words[used++] = next === APOSTROPHE ? APOSTROPHE : BACKSLASH;
      at += next === APOSTROPHE ? 2 : 1;
      continue;
    }
    const high = at + 3 < end ? hexDigit(line[at + 2]) : -1;
    const low = at + 3 < end ? hexDigit(line[at + 3]) : -1;
    if (next === 0x78 && high >= 0 && low >= 0) {
      words[used++] = high * 16 + low;
      at += 4;
      continue;
    }
    words[used++] = ESCAPES[next] ?? next;
    at += 2;
  }
  return null;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
