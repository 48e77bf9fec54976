/**
 * Shell: finds out what this machine runs clusters with.
 *
 *     E2E_TOOL        docker or podman; absent: the first whose engine answers
 *     E2E_NODE_IMAGE  the image of kind's nodes; absent: a kindest-node built on this machine,
 *                     else the one that this release of kind comes with
 */
import { findContainerTool } from '../images/container-tool.ts';
import type { Machine } from './cluster.ts';
import { run } from './command.ts';

export async function findMachine(): Promise<Machine> {
  for (const program of ['kind', 'kubectl', 'helm']) {
    await run(program, ['version', ...(program === 'kubectl' ? ['--client'] : [])]).catch(() => {
      throw new Error(`the end-to-end suite needs ${program} on PATH`);
    });
  }
  const tool = findContainerTool(process.env.E2E_TOOL);
  return { tool, nodeImage: process.env.E2E_NODE_IMAGE ?? (await localNodeImage(tool)) };
}

/** A node image that was built here rather than fetched; null when there is none. */
async function localNodeImage(tool: Machine['tool']): Promise<string | null> {
  const names = await run(tool, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  return names.split('\n').find((name) => /^localhost\/kindest-node:/.test(name)) ?? null;
}
