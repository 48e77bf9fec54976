import { actorText, emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { Backlog } from '../log/backlog.ts';
import { FrameReader, frameKind, sealFrame } from '../log/frame.ts';
import {
  type Introduction,
  MESSAGE,
  PROTOCOL_VERSION,
  sealAck,
  sealHello,
  sealResume,
} from './message.ts';
import { prove } from './proof.ts';
import { SessionServer } from './server.ts';

const roster = emptyRoster();
const actor = makeActorId(1, 0, 1n);
internActor(roster, actor);

/** A server of a session that has proved who it is, and waits for RESUME. */
function ready(backlog = new Backlog(1000), pullersRegion = 1) {
  const sent: Uint8Array[] = [];
  const confirmed: number[][] = [];
  const introduction: Introduction = {
    protocol: PROTOCOL_VERSION,
    database: 'd',
    slots: '0-16383',
    region: 'eu',
    regionNumber: 1,
    member: 'm',
    actor: actorText(actor),
    purpose: 'member',
    nonce: '0'.repeat(32),
  };
  const server: SessionServer = new SessionServer(
    {
      roster,
      backlog,
      regionNumber: 1,
      vector: () => [7],
      wallMs: () => 0,
      exportSlot: (slot) => Uint8Array.of(slot),
      isAhead: (slot) => slot === 5,
      slotSize: () => 0,
      slotFingerprint: () => '',
      shownVector: () => [7],
      stateTurnBytes: 1000,
      compresses: false,
      firstSlot: 0,
      lastSlot: 16_383,
      admit: () => introduction,
      established: () => {},
      compare: () => 'no question is asked here',
      confirmed: () => confirmed.push([...server.acked]),
      send: (bytes) => sent.push(bytes),
      bufferedBytes: () => 0,
      close: (reason) => {
        throw new Error(reason);
      },
    },
    '',
  );
  const hello = sealHello({ ...introduction, regionNumber: pullersRegion });
  server.receive(hello);
  expect(frameKind(sent[0])).toBe(MESSAGE.challenge);
  server.receive(sealFrame(MESSAGE.proof, prove('', 'puller', hello, sent[0])));
  sent.length = 0;
  return { server, confirmed, sent };
}

/** What was sent since the proof. */
function framesOf(sent: readonly Uint8Array[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  new FrameReader(100_000).push(Buffer.concat(sent), (frame) => frames.push(frame) > 0);
  return frames.filter((frame) => frameKind(frame) !== MESSAGE.proofBack);
}

test('a RESUME confirms nothing: what a puller has applied need not be synced there', () => {
  const { server, confirmed } = ready();
  server.receive(sealResume(1, 'all', [7], roster));
  expect(server.state).toBe('streaming');
  expect(server.acked).toEqual([]);
  server.receive(sealAck({ epoch: 1, consumed: 0, vector: [5] }, roster));
  expect(server.acked).toEqual([5]);
  // Nor does a later one, and it takes nothing back.
  server.receive(sealResume(2, 'all', [7], roster));
  expect(server.acked).toEqual([5]);
  expect(confirmed).toEqual([[], [5], [5]]);
});

test('what slots are ahead of is a mark to who gets single ops, unless it came by this link, and else a state', () => {
  const ours = internActor(roster, makeActorId(1, 1, 2n));
  const pullers = internActor(roster, makeActorId(2, 0, 3n));
  const third = internActor(roster, makeActorId(3, 0, 4n));
  const kindsSent = (mode: 'own' | 'all', aheadOf: number): number[] => {
    const backlog = new Backlog(10_000);
    backlog.reset([3]);
    const shown = [3, 0, 0, 0];
    shown[aheadOf] = 2;
    backlog.appendJump(shown, true);
    backlog.appendBatch(0, 4, 4, sealFrame(MESSAGE.batch, Uint8Array.of(1)));
    const { server, sent } = ready(backlog, 2);
    server.receive(sealResume(1, mode, [3], roster));
    server.pump();
    return framesOf(sent).map(frameKind);
  };
  const { stream, mark, batch, stateBegin } = MESSAGE;
  for (const other of [pullers, third]) {
    expect(kindsSent('own', other)).toEqual([stream, mark, batch]);
    expect(kindsSent('all', other).slice(0, 2)).toEqual([stream, stateBegin]);
  }
  expect(kindsSent('own', ours).slice(0, 2)).toEqual([stream, stateBegin]);
});

test('of empty slots a state has those that are ahead: they have seen more than its vector', () => {
  const backlog = new Backlog(1000);
  backlog.reset([7]);
  const { server, sent } = ready(backlog);
  server.receive(sealResume(1, 'all', [], roster));
  server.pump();
  const frames = framesOf(sent);
  const { stream, stateBegin, slotState, stateEnd } = MESSAGE;
  expect(frames.map(frameKind)).toEqual([stream, stateBegin, slotState, stateEnd]);
  expect(frames.find((frame) => frameKind(frame) === slotState)!.at(-1)).toBe(5);
});
