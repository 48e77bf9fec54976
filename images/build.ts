/**
 * Shell: builds the images.
 *
 *     node images/build.ts [--tool docker|podman] [--tag dev] [engine] [operator]
 *
 * Without a program's name it builds both. Says each image's name and size.
 */
import { parseArgs } from 'node:util';
import { findContainerTool } from './container-tool.ts';
import { buildImage, PROGRAMS } from './image.ts';

const { values, positionals } = parseArgs({
  options: { tool: { type: 'string' }, tag: { type: 'string', default: 'dev' } },
  allowPositionals: true,
});
const known = PROGRAMS.map((program) => program.name);
const unknown = positionals.filter((name) => !known.some((program) => program === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown program ${unknown.join(', ')}; known: ${known.join(', ')}\n`);
  process.exit(2);
}
const tool = findContainerTool(values.tool);
for (const program of PROGRAMS) {
  if (positionals.length > 0 && !positionals.includes(program.name)) continue;
  const image = buildImage(tool, program, values.tag);
  process.stdout.write(
    `${image.name}: ${megabytes(image.bytes)}, of it the bundle ${megabytes(image.bundleBytes)}\n`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
