/**
 * The roster gives every actor that a member ever heard of a small number, so that state in
 * memory spends two bytes on an actor and not twelve.
 *
 * On the wire an actor is 12 bytes, big-endian:
 *
 *     offset  0  u8   region number, 1..16
 *             1  u8   zero
 *             2  u16  member number
 *             4  u64  incarnation (high word: seconds since 2024-01-01, low word: random)
 *
 * The order of actors is the order of these bytes, so that the region decides first: this one
 * comparison is the whole tie rule "lower region number, then lower actor id".
 */
import type { Actor, Bytes } from './dot.ts';

export const ACTOR_ID_BYTES = 12;
export const ACTORS_MAX = 65536;
/** What happens then (docs/decisions/0011): nothing folds, so there is one cure. */
export const ROSTER_FULL = `this database has had ${ACTORS_MAX} writers (each start of a member that then wrote counts as one) and cannot tell more apart: make a new database and copy the keys into it`;
export const REGION_NUMBER_MAX = 16;

/** Plain data; use the functions below to change it. */
export type Roster = {
  /** By actor: the 12 bytes of its id. */
  readonly ids: Bytes[];
  /** By actor: its region number. */
  readonly regions: number[];
  readonly byId: Map<Bytes, Actor>;
};

export function emptyRoster(): Roster {
  return { ids: [], regions: [], byId: new Map() };
}

/**
 * The actor with this id, entered into the roster if it is new.
 * `id` must be valid (see `describeBadActorId`); throws RangeError when the roster is full (see `hasRoom`).
 */
export function internActor(roster: Roster, id: Bytes): Actor {
  const known = roster.byId.get(id);
  if (known !== undefined) return known;
  const problem = describeBadActorId(id);
  if (problem !== null) throw new RangeError(problem);
  if (roster.ids.length >= ACTORS_MAX) throw new RangeError(ROSTER_FULL);
  const actor = roster.ids.length;
  roster.ids.push(id);
  roster.regions.push(id.charCodeAt(0));
  roster.byId.set(id, actor);
  return actor;
}

/** Whether this id can be entered, or is there already: for ids that a peer sends. */
export function hasRoom(roster: Roster, id: Bytes): boolean {
  return roster.ids.length < ACTORS_MAX || roster.byId.has(id);
}

/** The actor with this id, or undefined when this member never heard of it. */
export function findActor(roster: Roster, id: Bytes): Actor | undefined {
  return roster.byId.get(id);
}

/** The 12 bytes of an actor that is in the roster. */
export function actorId(roster: Roster, actor: Actor): Bytes {
  const id = roster.ids[actor];
  if (id === undefined) throw new RangeError(`no actor ${actor} in the roster`);
  return id;
}

export function actorRegion(roster: Roster, actor: Actor): number {
  return roster.regions[actor];
}

/** Negative when `a` comes first: lower region, then lower id. Zero only for the same actor. */
export function compareActors(roster: Roster, a: Actor, b: Actor): number {
  if (a === b) return 0;
  return roster.ids[a] < roster.ids[b] ? -1 : 1;
}

/** What is wrong with these bytes as an actor id, or null. Never throws. */
export function describeBadActorId(id: Bytes): string | null {
  if (id.length !== ACTOR_ID_BYTES) return `an actor id has ${ACTOR_ID_BYTES} bytes`;
  const region = id.charCodeAt(0);
  if (region < 1 || region > REGION_NUMBER_MAX) {
    return `region number ${region} of an actor id is not in 1..${REGION_NUMBER_MAX}`;
  }
  return id.charCodeAt(1) === 0 ? null : 'the second byte of an actor id is not zero';
}

/** Builds an id. `incarnation` is an unsigned 64-bit number. */
export function makeActorId(region: number, member: number, incarnation: bigint): Bytes {
  let id = String.fromCharCode(region, 0, (member >> 8) & 255, member & 255);
  for (let shift = 56n; shift >= 0n; shift -= 8n) {
    id += String.fromCharCode(Number((incarnation >> shift) & 255n));
  }
  const problem = describeBadActorId(id);
  if (problem !== null) throw new RangeError(problem);
  return id;
}

/** Text form `region.member.incarnation`, the incarnation in hex: "1.0.18f2a". */
export function actorText(id: Bytes): string {
  let incarnation = 0n;
  for (let index = 4; index < ACTOR_ID_BYTES; index++) {
    incarnation = (incarnation << 8n) | BigInt(id.charCodeAt(index));
  }
  const member = id.charCodeAt(2) * 256 + id.charCodeAt(3);
  return `${id.charCodeAt(0)}.${member}.${incarnation.toString(16)}`;
}

/** The id of a text form, or null when it is not one. */
export function parseActorText(text: string): Bytes | null {
  const match = /^(\d{1,2})\.(\d{1,5})\.([0-9a-f]{1,16})$/.exec(text);
  if (match === null) return null;
  const region = Number(match[1]);
  const member = Number(match[2]);
  if (region < 1 || region > REGION_NUMBER_MAX || member > 65535) return null;
  return makeActorId(region, member, BigInt(`0x${match[3]}`));
}
