/**
 * One run: draws a cluster, clients and faults from a seed, lets them fight for some virtual
 * seconds, heals everything and looks whether what must hold does hold.
 */

import { createHash } from 'node:crypto';
import { type Config, type FsyncPolicy, readConfig } from '../config.ts';
import type { Db } from '../core/db.ts';
import { countOps, sameVector } from '../crdt/version-vector.ts';
import { PACKED_ELEMENTS_MAX } from '../keyspace/packed-block.ts';
import { vectorObject } from '../log/vector-bytes.ts';
import type { StorageSizes } from '../member/storage.ts';
import { checkBounds, checkIdle } from './bounds.ts';
import { Chaos } from './chaos.ts';
import { SimClient } from './client.ts';
import { checkAlways, checkAtEnd, History } from './history.ts';
import { Network } from './network.ts';
import { SimOperator, type SimRegion } from './operator.ts';
import { Prng } from './prng.ts';
import { SimProcess } from './process.ts';
import { checkRestarts } from './restart-check.ts';
import { World } from './world.ts';

const REGIONS: readonly SimRegion[] = [
  { name: 'eu', number: 1 },
  { name: 'us', number: 2 },
  { name: 'ap', number: 3 },
];
const SLOT_COUNT = 16_384;
const SAMPLE_MS = 200;
const SETTLE_MS_MAX = 45_000;
const VERIFY_MS_MAX = 10_000;
/**
 * In one run of so many, states are cut into small pieces, as large ones are: then effects may show before their
 * causes while they are merged, but all members must end up equal. By the seed, so that others stay what they are.
 */
const CUT_STATES_EVERY = 16;
/** In so many of the runs all members are restarted at the end; it costs as much as a third of a run. */
const RESTART_SHARE = 0.3;

export type Outcome = {
  readonly seed: number;
  /** null: everything held. */
  readonly problem: string | null;
  readonly transcript: readonly string[];
  /** One line about the cluster and what was done. */
  readonly summary: string;
  /** Equal for two runs that had the same history. */
  readonly fingerprint: string;
};

type Cluster = {
  readonly world: World;
  readonly network: Network;
  readonly operators: SimOperator[];
  readonly processes: SimProcess[];
  readonly history: History;
  readonly shape: string;
  problem: string | null;
};

/** Whether the run of this seed cuts states into pieces. */
export function cutsStatesOf(seed: number): boolean {
  return seed % CUT_STATES_EVERY === CUT_STATES_EVERY / 2;
}

/** Runs a seed. `transcriptLines`: how many of the last lines to keep; 0: none. */
export function runSeed(seed: number, transcriptLines = 0): Outcome {
  const random = new Prng(seed);
  const cutsStates = cutsStatesOf(seed);
  const cluster = drawCluster(random, transcriptLines, cutsStates);
  const { world, processes, operators, history } = cluster;
  const flushes = random.chance(0.1);
  const isPartial = flushes || cutsStates;
  const untilMs = random.between(1500, 4500);
  const fsync = processes[0].config.fsync;
  const chaos = new Chaos({ ...cluster, random: random.fork(), fsync, untilMs });
  for (const process of processes) process.start();
  for (const operator of operators) operator.run();
  const clients = drawClients(cluster, random, flushes);
  chaos.run();
  if (!isPartial) sample(cluster);
  runWhileSound(cluster, untilMs);
  for (const client of clients) client.stop();
  chaos.heal();
  for (const process of processes) process.calmDown();
  settle(cluster, untilMs + SETTLE_MS_MAX);
  cluster.problem ??= checkMembers(cluster, isPartial);
  cluster.problem ??= checkVerify(cluster, seed);
  if (cluster.problem === null && random.chance(RESTART_SHARE)) {
    const afterwards = checkRestarts(world, processes, (ms) => {
      runWhileSound(cluster, world.nowMs + ms);
    });
    cluster.problem ??= afterwards; // unless a member has told first
  }
  const summary =
    `${cluster.shape}, ${history.acknowledged} acknowledged, ${history.refused} refused, ` +
    `${history.unknown} unknown, ${Math.round(world.nowMs)} ms`;
  const fingerprint = fingerprintOf(cluster, summary);
  const { problem } = cluster;
  return { seed, problem, transcript: world.transcript(), summary, fingerprint };
}

/** From here on a set or hash is a table: always, soon, as in production. */
const BLOCK_ELEMENTS_MAX = [0, 2, PACKED_ELEMENTS_MAX];

function drawCluster(random: Prng, transcriptLines: number, cutsStates: boolean): Cluster {
  const world = new World(transcriptLines);
  const network = new Network(world, random.fork());
  network.splitChance = random.pick([0, 0.2, 0.9]);
  const regions = REGIONS.slice(0, random.between(1, 3));
  const membersEach = regions.length === 1 ? 2 : random.between(1, 2);
  const managed = membersEach > 1 || random.chance(0.5);
  const fsync: FsyncPolicy = random.pick(['always', 'always', 'everysec', 'everysec', 'no']);
  const stores = random.chance(0.85);
  const minReplicas = membersEach > 1 && random.chance(0.2) ? 1 : 0;
  const backlogBytes = random.pick([2000, 10_000, 1_000_000]);
  const sizes: StorageSizes = {
    segmentBytesMax: random.pick([1500, 20_000, 1_000_000]),
    imageAfterBytes: random.pick([3000, 30_000, 10_000_000]),
  };
  const stored = stores ? fsync : 'memory only';
  const cut = cutsStates ? ', states in pieces' : '';
  const shape = `${regions.length} × ${membersEach} members, ${stored}, backlog ${backlogBytes}${cut}`;
  const cluster: Cluster = {
    world,
    network,
    operators: [],
    processes: [],
    history: new History(),
    shape,
    problem: null,
  };
  const broken = (problem: string): void => {
    cluster.problem ??= problem;
  };
  for (const region of regions) {
    const others = regions.filter((other) => other !== region);
    const inside = Array.from({ length: membersEach }, (_, ordinal) => {
      const flags = ['--fsync', fsync, '--backlog-bytes', String(backlogBytes)];
      if (stores) flags.push('--dir', 'simulated');
      if (cutsStates) flags.push('--peer-compression', 'zstd');
      if (managed) flags.push('--managed', '--min-replicas', String(minReplicas));
      else for (const { name } of others) flags.push('--peer', `${name}=proxy.${name}:7443`);
      const config = configOf(region, `${region.name}-0-${ordinal}`, flags);
      const all = cluster.processes;
      // Members keep equal sets and hashes in different forms: nobody may be able to tell.
      const blockElementsMax = BLOCK_ELEMENTS_MAX[(region.number + ordinal) % 3];
      const drawn = { random: random.fork(), sizes, blockElementsMax, cutsStates };
      return new SimProcess({ world, network, ...drawn, config, broken, all });
    });
    for (const process of inside) process.skewMs = random.between(-1000, 1000);
    cluster.processes.push(...inside);
    cluster.operators.push(new SimOperator(world, random.fork(), region, others, inside));
  }
  network.resolve = ({ host }) => {
    if (!host.startsWith('proxy.')) return host;
    const operator = cluster.operators.find(({ region }) => host === `proxy.${region.name}`);
    return operator?.primary ?? null;
  };
  return cluster;
}

function configOf(region: SimRegion, member: string, flags: readonly string[]): Config {
  const number = String(region.number);
  const identity = ['--region', region.name, '--region-number', number, '--member', member];
  const result = readConfig([...identity, '--database', 'sim', ...flags], {});
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.config;
}

function drawClients(cluster: Cluster, random: Prng, flushes: boolean): SimClient[] {
  const { world, history } = cluster;
  return cluster.operators.flatMap((operator) =>
    Array.from({ length: random.between(1, 3) }, (_, n) => {
      const name = `${operator.region.name}:${n}`;
      const thinkMs = random.pick([20, 60, 200]);
      const primary = (): SimProcess | null => {
        // Now and then a client has an old map.
        if (random.chance(0.1)) return random.pick(operator.processes);
        return operator.primaryProcess();
      };
      return new SimClient({
        world,
        history,
        random: random.fork(),
        name,
        primary,
        flushes,
        thinkMs,
      });
    }),
  );
}

/** Looks at every member again and again. */
function sample(cluster: Cluster): void {
  for (const process of cluster.processes) {
    const { member, name } = process;
    if (member === null || cluster.problem !== null) continue;
    const problem = checkAlways(member.db) ?? checkBounds(process, cluster.processes);
    if (problem === null) continue;
    cluster.problem = `${name}: ${problem}`;
    cluster.world.note(name, problem);
  }
  cluster.world.after(SAMPLE_MS, () => sample(cluster));
}

function runWhileSound(cluster: Cluster, untilMs: number): void {
  while (cluster.world.nowMs < untilMs && cluster.problem === null) {
    cluster.world.runUntil(Math.min(untilMs, cluster.world.nowMs + 100));
  }
}

/** Lets time pass until all members have the same ops and nothing moves any more. */
function settle(cluster: Cluster, untilMs: number): void {
  const { world } = cluster;
  let quietSince = -1;
  let before = '';
  while (cluster.problem === null) {
    if (world.nowMs >= untilMs) {
      cluster.problem = `does not settle: ${describeVectors(cluster)}`;
      return;
    }
    runWhileSound(cluster, world.nowMs + 250);
    const dbs = upMembers(cluster);
    const all = dbs.length === cluster.processes.length;
    const same = all && dbs.every((db) => hasSameVector(db, dbs[0]));
    const now = same ? String(countOps(dbs[0].vector)) : '';
    if (!same || now !== before) quietSince = world.nowMs;
    before = now;
    // Expiries are shipped by who decided them, at the latest 10 s later.
    if (same && world.nowMs - quietSince >= 12_000) return;
  }
}

function checkMembers(cluster: Cluster, isPartial: boolean): string | null {
  const dbs = upMembers(cluster);
  for (const [i, db] of dbs.entries()) {
    const { name } = cluster.processes[i];
    if (db.states.exceptionCount > 0)
      return `${name} still has ${db.states.exceptionCount} exceptions`;
    const waiting = checkIdle(cluster.processes[i]);
    if (waiting !== null) return `${name} ${waiting}`;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (db.states.slotDigest(slot) === dbs[0].states.slotDigest(slot)) continue;
      const keys = JSON.stringify(new Set([...db.slotKeys(slot, 9), ...dbs[0].slotKeys(slot, 9)]));
      for (const key of new Set([...db.slotKeys(slot, 9), ...dbs[0].slotKeys(slot, 9)])) {
        const [a, b] = [dbs[0], db].map((one) => JSON.stringify(one.explain(key)));
        if (a !== b) {
          return `${key} differs:\n  ${cluster.processes[0].name} ${a}\n  ${name} ${b}`;
        }
      }
      return `slot ${slot} differs between ${cluster.processes[0].name} and ${name}: ${keys}`;
    }
    if (isPartial) continue;
    const problem = checkAlways(db) ?? checkAtEnd(cluster.history, db);
    if (problem !== null) return `${name}: ${problem}`;
  }
  return null;
}

/** Has one of the primaries compare itself with the other regions: it must see what we see. */
function checkVerify(cluster: Cluster, seed: number): string | null {
  const { world } = cluster;
  const primaries = cluster.processes.filter(({ member }) => member?.role() === 'primary');
  const { name, member } = primaries[seed % primaries.length];
  let found = 'no report came';
  const begun = member!.verify(null, (report) => {
    found = report.verdict === 'converged' ? '' : JSON.stringify(report);
  });
  if (typeof begun === 'string') return `${name} does not verify: ${begun}`;
  const untilMs = world.nowMs + VERIFY_MS_MAX;
  while (found !== '' && world.nowMs < untilMs) runWhileSound(cluster, world.nowMs + 250);
  return cluster.problem ?? (found === '' ? null : `${name} does not see convergence: ${found}`);
}

function upMembers(cluster: Cluster): Db[] {
  return cluster.processes.flatMap(({ member }) => (member === null ? [] : [member.db]));
}

/** Compares vectors of two members, whose rosters differ. */
function hasSameVector(a: Db, b: Db): boolean {
  if (a === b) return true;
  const translated: number[] = [];
  for (let actor = 0; actor < a.vector.length; actor++) {
    if (a.vector[actor] === 0) continue;
    const there = b.roster.byId.get(a.roster.ids[actor]);
    if (there === undefined) return false;
    while (translated.length <= there) translated.push(0);
    translated[there] = a.vector[actor];
  }
  return sameVector(translated, b.vector);
}

function describeVectors(cluster: Cluster): string {
  return cluster.processes
    .map(({ name, member }) => {
      if (member === null) return `\n  ${name}: down`;
      const links = member.peers.dialled.map(
        ({ target, puller, lastError }) =>
          `${target.key} ${puller?.state ?? '-'} ${puller?.mode ?? ''} ${puller?.heldFrames ?? 0} ${lastError}`,
      );
      const vector = JSON.stringify(vectorObject(member.db.vector, member.db.roster));
      return `\n  ${name} ${member.role()}: ${vector}\n    ${links.join('\n    ')}`;
    })
    .join('');
}

function fingerprintOf(cluster: Cluster, summary: string): string {
  const hash = createHash('sha256').update(summary);
  for (const db of upMembers(cluster)) {
    hash.update(JSON.stringify(vectorObject(db.vector, db.roster)));
  }
  return hash.digest('hex').slice(0, 16);
}
