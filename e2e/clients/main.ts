/**
 * Shell: `make clients`: client libraries of other languages, each fetched from its own registry, run what
 * an application does on its first day: on an engine alone, on a proxy of two shards, and in cluster mode
 * begun at the proxy. A language that is not on the machine is skipped, and said to be.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEngine, stopAll } from '../../engine/acceptance/processes.ts';
import { startShardedRegion } from '../../engine/acceptance/sharded-region.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const FETCH_MS_MAX = 15 * 60_000;
const FLOW_MS_MAX = 2 * 60_000;

type Step = readonly [program: string, ...args: string[]];

type Library = {
  readonly name: string;
  /** Programs that must be on the machine. */
  readonly needs: readonly string[];
  /** Fetches the library and builds the flow; `directory` is kept between runs. */
  readonly prepare: (directory: string) => readonly Step[];
  /** The flow; mode, host and port are appended. */
  readonly flow: (directory: string) => Step;
  /** The address is one argument, host:port. */
  readonly joinsAddress?: true;
};

const libraries: readonly Library[] = [
  {
    name: 'redis-py',
    needs: ['python3'],
    prepare: (directory) => [
      ['python3', '-m', 'venv', directory],
      [join(directory, 'bin/pip'), 'install', '--quiet', 'redis==8.1.0'],
    ],
    flow: (directory) => [join(directory, 'bin/python'), join(here, 'flow.py')],
  },
  {
    name: 'go-redis',
    needs: ['go'],
    prepare: (directory) => [
      ['go', '-C', join(here, 'go'), 'build', '-o', join(directory, 'flow'), '.'],
    ],
    flow: (directory) => [join(directory, 'flow')],
    joinsAddress: true,
  },
  {
    name: 'Jedis',
    needs: ['mvn', 'javac', 'java'],
    prepare: (directory) => [
      [
        ...(['mvn', '-q', '-B', '-f', join(here, 'jedis/pom.xml')] as const),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${join(directory, 'jars')}`,
      ],
      [
        ...(['javac', '-encoding', 'UTF-8', '-cp', join(directory, 'jars/*')] as const),
        ...['-d', join(directory, 'classes'), join(here, 'jedis/Flow.java')],
      ],
    ],
    flow: (directory) => [
      'java',
      '-cp',
      `${join(directory, 'classes')}:${join(directory, 'jars/*')}`,
      'Flow',
    ],
  },
  {
    name: 'redis-rs',
    needs: ['cargo'],
    prepare: (directory) => [
      [
        ...(['cargo', 'build', '--quiet', '--target-dir', directory] as const),
        ...['--manifest-path', join(here, 'rust/Cargo.toml')],
      ],
    ],
    flow: (directory) => [join(directory, 'debug/meridian-clients')],
  },
];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
let passed = 0;
let failed = 0;
let skipped = 0;

try {
  const only = process.argv[2];
  const [engine, region] = await Promise.all([startEngine(), startShardedRegion()]);
  const targets = [
    ['single', engine.port, 'an engine alone'],
    ['single', region.proxy.port, 'a proxy of two shards'],
    ['cluster', region.proxy.port, 'cluster mode'],
  ] as const;
  for (const library of libraries) {
    if (only !== undefined && library.name !== only) continue;
    await tryLibrary(library, targets);
  }
} finally {
  await stopAll();
}
say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

async function tryLibrary(
  library: Library,
  targets: readonly (readonly [mode: string, port: number, title: string])[],
): Promise<void> {
  const missing = library.needs.filter((program) => !isOnPath(program));
  if (missing.length > 0) {
    skipped++;
    say(`${library.name}: skipped, ${missing.join(' and ')} is not on this machine`);
    return;
  }
  const directory = join(here, '../../.artifacts/clients', library.name);
  mkdirSync(directory, { recursive: true });
  try {
    for (const [program, ...args] of library.prepare(directory)) {
      await run(program, args, { timeout: FETCH_MS_MAX });
    }
  } catch (error) {
    failed++;
    say(`${library.name}: could not be fetched or built: ${reasonOf(error)}`);
    return;
  }
  for (const [mode, port, title] of targets) {
    const [program, ...args] = library.flow(directory);
    const address = library.joinsAddress ? [`127.0.0.1:${port}`] : ['127.0.0.1', String(port)];
    try {
      const { stdout } = await run(program, [...args, mode, ...address], { timeout: FLOW_MS_MAX });
      passed++;
      say(`${stdout.trim()} on ${title}`);
    } catch (error) {
      failed++;
      say(`${library.name} on ${title} FAILED: ${reasonOf(error)}`);
    }
  }
}

/** What a program said last before it ended. */
function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n').slice(-12).join('\n    ');
}

function isOnPath(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(':');
  return folders.some((folder) => existsSync(join(folder, program)));
}
