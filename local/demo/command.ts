/**
 * Shell: a second command to the running demo.
 *
 *   node local/demo/command.ts kill --region eu --zone eu-a | --node eu-a-node | --shard 0 | --cut
 *   node local/demo/command.ts heal [--region eu]
 *   node local/demo/command.ts status
 */
import { parseArgs } from 'node:util';
import { controlPort } from './setup.ts';

const usage = `usage:
  make demo-kill REGION=eu ZONE=eu-a         every node of a zone
  make demo-kill REGION=eu NODE=eu-a-node    one node
  make demo-kill REGION=eu SHARD=0           the process of the shard's primary
  make demo-kill REGION=eu CUT=1             the links to the other regions
  make demo-heal [REGION=eu]                 bring everything back
`;

async function main(): Promise<number> {
  const request = parseCommand();
  if (request === null) {
    process.stderr.write(usage);
    return 2;
  }
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${controlPort}${request.path}`, {
      method: request.path === '/status' ? 'GET' : 'POST',
      ...(request.path === '/status' ? {} : { body: JSON.stringify(request.body) }),
    });
  } catch {
    process.stderr.write('no demo is running; start it with: make demo\n');
    return 1;
  }
  const answer = (await response.json()) as { done?: string; error?: string };
  if (answer.error !== undefined) process.stderr.write(`${answer.error}\n`);
  else process.stdout.write(`${answer.done ?? JSON.stringify(answer, null, 2)}\n`);
  return answer.error === undefined ? 0 : 1;
}

function parseCommand(): { path: string; body: object } | null {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        region: { type: 'string' },
        zone: { type: 'string' },
        node: { type: 'string' },
        shard: { type: 'string' },
        cut: { type: 'boolean' },
      },
    });
    const [verb] = positionals;
    const { region, zone, node, cut } = values;
    const shard = values.shard === undefined ? undefined : Number(values.shard);
    if (verb === 'status') return { path: '/status', body: {} };
    if (verb === 'heal') return { path: '/heal', body: { region } };
    if (verb !== 'kill' || region === undefined) return null;
    return { path: '/kill', body: { region, zone, node, shard, cut } };
  } catch {
    return null;
  }
}

process.exitCode = await main();
