/**
 * Shell: the engine's entry. Reads the flags, starts the role, says that it is ready, and ends in
 * order on SIGTERM and SIGINT.
 *
 *     bun engine/main.ts --region eu --region-number 1 --port 7001 --peer-port 7101 --dir DIR
 *
 * Exit codes: 0 ended in order; 1 failed (the last log line says how); 2 wrong flags.
 */

import { pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { type Config, readConfig } from './config.ts';
import { flagsHelp } from './flags.ts';
import { startMember } from './member/server.ts';
import { startProxy } from './proxy/main-proxy.ts';

type Running = {
  /** Bound for clients; 0: no such port. */
  readonly port: number;
  readonly tlsPort: number;
  readonly peerPort: number;
  close(): Promise<void>;
};

const STOP_MS_MAX = 25_000;

if (process.argv.includes('--help')) {
  process.stdout.write(`${flagsHelp()}\n`);
  process.exit(0);
}
const result = readConfig(process.argv.slice(2), process.env);
if ('errors' in result) {
  for (const error of result.errors) process.stderr.write(`${error}\n`);
  process.exit(2);
}
const { config } = result;
const journal = pino(
  { level: config.logLevel, base: { region: config.region, member: config.member } },
  pino.destination({ dest: 2, sync: true }),
);

if (config.insecurePeers) {
  journal.warn({ bind: config.bind }, 'insecure peers: peer links are plain TCP, not encrypted');
}

let running: Running | null = null;
let stopping = false;

function fail(reason: string): never {
  journal.fatal({}, reason);
  process.exit(1);
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  const limit = setTimeout(() => fail('could not stop in time'), STOP_MS_MAX);
  const closed = running === null ? Promise.resolve() : running.close();
  closed.then(
    () => {
      clearTimeout(limit);
      journal.info({}, 'stopped in order');
      process.exit(0);
    },
    (error: Error) => fail(`could not stop in order: ${error.message}`),
  );
}

function start(config: Config): Promise<Running> {
  const version = packageJson.version;
  if (config.role === 'proxy') return startProxy({ ...config, version, journal, shutdown: stop });
  return startMember(config, { version, journal, fatal: fail, shutdown: stop });
}

// A member that is wrong must not go on: what it replicates would be wrong everywhere.
process.on('uncaughtException', (error) => fail(`unexpected: ${error.stack ?? error.message}`));
process.on('unhandledRejection', (error) => fail(`unexpected: ${String(error)}`));
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// It reads certificates again where there are some (net/tls-files.ts), and never ends the process.
process.on('SIGHUP', () => {});

try {
  running = await start(config);
  const { port, tlsPort, peerPort } = running;
  const ports = { client: port, tls: tlsPort, peer: peerPort };
  const bound = Object.entries(ports).filter(([, number]) => number !== 0);
  const words = bound.map(([name, number]) => `${name} ${config.bind}:${number}`);
  process.stdout.write(`ready: ${words.join(' ')}\n`);
} catch (error) {
  fail((error as Error).message);
}
