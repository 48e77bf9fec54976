import { actorText, emptyRoster, internActor, makeActorId } from '../crdt/roster.ts';
import { Backlog } from '../log/backlog.ts';
import { frameKind, sealFrame } from '../log/frame.ts';
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
function ready(): { server: SessionServer; confirmed: number[][] } {
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
      backlog: new Backlog(1000),
      regionNumber: 1,
      vector: () => [7],
      wallMs: () => 0,
      exportSlot: () => null,
      slotSize: () => 0,
      slotFingerprint: () => '',
      shownVector: () => [7],
      stateTurnBytes: 1000,
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
  const hello = sealHello(introduction);
  server.receive(hello);
  expect(frameKind(sent[0])).toBe(MESSAGE.challenge);
  server.receive(sealFrame(MESSAGE.proof, prove('', 'puller', hello, sent[0])));
  return { server, confirmed };
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
