/**
 * Shell: where a second command reaches the running demo: HTTP on 127.0.0.1:7000.
 *
 *   POST /kill {"region":"eu","zone":"eu-a"}    POST /heal {}    GET /status
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Regions } from '../regions.ts';
import { heal, type KillRequest, kill } from './action.ts';
import type { LiveLinks } from './live-links.ts';
import { controlPort } from './setup.ts';
import { takeSnapshot } from './snapshot.ts';

const bodyBytesMax = 10_000;

/** Serves commands until closed; `done` is told what each one did. */
export async function startControl(
  world: Regions,
  live: LiveLinks,
  done: (what: string) => void,
): Promise<Server> {
  const server = createServer((request, response) => {
    answer(world, live, request)
      .then((result) => {
        if (typeof result === 'string') done(result);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(typeof result === 'string' ? { done: result } : result));
      })
      .catch((error: Error) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: error.message }));
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(controlPort, '127.0.0.1', resolve);
  });
  return server;
}

async function answer(
  world: Regions,
  live: LiveLinks,
  request: IncomingMessage,
): Promise<string | object> {
  const body = await readJson(request);
  // A web page must not be able to do this: browsers send an origin.
  if (request.headers.origin !== undefined) throw new Error('not for browsers');
  if (request.method === 'POST' && request.url === '/kill') return kill(world, body as KillRequest);
  if (request.method === 'POST' && request.url === '/heal') {
    return heal(world, (body as { region?: string }).region);
  }
  if (request.method === 'GET' && request.url === '/status') return takeSnapshot(world, live);
  throw new Error('known are POST /kill, POST /heal and GET /status');
}

async function readJson(request: IncomingMessage): Promise<object> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > bodyBytesMax) throw new Error('the request is too large');
  }
  return text === '' ? {} : (JSON.parse(text) as object);
}
