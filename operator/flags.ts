/** The command line of the operator. */
import { Command, InvalidArgumentError } from 'commander';

export type Flags = {
  readonly region: string;
  readonly engineImage: string;
  readonly watchNamespace: string | null;
  readonly healthPort: number;
  readonly bind: string;
  readonly logLevel: string;
  readonly leaderElection: boolean;
};

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/** Flags from the arguments after the script; commander ends the process with 2 on a wrong one. */
export function parseFlags(args: readonly string[]): Flags {
  const program = new Command('meridian-operator')
    .description('Runs ActiveActiveDatabase resources of one cluster.')
    .requiredOption('--region <name>', 'name of the region that this cluster is')
    .option('--engine-image <image>', 'image of members and proxies', 'meridian-engine:dev')
    .option('--watch-namespace <namespace>', 'look after one namespace only')
    .option('--health-port <port>', 'port for health and metrics, 0 for none', port, 8081)
    .option('--bind <address>', 'address of that port', '0.0.0.0')
    .option('--log-level <level>', LOG_LEVELS.join(', '), level, 'info')
    .option('--no-leader-election', 'be the leader without asking; for a single replica')
    .exitOverride((error) => {
      // A missing or unknown flag is a mistake of the caller: 2, as for every Unix tool.
      process.exit(error.exitCode === 0 ? 0 : 2);
    });
  program.parse([...args], { from: 'user' });
  const options = program.opts();
  return {
    region: options.region,
    engineImage: options.engineImage,
    watchNamespace: options.watchNamespace ?? null,
    healthPort: options.healthPort,
    bind: options.bind,
    logLevel: options.logLevel,
    leaderElection: options.leaderElection,
  };
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65535) return value;
  throw new InvalidArgumentError('must be a port from 0 to 65535');
}

function level(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new InvalidArgumentError(`must be one of ${LOG_LEVELS.join(', ')}`);
}
