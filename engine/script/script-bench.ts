/**
 * Shell: what EVALSHA of a cached script with one redis.call costs beside the plain command, in CPU of
 * this process, without sockets: `bun engine/script/script-bench.ts`, or with node.
 */
import { ClientSession } from '../command/session.ts';
import { makeFixture } from '../command/session-fixture.ts';
import { encodeRequest } from '../resp/request-writer.ts';

const PIPELINED = 16;
const ROUNDS = 4000;
const RUNS = 7;

const { server } = makeFixture();
const session = new ClientSession(server, 1, '127.0.0.1:1');

function send(...words: string[]): string {
  session.receive(encodeRequest(words));
  const reply = Buffer.from(session.output.take()).latin1Slice();
  session.output.reset();
  server.db.takeFrame();
  return reply;
}

/** Microseconds of CPU per command, the best of some runs: others may use the machine. */
function cost(words: (key: string) => string[]): number {
  const batches = Array.from({ length: 64 }, (_, batch) =>
    Buffer.concat(
      Array.from({ length: PIPELINED }, (_, i) => encodeRequest(words(`key:${batch}:${i}`))),
    ),
  );
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    for (let round = 0; round < ROUNDS; round++) {
      session.receive(batches[round % batches.length]);
      session.output.reset();
      server.db.takeFrame();
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / (ROUNDS * PIPELINED));
  }
  return best;
}

const cases: [name: string, source: string, plain: (key: string) => string[]][] = [
  ['GET', 'return redis.call("get",KEYS[1])', (key) => ['GET', key]],
  ['SET', 'return redis.call("set",KEYS[1],ARGV[1])', (key) => ['SET', key, 'xxx']],
  [
    'HSET',
    'return redis.call("hset",KEYS[1],"f",ARGV[1])',
    (key) => ['HSET', `h${key}`, 'f', 'xxx'],
  ],
];
for (const [name, source, plain] of cases) {
  const sha = send('SCRIPT', 'LOAD', source).split('\r\n')[1];
  const one = cost(plain);
  const script = cost((key) => ['EVALSHA', sha, '1', plain(key)[1], 'xxx']);
  const ratio = (script / one).toFixed(1);
  process.stdout.write(
    `${name}: plain ${one.toFixed(2)} µs, EVALSHA ${script.toFixed(2)} µs, ${ratio} ×\n`,
  );
}
