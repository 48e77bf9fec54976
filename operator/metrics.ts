/** Metrics of the operator, in one registry that the health server shows. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registers = [new Registry()];
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    runs: new Counter({
      name: 'meridian_operator_runs_total',
      help: 'Runs of a lane (routing or objects) by result.',
      labelNames: ['lane', 'result'],
      registers,
    }),
    runSeconds: new Histogram({
      name: 'meridian_operator_run_seconds',
      help: 'Duration of a run of a lane.',
      labelNames: ['lane'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    elections: new Counter({
      name: 'meridian_operator_elections_total',
      help: 'Changes of a primary that this replica recorded, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    failoverSeconds: new Histogram({
      name: 'meridian_operator_failover_seconds',
      help: 'From the first failed probe until the proxies route to the new primary.',
      buckets: [0.1, 0.2, 0.35, 0.5, 0.75, 1, 2, 3, 5, 10],
      registers,
    }),
    leader: new Gauge({
      name: 'meridian_operator_leader',
      help: '1 while this replica is the leader.',
      registers,
    }),
    databases: new Gauge({
      name: 'meridian_operator_databases',
      help: 'Databases in the namespaces that are watched.',
      registers,
    }),
  };
}
