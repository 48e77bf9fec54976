/** Shell: the HTTP port for probes and metrics. */
import { createServer, type Server } from 'node:http';
import type { Metrics } from './metrics.ts';

/** Serves /healthz (the process runs), /readyz (caches are filled) and /metrics. */
export function startHealth(options: {
  readonly port: number;
  readonly bind: string;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  readonly onError: (error: Error) => void;
}): Server {
  const { metrics, isReady } = options;
  const server = createServer((request, response) => {
    const answer = (code: number, text: string, type = 'text/plain'): void => {
      response.writeHead(code, { 'content-type': type });
      response.end(text);
    };
    if (request.url === '/healthz') return answer(200, 'ok\n');
    if (request.url === '/readyz') {
      return isReady() ? answer(200, 'ok\n') : answer(503, 'caches are not filled yet\n');
    }
    if (request.url !== '/metrics') return answer(404, 'not found\n');
    metrics.registry.metrics().then(
      (text) => answer(200, text, metrics.registry.contentType),
      (error: unknown) => answer(500, String(error)),
    );
  });
  server.on('error', options.onError);
  server.listen(options.port, options.bind);
  return server;
}
