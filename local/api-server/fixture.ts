/** Shell: an API server for one test file, and clients of @kubernetes/client-node for it. */
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { ApiServer, type ApiServerOptions } from './server.ts';

export interface Fixture {
  server: ApiServer;
  url: string;
  config: KubeConfig;
  core: CoreV1Api;
  apps: AppsV1Api;
  custom: CustomObjectsApi;
}

export async function startFixture(options: Partial<ApiServerOptions> = {}): Promise<Fixture> {
  const server = new ApiServer({
    ...{ host: '127.0.0.1', port: 0, servicePrefix: '127.16.254.' },
    ...options,
  });
  const url = await server.listen();
  const config = clientConfig(url);
  return {
    ...{ server, url, config, core: config.makeApiClient(CoreV1Api) },
    apps: config.makeApiClient(AppsV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

export function clientConfig(url: string): KubeConfig {
  const config = new KubeConfig();
  // client-node takes plain HTTP only together with skipTLSVerify.
  const cluster = { name: 'local', server: url, skipTLSVerify: true };
  config.loadFromClusterAndUser(cluster, { name: 'test' });
  return config;
}

/** The option that makes a typed patch of client-node a server-side apply, merge patch … */
export const patchAs = {
  apply: setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
  merge: setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  json: setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
  strategic: setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
};

/** Waits until `read` gives something other than null, at most `limitMs`. */
export async function eventually<T>(
  read: () => T | null | Promise<T | null>,
  limitMs = 5000,
): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const value = await read();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > until) throw new Error(`still not so after ${limitMs} ms: ${read}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
