/**
 * Shell: the operator process. Reads flags, connects to the API server of its own cluster, and
 * looks after every ActiveActiveDatabase in it until it is told to end.
 */
import { hostname } from 'node:os';
import pino from 'pino';
import { Controller } from './controller.ts';
import { parseFlags } from './flags.ts';
import { startHealth } from './health.ts';
import { connect } from './kube/client.ts';
import { eventRecorder } from './kube/event.ts';
import { startElection } from './kube/lease.ts';
import { createMetrics } from './metrics.ts';

const LEASE_NAME = 'meridian-operator';
const END_DEADLINE_MS = 5_000;

function main(): void {
  const flags = parseFlags(process.argv.slice(2));
  const log = pino({ level: flags.logLevel, base: { region: flags.region } }, pino.destination(2));
  const identity = `${process.env.POD_NAME ?? hostname()}_${process.pid}`;
  const client = connect();
  const metrics = createMetrics();
  const ending = new AbortController();
  const namespace = process.env.POD_NAMESPACE ?? client.namespace;

  const election = flags.leaderElection
    ? startElection({
        client,
        namespace,
        name: LEASE_NAME,
        identity,
        log,
        onChange: (leader) => {
          metrics.leader.set(leader ? 1 : 0);
          if (leader) controller.wakeAll();
        },
      })
    : null;
  const isLeader = (): boolean => election?.isLeader() ?? true;
  if (election === null) metrics.leader.set(1);

  const controller = new Controller({
    client,
    region: flags.region,
    engineImage: flags.engineImage,
    watchNamespace: flags.watchNamespace,
    isLeader,
    log,
    event: eventRecorder(client, identity, log),
    metrics,
    signal: ending.signal,
  });
  const health =
    flags.healthPort === 0
      ? null
      : startHealth({
          port: flags.healthPort,
          bind: flags.bind,
          metrics,
          isReady: () => controller.synced,
          onError: (error) => {
            log.fatal({ error: error.message }, 'health port cannot be served');
            process.exit(1);
          },
        });
  log.info({ identity, engineImage: flags.engineImage }, 'operator started');

  const end = async (signal: string): Promise<void> => {
    if (ending.signal.aborted) return;
    log.info({ signal }, 'operator ends');
    ending.abort();
    controller.stop();
    health?.close();
    setTimeout(() => process.exit(0), END_DEADLINE_MS).unref();
    await election?.release();
    process.exit(0);
  };
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
}

main();
