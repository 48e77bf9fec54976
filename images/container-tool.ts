/**
 * Shell: finds the container tool of this machine, docker or podman, and runs it.
 *
 * A tool counts only if its engine answers: a docker client without a daemon is common on
 * machines that have podman.
 */
import { execFileSync } from 'node:child_process';

export type ContainerTool = 'docker' | 'podman';

export const CONTAINER_TOOLS: readonly ContainerTool[] = ['docker', 'podman'];

/** How long a tool may take to say whether its engine is there. */
const PROBE_LIMIT_MS = 20_000;

/**
 * The tool to use.
 *
 * @param wanted a tool's name, or undefined for the first that answers, docker before podman
 * @returns the name of a tool whose engine answers
 * @throws Error that says what was tried when there is none
 */
export function findContainerTool(wanted: string | undefined): ContainerTool {
  if (wanted !== undefined && !CONTAINER_TOOLS.includes(wanted as ContainerTool)) {
    throw new Error(`container tool "${wanted}" is not one of ${CONTAINER_TOOLS.join(', ')}`);
  }
  const candidates = CONTAINER_TOOLS.filter((tool) => wanted === undefined || tool === wanted);
  const found = candidates.find(engineAnswers);
  if (found === undefined) {
    throw new Error(`no container engine answers (tried: ${candidates.join(', ')})`);
  }
  return found;
}

function engineAnswers(tool: ContainerTool): boolean {
  try {
    execFileSync(tool, ['info'], { stdio: 'ignore', timeout: PROBE_LIMIT_MS });
    return true;
  } catch {
    return false;
  }
}
