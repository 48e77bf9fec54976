/**
 * Shell: makes the image of one program from a checkout in which `npm ci` has run.
 *
 * The program is bundled into one file by Bun's bundler, which turns TypeScript, our modules and
 * the libraries into plain JavaScript. The bundle and the runtime's binary, taken from
 * node_modules, are staged in dist/images/<program>, and that folder is the whole build context.
 * The only thing fetched is the base image, and only if it is not on the machine.
 *
 * Images are tagged with their full name. Podman would otherwise make `localhost/meridian-engine`,
 * while a kubelet reads `meridian-engine` as the full name used here; with it the same pod spec
 * works for images from either tool.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, copyFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ContainerTool } from './container-tool.ts';

const ROOT = join(import.meta.dirname, '..');
const STAGE = join(ROOT, 'dist', 'images');
const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');
const NODE = join(ROOT, 'node_modules', 'node', 'bin', 'node');

const REGISTRY_PREFIX = 'docker.io/library/';

/** How long one tool call may take; the longest copies a runtime into a layer. */
const BUILD_LIMIT_MS = 300_000;

export type Program = {
  readonly name: 'engine' | 'operator';
  readonly runtime: string;
  readonly runtimeName: string;
  readonly target: 'bun' | 'node';
  readonly bundle: string;
  /** What the program reads at run time, beside the bundle. */
  readonly files: readonly string[];
};

/** The virtual machine of scripts: engine/script/lua-module.ts looks for it beside the bundle. */
const LUA = join(ROOT, 'node_modules', 'wasmoon-lua5.1', 'dist', 'liblua5.1.wasm');

export const PROGRAMS: readonly Program[] = [
  {
    name: 'engine',
    runtime: BUN,
    runtimeName: 'bun',
    target: 'bun',
    bundle: 'engine.js',
    files: [LUA],
  },
  {
    name: 'operator',
    runtime: NODE,
    runtimeName: 'node',
    target: 'node',
    bundle: 'operator.mjs',
    files: [],
  },
];

export type Image = {
  /** Full name with the tag that was asked for. */
  readonly name: string;
  /** Name as a pod spec has it. */
  readonly repository: string;
  /** A tag made of the content, for archives: another content, another tag. */
  readonly contentTag: string;
  readonly bytes: number;
  readonly bundleBytes: number;
};

/**
 * Builds the program's image and tags it.
 *
 * @throws Error of the bundler or the container tool; their own words are on stderr
 */
export function buildImage(tool: ContainerTool, program: Program, tag: string): Image {
  const context = stage(program);
  const repository = `meridian-${program.name}`;
  const contentTag = `content-${contentDigest(program, context)}`;
  const name = `${REGISTRY_PREFIX}${repository}:${tag}`;
  const args = ['build', '--quiet', '--network=none', '-f', dockerfile(program)];
  // Docker's format keeps STOPSIGNAL and is what both tools read.
  if (tool === 'podman') args.push('--format=docker');
  run(tool, [...args, '-t', name, context]);
  const size = run(tool, ['image', 'inspect', name, '--format', '{{.Size}}']);
  const bundleBytes = statSync(join(context, program.bundle)).size;
  return { name, repository, contentTag, bytes: Number(size), bundleBytes };
}

/** Writes the image under its content's tag into an archive that `kind load` reads. */
export function saveImage(tool: ContainerTool, image: Image): string {
  const archive = join(STAGE, `${image.repository}.tar`);
  const name = `${REGISTRY_PREFIX}${image.repository}:${image.contentTag}`;
  rmSync(archive, { force: true });
  run(tool, ['tag', image.name, name]);
  run(tool, ['save', ...(tool === 'podman' ? ['--quiet'] : []), '-o', archive, name]);
  // The tag has done its work; left behind, such tags would hold every build ever tested.
  run(tool, ['rmi', name]);
  return archive;
}

/** Bundles the program and lays out its build context. Returns the context's folder. */
function stage(program: Program): string {
  const context = join(STAGE, program.name);
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  const entry = join(ROOT, program.name, 'main.ts');
  const outfile = join(context, program.bundle);
  // Identifiers stay as they are, so that stack traces in production name our functions.
  const shape = ['--minify-whitespace', '--minify-syntax', `--target=${program.target}`];
  run(BUN, ['build', entry, ...shape, '--outfile', outfile]);
  for (const file of program.files) copyFileSync(file, join(context, basename(file)));
  const runtime = join(context, program.runtimeName);
  copyFileSync(program.runtime, runtime, constants.COPYFILE_FICLONE);
  return context;
}

function contentDigest(program: Program, context: string): string {
  const hash = createHash('sha256');
  const files = program.files.map((file) => basename(file));
  for (const file of [program.bundle, program.runtimeName, ...files]) {
    hash.update(readFileSync(join(context, file)));
  }
  hash.update(readFileSync(dockerfile(program)));
  return hash.digest('hex').slice(0, 12);
}

function dockerfile(program: Program): string {
  return join(ROOT, 'images', `${program.name}.Dockerfile`);
}

function run(file: string, args: readonly string[]): string {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  return execFileSync(file, args, { cwd: ROOT, stdio, encoding: 'utf8', timeout: BUILD_LIMIT_MS });
}
