/**
 * Makes one reply of the replies that the shards gave to the parts of a command.
 *
 * Parts are whole replies as RESP, in the order of the parts. If one of them is an error, the first
 * error is the reply: the other parts may have run, as when Redis Cluster clients split by hand.
 */
import { ReplyFramer } from '../resp/reply-framer.ts';

/**
 *     sum       integers, added
 *     min, max  integers
 *     ok        +OK
 *     elements  arrays; element k of the reply is the next one of part `order[k]`
 *     concat    arrays, one behind the other
 *     counts    flat arrays of name and integer: the integers of each name added
 *     each-min  arrays of integers: the smallest at each place
 *     any       the first that is not null, beginning at a part chosen by `choice`
 */
export type Merge =
  | 'sum'
  | 'min'
  | 'max'
  | 'ok'
  | 'elements'
  | 'concat'
  | 'counts'
  | 'each-min'
  | 'any';

const MINUS = 0x2d;
const COLON = 0x3a;
const BAD = Buffer.from('-ERR the shards gave replies that do not fit together\r\n');
const OK = Buffer.from('+OK\r\n');

/** `order`: for `elements`. `choice`: uniform in [0, 1), for `any`. */
export function mergeReplies(
  merge: Merge,
  parts: readonly Buffer[],
  order: readonly number[] = [],
  choice = 0,
): Buffer {
  const error = parts.find((part) => part[0] === MINUS);
  if (error !== undefined) return error;
  switch (merge) {
    case 'ok':
      return OK;
    case 'sum':
      return mergeIntegers(parts, (numbers) => numbers.reduce((a, b) => a + b, 0));
    case 'min':
      return mergeIntegers(parts, (numbers) => Math.min(...numbers));
    case 'max':
      return mergeIntegers(parts, (numbers) => Math.max(...numbers));
    case 'elements':
      return mergeElements(parts, order);
    case 'concat':
      return mergeArrays(parts, (lists) => lists.flat());
    case 'counts':
      return mergeArrays(parts, addCounts);
    case 'each-min':
      return mergeArrays(parts, smallest);
    case 'any':
      return firstThere(parts, choice);
  }
}

/** The elements of an array or set reply, each as RESP; null when it is none. */
export function elementsOf(reply: Buffer): Buffer[] | null {
  const headEnd = reply.indexOf('\r\n');
  const count = Number(reply.latin1Slice(1, headEnd));
  const kind = reply[0];
  if ((kind !== 0x2a && kind !== 0x7e && kind !== 0x3e) || !(count >= 0)) return null;
  const framer = new ReplyFramer();
  framer.push(reply.subarray(headEnd + 2));
  const found: Buffer[] = [];
  while (framer.next()) found.push(framer.buffer.subarray(framer.start, framer.end));
  return found.length === count ? found : null;
}

function mergeIntegers(parts: readonly Buffer[], join: (numbers: number[]) => number): Buffer {
  const numbers = parts.map((part) =>
    part[0] === COLON ? Number(part.latin1Slice(1, part.length - 2)) : Number.NaN,
  );
  const value = join(numbers);
  return Number.isNaN(value) ? BAD : Buffer.from(`:${value}\r\n`);
}

function mergeElements(parts: readonly Buffer[], order: readonly number[]): Buffer {
  const next = new Array<number>(parts.length).fill(0);
  return mergeArrays(parts, (lists) => order.map((part) => lists[part][next[part]++]));
}

function mergeArrays(
  parts: readonly Buffer[],
  join: (lists: Buffer[][]) => readonly (Buffer | undefined)[],
): Buffer {
  const lists: Buffer[][] = [];
  for (const part of parts) {
    const list = elementsOf(part);
    if (list === null) return BAD;
    lists.push(list);
  }
  const joined = join(lists);
  if (joined.some((element) => element === undefined)) return BAD;
  return Buffer.concat([Buffer.from(`*${joined.length}\r\n`), ...(joined as Buffer[])]);
}

function addCounts(lists: Buffer[][]): Buffer[] {
  const [first, ...others] = lists;
  return first.map((element, i) => {
    if (i % 2 === 0) return element;
    const column = [element, ...others.map((list) => list[i] ?? element)];
    return mergeIntegers(column, (numbers) => numbers.reduce((a, b) => a + b, 0));
  });
}

function smallest([first, ...others]: Buffer[][]): Buffer[] {
  return first.map((element, i) => {
    const column = [element, ...others.map((list) => list[i])];
    return mergeIntegers(column, (numbers) => Math.min(...numbers));
  });
}

function firstThere(parts: readonly Buffer[], choice: number): Buffer {
  const start = Math.floor(choice * parts.length);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[(start + i) % parts.length];
    if (part[0] !== 0x5f && part.latin1Slice(0, 3) !== '$-1') return part;
  }
  return parts[start];
}
