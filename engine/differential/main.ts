/**
 * Shell: `make differential COMMANDS=1000000 SEED=1`: random commands against the redis-server on PATH.
 * Prints what differed as cases and ends with 1 if anything did.
 */
import { parseArgs } from 'node:util';
import { RedisProcess, redisVersion } from '../command/redis-process.ts';
import { asCase, drawable, type Finding, playSegment, SEGMENT } from './run.ts';

const FINDINGS_MAX = 20;
const PROGRESS = 50_000;

const { values } = parseArgs({
  options: {
    commands: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    port: { type: 'string', default: '22040' },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const version = redisVersion();
if (!version?.startsWith('7.0.')) {
  process.stderr.write(`redis-server 7.0 is needed on PATH to compare with; found ${version}\n`);
  process.exit(2);
}
const total = Number(values.commands);
const first = Number(values.seed ?? Date.now() % 1_000_000_000);
const redis = await RedisProcess.start(Number(values.port));
try {
  process.exitCode = (await compare()) === 0 ? 0 : 1;
} finally {
  await redis.stop();
}

async function compare(): Promise<number> {
  const connection = await redis.connect();
  const commands = await drawable(connection);
  say(`${commands.length} commands, ${total} draws from seed ${first}, Redis ${version}`);
  const findings = new Map<string, Finding>();
  const started = performance.now();
  for (let done = 0, seed = first; done < total && findings.size < FINDINGS_MAX; seed++) {
    const finding = await playSegment(connection, commands, seed);
    done += SEGMENT;
    const key = `${finding?.words[0]} ${finding?.theirs.slice(0, 20)} ${finding?.ours.slice(0, 20)}`;
    if (finding !== null && !findings.has(key)) {
      findings.set(key, finding);
      say(asCase(finding));
    }
    if (done % PROGRESS === 0) {
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      say(`${done} commands in ${seconds} s, ${findings.size} differences`);
    }
  }
  connection.close();
  say(`${findings.size} differences`);
  return findings.size;
}
