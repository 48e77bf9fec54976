/**
 * The last check of a run, when all has healed and nobody writes any more: every member is killed and
 * started again, must hold exactly what it held, and must answer a read by itself.
 *
 * That nobody writes is the point: a member whose recovered log becomes safe only with the next write
 * looks well under load, and holds its replies for ever without.
 */

import { ReplyParser, RespError } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const SLOT_COUNT = 16_384;
/** Time for a member to get its map, to catch up and to sync what it recovered. */
const ANSWER_MS_MAX = 5000;
const ASK_MS = 250;

/** What is wrong after a restart of all; null: nothing. `run` lets so much virtual time pass. */
export function checkRestarts(
  world: World,
  processes: readonly SimProcess[],
  run: (ms: number) => void,
): string | null {
  // Without a disk a killed member rightly comes back empty, and is filled by the others.
  const before = processes.map((process) =>
    process.config.dir === null ? null : digests(process),
  );
  for (const [i, process] of processes.entries()) {
    const held = before[i];
    if (held === null) continue;
    process.stop('kill');
    process.start();
    if (process.member === null) return null; // the process has told why
    const lost = compare(held, digests(process));
    if (lost !== null) return `${process.name} holds something else after a restart: ${lost}`;
  }
  const silent = new Set(processes);
  for (const process of processes) askUntilAnswered(world, process, () => silent.delete(process));
  for (let ms = 0; ms < ANSWER_MS_MAX && silent.size > 0; ms += ASK_MS) run(ASK_MS);
  if (silent.size === 0) return null;
  const names = [...silent].map(({ name }) => name).join(', ');
  return `${names} does not answer a read within ${ANSWER_MS_MAX} ms of its restart`;
}

/** Asks on one connection again and again, until there is a reply that is no error. */
function askUntilAnswered(world: World, process: SimProcess, done: () => void): void {
  const { life } = process;
  const parser = new ReplyParser();
  let isAnswered = false;
  process.guard(life, () => {
    const client = process.member!.connectClient('reader', process.name, {
      send: (bytes, length) => {
        parser.push(new Uint8Array(bytes.subarray(0, length)));
        for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
          if (reply instanceof RespError) continue;
          isAnswered = true;
          done();
        }
      },
      bufferedBytes: () => 0,
      close: () => {},
    });
    // Of replicas too.
    client.session.routed = true;
    const ask = (): void => {
      if (isAnswered) return;
      process.guard(life, () => {
        process.member!.clients.receive(client, encodeRequest(['GET', 'nothing']));
      });
      world.after(ASK_MS, ask);
    };
    ask();
  });
}

/** By slot, of those that hold keys. */
function digests(process: SimProcess): Map<number, number> {
  const { db } = process.member!;
  const bySlot = new Map<number, number>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (db.slotSize(slot) > 0) bySlot.set(slot, db.states.slotDigest(slot));
  }
  return bySlot;
}

function compare(before: Map<number, number>, after: Map<number, number>): string | null {
  for (const slot of [...before.keys(), ...after.keys()]) {
    if (before.get(slot) !== after.get(slot)) return `slot ${slot} differs`;
  }
  return null;
}
