/**
 * Shell: the connection to one API server.
 *
 * What the library does not do by itself: one dispatcher for all calls (it would make a new one,
 * and with it a TLS handshake, for each), a deadline on each call, and plain http servers, which
 * the local runtime uses.
 */
import {
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  PolicyV1Api,
  RequestContext,
  type ResponseContext,
  ServerConfiguration,
} from '@kubernetes/client-node';
import { ApiError, apiErrorOf } from './api-error.ts';

/** A call that takes longer has failed; what it did is found out by looking again. */
export const CALL_DEADLINE_MS = 10_000;

export type Client = {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly policy: PolicyV1Api;
  readonly coordination: CoordinationV1Api;
  readonly custom: CustomObjectsApi;
  /** Namespace of the current context, where the lease lives when POD_NAMESPACE is not set. */
  readonly namespace: string;
  /** GET as JSON, as the server wrote it (times stay strings). */
  readonly get: (path: string, query: Query) => Promise<unknown>;
  /** GET as a stream of bytes; ends when `signal` aborts. */
  readonly stream: (
    path: string,
    query: Query,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<Uint8Array>>;
};

export type Query = Readonly<Record<string, string | undefined>>;

/** The client for KUBECONFIG, or for the cluster that this pod runs in. */
export function connect(): Client {
  const config = new KubeConfig();
  config.loadFromDefault();
  return connectWith(config);
}

export function connectWith(config: KubeConfig): Client {
  allowPlainHttp(config);
  memoiseDispatcher(config);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current cluster');
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(cluster.server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request) => {
          request.setSignal(AbortSignal.timeout(CALL_DEADLINE_MS));
          return request;
        },
        post: async (response) => response,
      },
    ],
  });
  const http = new IsomorphicFetchHttpLibrary();
  const send = async (path: string, query: Query, signal: AbortSignal) => {
    const request = new RequestContext(`${cluster.server}${path}`, HttpMethod.GET);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) request.setQueryParam(name, value);
    }
    request.setHeaderParam('Accept', 'application/json');
    await config.applySecurityAuthentication(request);
    request.setSignal(signal);
    const response: ResponseContext = await http.send(request).toPromise();
    if (response.httpStatusCode === 200) return response;
    throw new ApiError(response.httpStatusCode, await response.body.text());
  };
  return {
    core: new CoreV1Api(configuration),
    apps: new AppsV1Api(configuration),
    policy: new PolicyV1Api(configuration),
    coordination: new CoordinationV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    get: async (path, query) => {
      const response = await send(path, query, AbortSignal.timeout(CALL_DEADLINE_MS));
      return JSON.parse(await response.body.text());
    },
    stream: async (path, query, signal) => {
      const body = (await send(path, query, signal)).body.stream();
      if (body === null) throw new ApiError(0, 'the watch has no body');
      return body as unknown as AsyncIterable<Uint8Array>;
    },
  };
}

/** Runs a call; a refusal comes back as an ApiError with its code. */
export async function call<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw apiErrorOf(error);
  }
}

/** There is no TLS to verify on plain http; the library wants that said. */
function allowPlainHttp(config: KubeConfig): void {
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  );
}

/** The part of the library that makes dispatchers; it is private there, hence the shape here. */
type DispatcherSource = {
  createDispatcher: (
    cluster: { server?: string } | null,
    options: TlsOptions,
  ) => object | undefined;
};
type TlsOptions = Readonly<Record<'ca' | 'cert' | 'key' | 'servername', unknown>>;

function memoiseDispatcher(config: KubeConfig): void {
  const source = config as unknown as DispatcherSource;
  const create = source.createDispatcher.bind(config);
  let memo: { key: string; dispatcher: object | undefined } | null = null;
  source.createDispatcher = (cluster, options) => {
    const { ca, cert, key, servername } = options;
    // Certificates rotate: new ones need a new dispatcher.
    const parts = [cluster?.server, ca, cert, key, servername].map(String);
    const memoKey = JSON.stringify(parts);
    if (memo?.key !== memoKey) memo = { key: memoKey, dispatcher: create(cluster, options) };
    return memo.dispatcher;
  };
}
