/**
 * What a table says a command answers, and whether a reply is that.
 *
 *     nil            nothing            "text"       a string          OK   a status, as it is
 *     7, 2.5, inf    a number           about 50     an integer that is at most 2 off
 *     [a, b]         an array           {a, b}       the same in any order
 *     {f: v, g: w}   a map, any order   error WRONGTYPE   an error of this code
 *     .a.0.b value   the part of a nested reply at this path
 */
import { type Reply, RespError } from '../resp/reply-parser.ts';

export type Expected =
  | { readonly kind: 'nil' }
  | { readonly kind: 'value'; readonly value: string | number }
  | { readonly kind: 'about'; readonly value: number }
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'array' | 'bag'; readonly items: readonly Expected[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Expected, Expected])[] }
  | { readonly kind: 'part'; readonly path: readonly string[]; readonly expected: Expected };

const ABOUT_OFF_MAX = 2;
const TOKEN =
  /\s*("(?:[^"\\]|\\.)*"|\.[^\s,\]}]+|-?\d+(?:\.\d+)?(?![\w.])|-?inf(?!\w)|[A-Za-z]\w*|[[\]{},:])/y;

/** Parses an expectation; throws a SyntaxError that quotes it. */
export function parseExpected(text: string): Expected {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`cannot read the reply in: ${text}`);
    tokens.push(match[1]);
  }
  const expected = parseOne(tokens);
  if (expected === null || tokens.length > 0) {
    throw new SyntaxError(`cannot read the reply in: ${text}`);
  }
  return expected;
}

/** Whether the reply is what the table says. */
export function matches(expected: Expected, reply: Reply): boolean {
  switch (expected.kind) {
    case 'nil':
      return reply === null;
    case 'value':
      return reply === expected.value;
    case 'about':
      return typeof reply === 'number' && Math.abs(reply - expected.value) <= ABOUT_OFF_MAX;
    case 'error':
      return reply instanceof RespError && reply.code === expected.code;
    case 'array':
      return (
        Array.isArray(reply) &&
        reply.length === expected.items.length &&
        expected.items.every((item, index) => matches(item, reply[index]))
      );
    case 'bag':
      return Array.isArray(reply) && matchesInAnyOrder(expected.items, reply);
    case 'map':
      return (
        reply instanceof Map &&
        reply.size === expected.entries.length &&
        expected.entries.every(([key, value]) =>
          [...reply].some(([name, part]) => matches(key, name) && matches(value, part)),
        )
      );
    default: {
      const part = partOf(reply, expected.path);
      return part !== undefined && matches(expected.expected, part);
    }
  }
}

function parseOne(tokens: string[]): Expected | null {
  const token = tokens.shift();
  if (token === undefined) return null;
  if (token === '[' || token === '{') return parseList(tokens, token);
  if (token.startsWith('"')) return { kind: 'value', value: JSON.parse(token) as string };
  if (/^-?\d/.test(token)) return { kind: 'value', value: Number(token) };
  if (/^-?inf$/.test(token))
    return { kind: 'value', value: Number(`${token}inity`.replace('i', 'I')) };
  if (token === 'nil') return { kind: 'nil' };
  if (token === 'about') return { kind: 'about', value: Number(tokens.shift()) };
  if (token === 'error') return { kind: 'error', code: tokens.shift() ?? '' };
  if (token.startsWith('.')) {
    const expected = parseOne(tokens);
    return expected && { kind: 'part', path: token.slice(1).split('.'), expected };
  }
  return /^[A-Za-z]/.test(token) ? { kind: 'value', value: token } : null;
}

function parseList(tokens: string[], open: string): Expected | null {
  const close = open === '[' ? ']' : '}';
  const items: Expected[] = [];
  const entries: [Expected, Expected][] = [];
  while (tokens[0] !== close) {
    const item = parseOne(tokens);
    if (item === null) return null;
    if (open === '{' && tokens[0] === ':') {
      tokens.shift();
      const value = parseOne(tokens);
      if (value === null) return null;
      entries.push([item, value]);
    } else {
      items.push(item);
    }
    if (tokens[0] === ',') tokens.shift();
    else if (tokens[0] !== close) return null;
  }
  tokens.shift();
  if (entries.length > 0) return items.length > 0 ? null : { kind: 'map', entries };
  return { kind: open === '[' ? 'array' : 'bag', items };
}

function matchesInAnyOrder(items: readonly Expected[], reply: readonly Reply[]): boolean {
  const rest = [...reply];
  for (const item of items) {
    const index = rest.findIndex((candidate) => matches(item, candidate));
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return rest.length === 0;
}

function partOf(reply: Reply, path: readonly string[]): Reply | undefined {
  let part: Reply | undefined = reply;
  for (const name of path) {
    if (part instanceof Map) part = part.get(name);
    else if (Array.isArray(part)) part = part[Number(name)];
    else return undefined;
  }
  return part;
}
