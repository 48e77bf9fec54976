import { EMPTY_FINGERPRINT } from '../core/slot-transfer.ts';
import { emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { sealFrame } from '../log/frame.ts';
import { encodeSlotsSame } from '../log/slots-same.ts';
import {
  readSlotDigests,
  SHIP_ANYWAY,
  sealDigestsAsked,
  sealSlotDigests,
} from './digest-message.ts';
import { MESSAGE, sealVector } from './message.ts';
import { StateReceiver, type StateSink } from './state-receiver.ts';

const roster = emptyRoster();
internActor(roster, makeActorId(2, 0, 1n));
const vector = [5];
const asked = sealDigestsAsked(7);
const begin = sealVector(MESSAGE.stateBegin, vector, roster);
const end = sealVector(MESSAGE.stateEnd, vector, roster);
const same = (slots: number[]) =>
  sealFrame(MESSAGE.slotsSame, encodeSlotsSame({ slots, vector }, roster));
const state = sealFrame(MESSAGE.slotState, Buffer.from('any'));

/** A sink of ten slots with a thousand keys each, which writes down what is asked of it. */
function makeSink() {
  const calls: string[] = [];
  const note = (call: string): null => {
    calls.push(call);
    return null;
  };
  const sink: StateSink & { changed: number[] } = {
    changed: [],
    atomicBytesMax: 8_000_000,
    begin: () => calls.push('begin'),
    slot: () => note('slot'),
    same: ({ slots }) => note(`same ${slots}`),
    changedOf: ({ slots }) => slots.filter((slot) => sink.changed.includes(slot)),
    end: () => calls.push('end'),
    abort: () => calls.push('abort'),
    beginDigests: () => calls.push('digests'),
    slotDigest: (slot) => `digest0${slot}`,
    slotSize: () => 1000,
    slotRange: () => ({ firstSlot: 0, lastSlot: 9 }),
  };
  return { sink, calls };
}

/** All digests that a receiver owes, as it would send them turn by turn. */
function digestsOf(receiver: StateReceiver): string[][] {
  const turns: string[][] = [];
  while (receiver.owesDigests) {
    const told = readSlotDigests(receiver.takeDigests(7));
    if (typeof told === 'string') throw new Error(told);
    expect([told.epoch, told.firstSlot]).toEqual([7, turns.flat().length]);
    turns.push([...told.digests]);
  }
  return turns;
}

test('digests go out a few thousand keys in a turn, and what is equal is not merged', () => {
  const { sink, calls } = makeSink();
  const receiver = new StateReceiver(sink);
  expect(receiver.owesDigests).toBe(false);
  expect(receiver.receive(asked, roster)).toBeNull();
  expect(receiver.active).toBe(true);
  const turns = digestsOf(receiver);
  expect(turns.map(({ length }) => length)).toEqual([5, 5]);
  expect(turns.flat()[9]).toBe('digest09');
  for (const frame of [begin, state, same([1, 2]), end]) {
    expect(receiver.receive(frame, roster)).toBeNull();
  }
  expect(calls).toEqual(['digests', 'begin', 'slot', 'same 1,2', 'end']);
});

test('a slot that has changed since is asked for again, and nothing was merged by then', () => {
  const { sink, calls } = makeSink();
  const receiver = new StateReceiver(sink);
  sink.changed = [2];
  for (let round = 1; round <= 3; round++) {
    receiver.receive(asked, roster);
    digestsOf(receiver);
    receiver.receive(begin, roster);
    receiver.receive(same([1, 2]), roster);
    expect(receiver.receive(end, roster)).toBeNull();
    expect(receiver.mustAskAgain).toBe(true);
    receiver.abort();
  }
  expect(calls).not.toContain('begin');
  receiver.receive(asked, roster);
  // After three rounds no digest is sent any more: this one comes to an end.
  expect(new Set(digestsOf(receiver).flat())).toEqual(new Set([SHIP_ANYWAY]));
  receiver.receive(begin, roster);
  receiver.receive(same([1, 2]), roster);
  expect(receiver.receive(end, roster)).toBe('slots called equal without a digest: 2');
});

test('the second time only the changed slot goes without a digest', () => {
  const { sink, calls } = makeSink();
  const receiver = new StateReceiver(sink);
  sink.changed = [2];
  receiver.receive(asked, roster);
  digestsOf(receiver);
  for (const frame of [begin, same([1, 2]), end]) receiver.receive(frame, roster);
  receiver.abort();
  sink.changed = [];
  receiver.receive(asked, roster);
  const digests = digestsOf(receiver).flat();
  expect(digests.map((digest) => digest === SHIP_ANYWAY).indexOf(true)).toBe(2);
  expect(digests.filter((digest) => digest === SHIP_ANYWAY)).toHaveLength(1);
  for (const frame of [begin, same([1]), state, end]) receiver.receive(frame, roster);
  expect(calls.slice(-4)).toEqual(['begin', 'same 1', 'slot', 'end']);
  expect(receiver.active).toBe(false);
});

test('frames out of place and bytes that are no message are refused in words', () => {
  const receiver = new StateReceiver(makeSink().sink);
  expect(receiver.receive(state, roster)).toBe('a state without STATE_BEGIN');
  receiver.receive(begin, roster);
  expect(receiver.owesDigests).toBe(false);
  expect(receiver.receive(same([1]), roster)).toBe('slots called equal without digests');
  expect(receiver.receive(begin, roster)).toBe('a STATE_BEGIN within a state');
  expect(receiver.receive(asked, roster)).toBe('DIGESTS_ASKED within a state');
  const early = new StateReceiver(makeSink().sink);
  early.receive(asked, roster);
  expect(early.receive(begin, roster)).toBe('a STATE_BEGIN before all digests were sent');
  const lists = [same([2, 1]), same([1, 1]), same([16_384]), same([1]).subarray(0, 14)];
  for (const frame of lists) expect(typeof receiver.receive(frame, roster)).toBe('string');
  const digests = sealSlotDigests({ epoch: 1, firstSlot: 16_380, digests: ['12345678'] });
  expect(readSlotDigests(digests)).toEqual({ epoch: 1, firstSlot: 16_380, digests: ['12345678'] });
  for (let length = 9; length < digests.length; length++) {
    expect(typeof readSlotDigests(digests.subarray(0, length))).toBe('string');
  }
  const beyond = Array<string>(9).fill(EMPTY_FINGERPRINT);
  const far = sealSlotDigests({ epoch: 1, firstSlot: 16_380, digests: beyond });
  expect(readSlotDigests(far)).toMatch(/slots that are none/);
});
