/**
 * The place of an element in a list: an id that is made without asking anyone, never changes, and is
 * never used again. The list is its elements in the order of their ids, so no dead elements need to
 * be kept to say where the others are (docs/decisions/0016).
 *
 * An id is a path of components (n, tie, r, k), compared number by number; a prefix comes first:
 *
 *     n     an integer: the end of the list when the run began (RPUSH: last + 1, LPUSH: first - 1)
 *     tie   the actor in 48 bits (region, member, part of its incarnation), so the lower region is first
 *     r     + the seq of the op that put it behind what was there, - the seq of one that put it before
 *     k     the place within that op: 0, 1, 2 … of RPUSH a b c; 0, -1, -2 … of LPUSH
 *
 * An actor's later pushes have a greater seq, so they continue its run (n, tie) outwards: ids do not
 * grow, and runs of two regions that push at the same time do not interleave, since n and tie decide
 * first. r is a seq of the actor that tie names, so an id is unique for ever: that of an element that
 * was popped does not come back.
 *
 * Only an insert between two elements of one run needs a deeper path: it becomes a child of its left
 * neighbour, and what is between a parent and the next element is again such a list.
 *
 * (Weiss et al., Logoot, 2009; Kleppmann et al., Interleaving anomalies, 2019; Weidner and Kleppmann,
 * The art of the fugue, 2023.)
 */
import type { Bytes } from './dot.ts';

/** Four numbers for each component. */
export type ListId = readonly number[];

export const COMPONENT = 4;
/** Components of an id, at most: only inserts that halve the same place again and again come near. */
export const LIST_DEPTH_MAX = 128;
/** |n| and |k| are below these, so that they fit the wire. */
export const LIST_N_LIMIT = 2 ** 47;
export const LIST_K_LIMIT = 2 ** 31;

/** Negative when `a` comes first, 0 when they are equal. */
export function compareIds(a: ListId, b: ListId): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** An actor in 48 bits: 5 of its region, 16 of its member number, 27 of its incarnation's low word. */
export function tieOf(actorId: Bytes): number {
  const byte = (i: number): number => actorId.charCodeAt(i);
  const low = (byte(8) & 7) * 2 ** 24 + byte(9) * 65536 + byte(10) * 256 + byte(11);
  return (byte(0) * 65536 + byte(2) * 256 + byte(3)) * 2 ** 27 + low;
}

/** The n of a push by the actor `tie` beside the outermost component (n, tie, r) of the list's end. */
export function runBeside(
  left: boolean,
  n: number,
  tie: number,
  r: number,
  own: number,
  seq: number,
): number {
  // The first clause lets an actor go on with its run; the second never fails in an honest world.
  if (tie === own && (left ? r > -seq : r < seq)) return n;
  return left ? n - 1 : n + 1;
}

/** The id of the `j`th value of a push. */
export function pushedId(left: boolean, n: number, tie: number, seq: number, j: number): number[] {
  // Adding 0 makes 0 of -0.
  return left ? [n, tie, -seq, 0 - j] : [n, tie, seq, j];
}

/**
 * An id between two neighbours (null: the end of the list), for the op `seq` of the actor `own`. Null:
 * it would be deeper than LIST_DEPTH_MAX.
 */
export function idBetween(
  left: ListId | null,
  right: ListId | null,
  own: number,
  seq: number,
): number[] | null {
  if (left === null) {
    return right === null ? [0, own, seq, 0] : beside(right, COMPONENT, true, own, seq);
  }
  if (right !== null && startsWith(right, left)) {
    // Between a parent and its first descendant: before the children.
    return beside(right, left.length + COMPONENT, true, own, seq);
  }
  for (let depth = COMPONENT; depth <= left.length; depth += COMPONENT) {
    const next = beside(left, depth, false, own, seq);
    if (right === null || compareIds(next, right) < 0) return next;
  }
  const child = [...left, 0, own, seq, 0];
  return child.length <= LIST_DEPTH_MAX * COMPONENT ? child : null;
}

/** The id next to the first `depth` numbers of `id`, on their level. */
function beside(id: ListId, depth: number, left: boolean, own: number, seq: number): number[] {
  const at = depth - COMPONENT;
  const n = runBeside(left, id[at], id[at + 1], id[at + 2], own, seq);
  return [...id.slice(0, at), n, own, left ? -seq : seq, 0];
}

function startsWith(id: ListId, prefix: ListId): boolean {
  if (id.length <= prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (id[i] !== prefix[i]) return false;
  return true;
}

/** For people: `n.tie.r.k` of each component. */
export function idText(id: ListId): string {
  let text = '';
  for (let at = 0; at < id.length; at += COMPONENT) {
    text += `${at > 0 ? '/' : ''}${id.slice(at, at + COMPONENT).join('.')}`;
  }
  return text;
}

/** What is wrong with an id that a peer sent, or null. */
export function describeBadId(id: ListId): string | null {
  if (id.length === 0 || id.length % COMPONENT !== 0) return 'a list id without components';
  if (id.length > LIST_DEPTH_MAX * COMPONENT) return 'a list id that is too deep';
  for (let at = 0; at < id.length; at += COMPONENT) {
    if (id[at + 2] === 0) return 'a list id of no op';
    if (Math.abs(id[at + 3]) >= LIST_K_LIMIT) return 'a list id beyond all pushes';
  }
  return null;
}
