/**
 * What a machine that loses power takes with it, by fsync policy.
 *
 * A killed process leaves the page cache, so real processes on a real machine cannot show this. Here
 * the same member runs over the simulated disk: power goes at a moment drawn from the seed, of each
 * file the synced bytes stay and a random, perhaps damaged, part of the rest. One client writes numbered
 * keys, one after the other; after the restart everything up to some number is there, and
 * what was acknowledged beyond it is lost. The window is how long before the cut the oldest lost
 * write was acknowledged.
 *
 * A disk that lies, from a moment before the cut on, may lose what the policy promises. What is kept must be
 * a beginning without holes even so, or the member must refuse it; the simulator then gives it an empty disk.
 */

import { type FsyncPolicy, readConfig } from '../config.ts';
import { ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Network } from './network.ts';
import { Prng } from './prng.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

/** Between the reply and the next write. */
const THINK_MS = 4;

export type PowerLoss = {
  readonly cuts: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** The oldest lost write of all cuts was acknowledged so long before its cut; 0: none was lost. */
  readonly windowMsMax: number;
  /** Cuts after which something was there although something older was not. */
  readonly holes: number;
  /** Cuts at which an image was in place. */
  readonly images: number;
  /** Cuts after which the member did not start with what the disk still had. */
  readonly refused: number;
};

/** Cuts the power under load, `cuts` times, each from a fresh seed. */
export function measurePowerLoss(fsync: FsyncPolicy, cuts: number, lies = false): PowerLoss {
  let [acknowledged, lost, windowMsMax, holes, images, refused] = [0, 0, 0, 0, 0, 0];
  for (let seed = 1; seed <= cuts; seed++) {
    const one = cutOnce(fsync, seed, lies);
    acknowledged += one.acknowledged;
    lost += one.lost;
    windowMsMax = Math.max(windowMsMax, one.windowMs);
    if (one.hasHole) holes++;
    if (one.hasImage) images++;
    if (one.isRefused) refused++;
  }
  return { cuts, acknowledged, lost, windowMsMax, holes, images, refused };
}

function cutOnce(fsync: FsyncPolicy, seed: number, lies: boolean) {
  const random = new Prng(seed);
  const world = new World(0);
  const process = makeProcess(world, random, fsync);
  process.start();
  const ackedAtMs: number[] = [];
  world.after(100, () => writeOn(world, process, ackedAtMs));
  const cutMs = random.between(1500, 6000);
  if (lies) world.after(random.between(100, cutMs), () => process.lieDisk());
  world.runUntil(cutMs);
  const cutAtMs = world.nowMs;
  const count = ackedAtMs.length;
  const { hasImage } = process;
  process.stop('power');
  process.start();
  const db = process.member!.db;
  let whole = 0;
  while (db.getString(`k${whole}`) !== null) whole++;
  let hasHole = false;
  for (let i = whole; i <= count && !hasHole; i++) hasHole = db.getString(`k${i}`) !== null;
  const lost = Math.max(0, count - whole);
  const windowMs = lost === 0 ? 0 : cutAtMs - ackedAtMs[whole];
  const isRefused = process.wipes > 0;
  return { acknowledged: count, lost, windowMs, hasHole, hasImage, isRefused };
}

function makeProcess(world: World, random: Prng, fsync: FsyncPolicy): SimProcess {
  const flags = ['--region', 'eu', '--region-number', '1', '--dir', 'simulated', '--fsync', fsync];
  const result = readConfig(flags, {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  const network = new Network(world, random.fork());
  return new SimProcess({
    world,
    network,
    random: random.fork(),
    config: result.config,
    // Small, so that cuts meet rotating segments and images under way.
    sizes: { segmentBytesMax: 3000, imageAfterBytes: 5000 },
    broken: (problem) => {
      throw new Error(problem);
    },
  });
}

/** Writes k0, k1, … one after the other, each when the one before was acknowledged. */
function writeOn(world: World, process: SimProcess, ackedAtMs: number[]): void {
  const { life } = process;
  const parser = new ReplyParser();
  const client = process.member!.connectClient('writer', process.name, {
    send: (bytes, length) => {
      parser.push(new Uint8Array(bytes.subarray(0, length)));
      while (parser.next() !== undefined) ackedAtMs.push(world.nowMs);
      world.after(THINK_MS, write);
    },
    bufferedBytes: () => 0,
    close: () => {},
  });
  const write = (): void => {
    const request = encodeRequest(['SET', `k${ackedAtMs.length}`, 'value']);
    process.guard(life, () => process.member!.clients.receive(client, request));
  };
  write();
}
