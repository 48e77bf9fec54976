/** Shell: whether the demo's ports are free. */
import { createServer } from 'node:net';
import { controlPort, ports } from './setup.ts';

/** A sentence for each port that somebody else has; empty when all are free. */
export async function takenPorts(): Promise<string[]> {
  const taken: string[] = [];
  for (const { port, use } of ports) {
    if (!(await isFree(port))) taken.push(`port ${port} (${use}) on 127.0.0.1 is in use`);
  }
  if (taken.length === 0) return [];
  const cure = (await isDemo())
    ? 'a demo is already running: end it with Ctrl-C in its terminal, or use it'
    : `end what uses it (who: ss -ltnp 'sport = :${/\d+/.exec(taken[0])?.[0]}') and try again`;
  return [...taken, cure];
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function isDemo(): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${controlPort}/status`);
    return 'regions' in ((await response.json()) as object);
  } catch {
    return false;
  }
}
