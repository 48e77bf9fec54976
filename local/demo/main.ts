/**
 * Shell: `make demo`. Three regions of three zones on this machine: real operators, real engines.
 *
 *   node local/demo/main.ts [--dir DIR] [--plain]
 *
 * On a terminal it shows a live view and takes keys; elsewhere it prints plain lines. It stays until
 * Ctrl-C, SIGTERM or SIGHUP, then ends every process and removes what it wrote. --dir keeps logs and
 * data in DIR.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Regions, startRegions } from '../regions.ts';
import { root } from '../start-local.ts';
import { startControl } from './control.ts';
import { startKeys } from './keys.ts';
import { type LiveLinks, startLiveLinks } from './live-links.ts';
import { takenPorts } from './ports.ts';
import { readyLine, regions } from './setup.ts';
import { takeSnapshot } from './snapshot.ts';
import { fitRows, renderView } from './view.ts';

const readyLimitMs = 120_000;
const viewIntervalMs = 250;

async function main(): Promise<void> {
  const { dir, plain } = parseFlags();
  const taken = await takenPorts();
  if (taken.length > 0) fail(taken.join('\n'));
  const stateDir = dir ?? join(tmpdir(), `meridian-demo-${userInfo().uid}`);
  if (dir === undefined) rmSync(stateDir, { recursive: true, force: true });
  mkdirSync(stateDir, { recursive: true });

  const yaml = readFileSync(join(root, 'examples/carts.yaml'), 'utf8');
  const startedAtMs = Date.now();
  say(`starting three regions of three zones; logs and data in ${stateDir}`);
  const stop = { asked: false, now: () => {} };
  const stopped = new Promise<void>((done) => {
    stop.now = () => {
      stop.asked = true;
      done();
    };
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop.now);
  let code = 0;
  let world: Regions | null = null;
  try {
    world = await startRegions({ regions, yaml, stateDir });
    await Promise.race([run(world, startedAtMs, plain, stop.now, stopped), stopped]);
  } catch (error) {
    code = stop.asked ? 0 : 1;
    if (code === 1) say(`${(error as Error).message}\nlogs are in ${stateDir}/*/logs`);
  }
  await world?.stop();
  if (dir === undefined && code === 0) rmSync(stateDir, { recursive: true, force: true });
  process.exit(code);
}

async function run(
  world: Regions,
  startedAtMs: number,
  plain: boolean,
  quit: () => void,
  stopped: Promise<void>,
): Promise<void> {
  let notice = '';
  const live = !plain && process.stdout.isTTY && process.stdin.isTTY;
  const links = startLiveLinks(world);
  const control = await startControl(world, links, (what) => {
    notice = what;
    if (!live) say(what);
  });
  const progress = setInterval(() => showProgress(world), 200);
  try {
    await world.ready(readyLimitMs);
  } finally {
    clearInterval(progress);
  }
  say(`up after ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
  say(readyLine);
  if (live) await showView(world, links, () => notice, quit, stopped);
  else await stopped;
  links.stop();
  control.close();
}

const shown = new Map<string, string>();

/** One line whenever what a region is waiting for has changed. */
function showProgress(world: Regions): void {
  for (const name of world.clientPorts.keys()) {
    const line = `${name}: ${world.missing(name) || 'ready'}`;
    if (shown.get(name) !== line) say(line);
    shown.set(name, line);
  }
}

async function showView(
  world: Regions,
  links: LiveLinks,
  controlNotice: () => string,
  quit: () => void,
  stopped: Promise<void>,
): Promise<void> {
  let keyNotice = '';
  const keys = startKeys(
    world,
    (what) => {
      keyNotice = what;
    },
    quit,
  );
  // The other screen of the terminal: what was printed before comes back at the end.
  process.stdout.write('\u001b[?1049h\u001b[?25l');
  const draw = () => {
    const notice = keyNotice || controlNotice();
    const view = renderView(takeSnapshot(world, links), keys.selected, notice);
    const lines = fitRows(view, process.stdout.rows ?? view.length);
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  };
  draw();
  const timer = setInterval(draw, viewIntervalMs);
  await stopped;
  clearInterval(timer);
  keys.stop();
  process.stdout.write('\u001b[?25h\u001b[?1049l');
}

function parseFlags(): { dir: string | undefined; plain: boolean } {
  try {
    const options = { dir: { type: 'string' }, plain: { type: 'boolean' } } as const;
    const { dir, plain = false } = parseArgs({ options }).values;
    return { dir: dir === undefined ? undefined : resolve(dir), plain };
  } catch {
    return fail('usage: node local/demo/main.ts [--dir DIR] [--plain]');
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

await main();
