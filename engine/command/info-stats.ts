/** INFO commandstats, errorstats and latencystats. */
import type { InfoSection, ServerContext } from './context.ts';

const PERCENTS = [50, 99, 99.9];

export function statsSections({ commands, observer }: ServerContext): InfoSection[] {
  const used = commands
    .entries()
    .filter(({ stats }) => stats.calls + stats.rejected + stats.failed > 0);
  const errors = [...observer.errors].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    {
      title: 'Commandstats',
      lines: used.map(({ name, stats }) => {
        const { calls, microseconds, rejected, failed } = stats;
        const mean = (calls === 0 ? 0 : microseconds / calls).toFixed(2);
        const times = `calls=${calls},usec=${Math.round(microseconds)},usec_per_call=${mean}`;
        return [`cmdstat_${name}`, `${times},rejected_calls=${rejected},failed_calls=${failed}`];
      }),
    },
    {
      title: 'Errorstats',
      lines: errors.map(([code, count]) => [`errorstat_${code}`, `count=${count}`]),
    },
    {
      title: 'Latencystats',
      lines: used
        .filter(({ stats }) => stats.percentile(50) > 0)
        .map(({ name, stats }) => {
          const parts = PERCENTS.map((percent) => {
            return `p${percent}=${stats.percentile(percent).toFixed(3)}`;
          });
          return [`latency_percentiles_usec_${name}`, parts.join(',')];
        }),
    },
  ];
}
