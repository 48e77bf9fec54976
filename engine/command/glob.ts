/**
 * Glob patterns as in Redis' stringmatchlen: `*`, `?`, `[abc]`, `[^a-z]`, and `\` for the next
 * character as it is. Patterns and strings are latin1 text.
 *
 * Redis tries a `*` at every place by recursion and needs a guard against patterns whose stars
 * make that exponential. Here only the last star is ever retried: when a later one was reached,
 * giving an earlier star more characters can never help, since the later star could swallow them
 * as well. So a match costs at most pattern × string steps, whatever the pattern.
 */

const BACKSLASH = 0x5c;
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;

/** Whether the whole of `text` fits `pattern`. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let starText = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern.charCodeAt(p) === STAR) {
      starAt = ++p;
      starText = t;
      if (p === pattern.length) return true;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text.charCodeAt(t)) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else if (starAt >= 0) {
      p = starAt;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (p < pattern.length && pattern.charCodeAt(p) === STAR) p++;
  return p >= pattern.length;
}

/** Whether a pattern fits only itself, so that a lookup will do. */
export function isPlainText(pattern: string): boolean {
  return !/[*?[\\]/.test(pattern);
}

/** Where the pattern goes on when its element at `p` takes `code`; -1 when it does not. */
function matchOne(pattern: string, p: number, code: number): number {
  switch (pattern.charCodeAt(p)) {
    case QUESTION:
      return p + 1;
    case OPEN:
      return matchClass(pattern, p + 1, code);
    case BACKSLASH:
      if (p + 1 < pattern.length) p++;
      return pattern.charCodeAt(p) === code ? p + 1 : -1;
    default:
      return pattern.charCodeAt(p) === code ? p + 1 : -1;
  }
}

/** The class whose first character after `[` is at `p`. An unclosed class ends with the pattern. */
function matchClass(pattern: string, p: number, code: number): number {
  const size = pattern.length;
  const negated = pattern.charCodeAt(p) === CARET;
  if (negated) p++;
  let found = false;
  for (; ; p++) {
    if (p < size && pattern.charCodeAt(p) === BACKSLASH && size - p >= 2) {
      p++;
      if (pattern.charCodeAt(p) === code) found = true;
    } else if (p < size && pattern.charCodeAt(p) === CLOSE) {
      break;
    } else if (p >= size) {
      p--;
      break;
    } else if (size - p >= 3 && pattern.charCodeAt(p + 1) === DASH) {
      const a = pattern.charCodeAt(p);
      const b = pattern.charCodeAt(p + 2);
      p += 2;
      if (code >= Math.min(a, b) && code <= Math.max(a, b)) found = true;
    } else if (pattern.charCodeAt(p) === code) {
      found = true;
    }
  }
  return found !== negated ? p + 1 : -1;
}
