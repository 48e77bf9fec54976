/**
 * Shell: builds the two images from a checkout in which `npm ci` has run.
 *
 *     node images/build.ts [--tool docker|podman] [--tag dev] [engine] [operator]
 *
 * Each program is bundled into one file by Bun's bundler, which turns TypeScript, our modules and
 * the libraries into plain JavaScript. The bundle and the runtime's binary, taken from
 * node_modules, are staged in dist/images/<program>, and that folder is the whole build context.
 * The only thing fetched is the base image, and only if it is not on the machine.
 *
 * Images are tagged with their full name. Podman would otherwise make `localhost/meridian-engine`,
 * while a kubelet reads `meridian-engine` as the full name used here; with it the same pod spec
 * works for images from either tool.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ContainerTool, findContainerTool } from './container-tool.ts';

const ROOT = join(import.meta.dirname, '..');
const STAGE = join(ROOT, 'dist', 'images');
const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');
const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');

type Program = {
  readonly name: 'engine' | 'operator';
  readonly runtime: string;
  readonly runtimeName: string;
  readonly target: 'bun' | 'node';
  readonly bundle: string;
};

const PROGRAMS: readonly Program[] = [
  { name: 'engine', runtime: BUN, runtimeName: 'bun', target: 'bun', bundle: 'engine.js' },
  { name: 'operator', runtime: NODE, runtimeName: 'node', target: 'node', bundle: 'operator.mjs' },
];

main();

function main(): void {
  const { values, positionals } = parseArgs({
    options: { tool: { type: 'string' }, tag: { type: 'string', default: 'dev' } },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !PROGRAMS.some((program) => program.name === name));
  if (unknown !== undefined) {
    const known = PROGRAMS.map((program) => program.name).join(', ');
    throw new Error(`unknown program "${unknown}"; known: ${known}`);
  }
  const tool = findContainerTool(values.tool);
  for (const program of PROGRAMS) {
    if (positionals.length > 0 && !positionals.includes(program.name)) continue;
    const context = stage(program);
    const image = `docker.io/library/meridian-${program.name}:${values.tag}`;
    buildImage(tool, program, context, image);
    report(tool, program, context, image);
  }
}

/** Bundles the program and lays out its build context. Returns the context's folder. */
function stage(program: Program): string {
  const context = join(STAGE, program.name);
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  const entry = join(ROOT, program.name, 'main.ts');
  const outfile = join(context, program.bundle);
  // Identifiers stay as they are, so that stack traces in production name our functions.
  execFileSync(
    BUN,
    [
      'build',
      entry,
      `--target=${program.target}`,
      '--minify-whitespace',
      '--minify-syntax',
      '--outfile',
      outfile,
    ],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  copyFileSync(program.runtime, join(context, program.runtimeName));
  return context;
}

function buildImage(tool: ContainerTool, program: Program, context: string, image: string): void {
  const dockerfile = join(ROOT, 'images', `${program.name}.Dockerfile`);
  const args = ['build', '--quiet', '--network=none', '-f', dockerfile, '-t', image, context];
  // Docker's format keeps STOPSIGNAL and is what both runtimes read.
  if (tool === 'podman') args.splice(1, 0, '--format=docker');
  execFileSync(tool, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function report(tool: ContainerTool, program: Program, context: string, image: string): void {
  const bytes = execFileSync(tool, ['image', 'inspect', image, '--format', '{{.Size}}'], {
    encoding: 'utf8',
  });
  const bundleBytes = statSync(join(context, program.bundle)).size;
  const megabytes = (n: number) => `${(n / 1e6).toFixed(1)} MB`;
  process.stdout.write(
    `${image}: ${megabytes(Number(bytes))}, of it the bundle ${megabytes(bundleBytes)}\n`,
  );
}
