/**
 * Shell: the API server of one cluster over plain HTTP. Reads a request, hands it to the registry,
 * the lists or the watches, and writes the answer or a Status.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { load } from 'js-yaml';
import { type Clock, systemClock } from './clock.ts';
import { discover } from './discovery.ts';
import { inFormatOf } from './event-format.ts';
import { Lists } from './list.ts';
import { type PatchKind, type PatchOptions, Registry } from './registry.ts';
import { type KubeObject, type Open, type ResourceType, Scheme } from './resource.ts';
import { type Route, route } from './route.ts';
import { toScale, writeScale } from './scale.ts';
import {
  ApiError,
  badRequest,
  methodNotAllowed,
  noSuchPath,
  unsupportedMediaType,
} from './status-error.ts';
import { Store } from './store.ts';
import { Watches } from './watch.ts';

export interface ApiServerOptions {
  /** Where to listen; port 0 takes a free one. */
  host: string;
  port: number;
  /** First three numbers of the addresses given to services, with the dot: "127.16.254." */
  servicePrefix: string;
  bookmarkIntervalMs?: number;
  clock?: Clock;
  /** The text that a pod's container has printed; null when there is none. */
  readLog?: (namespace: string, pod: string, container: string) => string | null;
}

const bodyBytesMax = 3 * 1024 * 1024;
const patchKinds: Record<string, PatchKind> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export class ApiServer {
  readonly registry: Registry;
  readonly lists: Lists;
  readonly watches: Watches;
  private readonly options: ApiServerOptions;
  private readonly http: Server;
  private readonly sockets = new Set<Socket>();
  private reachable = true;

  constructor(options: ApiServerOptions) {
    this.options = options;
    const clock = options.clock ?? systemClock;
    this.registry = new Registry(new Scheme(), new Store(), clock, options.servicePrefix);
    this.lists = new Lists(this.registry);
    this.watches = new Watches(this.registry, options.bookmarkIntervalMs ?? 15_000);
    this.http = createServer((request, response) => void this.answer(request, response));
    this.http.on('connection', (socket) => {
      if (!this.reachable) socket.destroy();
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    const namespaces = this.registry.scheme.getStored('namespaces');
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      this.registry.create(namespaces, '', body as KubeObject, { manager: 'kube-apiserver' });
    }
  }

  /** Begins to listen; resolves with the URL, such as http://127.16.255.1:41234. */
  async listen(): Promise<string> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, host, resolve);
    });
    return `http://${host}:${(this.http.address() as AddressInfo).port}`;
  }

  /** An unreachable server resets every connection, old and new, and comes back as it was. */
  setReachable(reachable: boolean): void {
    this.reachable = reachable;
    if (!reachable) for (const socket of this.sockets) socket.destroy();
  }

  /** Forgets the history: watches end, and those that resume must list again (410). */
  compact(): void {
    this.registry.store.compact();
    this.lists.forget();
    this.watches.drop('end');
  }

  async close(): Promise<void> {
    this.watches.close();
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBody(request);
      const url = new URL(request.url ?? '/', 'http://localhost');
      const plain = this.plainAnswer(url.pathname);
      const at = plain === null ? route(this.registry.scheme, url.pathname) : null;
      if (at === null || request.method === 'GET') {
        const isWatch = at?.name === '' && isTrue(url.searchParams.get('watch'));
        const { type, namespace } = at ?? {};
        if (isWatch && type) this.watches.start(type, namespace ?? '', url.searchParams, response);
        else respond(response, 200, at === null ? plain : this.read(at, url.searchParams));
        return;
      }
      const warnings: string[] = [];
      const { code, object } = this.write(at, request, url.searchParams, body, warnings);
      for (const warning of warnings.slice(0, 20)) {
        response.appendHeader('warning', `299 - ${JSON.stringify(warning)}`);
      }
      respond(response, code, object);
    } catch (error) {
      respondError(response, error);
    }
  }

  private plainAnswer(path: string): Open {
    if (path === '/healthz' || path === '/livez' || path === '/readyz') return 'ok';
    return discover(this.registry.scheme, path);
  }

  private read(at: Route, query: URLSearchParams): Open {
    const { type, namespace, name, subresource } = at;
    if (name === '') return this.lists.list(type, namespace, query);
    const object = this.registry.get(type, namespace, name);
    if (subresource === 'scale' && type.scale) return toScale(type, object);
    if (subresource === 'log' && type.plural === 'pods') {
      const container = query.get('container') ?? object.spec.containers[0].name;
      const text = this.options.readLog?.(namespace, name, container) ?? null;
      if (text === null) throw badRequest(`container "${container}" in pod "${name}" has no log`);
      return text;
    }
    if (subresource !== '' && !(subresource === 'status' && type.status)) throw noSuchPath();
    return inFormatOf(type, object);
  }

  private write(
    at: Route,
    request: IncomingMessage,
    query: URLSearchParams,
    text: string,
    warnings: string[],
  ): { code: number; object: Open } {
    const { type, namespace, name, subresource } = at;
    const options = writeOptions(request, query, subresource, warnings);
    const { registry } = this;
    if (request.method === 'DELETE') return this.remove(at, query, parse(text));
    const mediaType = (request.headers['content-type'] ?? 'application/json').split(';')[0];
    if (mediaType.includes('protobuf') || mediaType.includes('cbor')) {
      throw unsupportedMediaType(`${mediaType} is not known here; send application/json`);
    }
    const body = parse(text);
    if (subresource === 'eviction' && request.method === 'POST') {
      const asked = { ...body?.deleteOptions, dryRun: options.dryRun };
      registry.delete(type, namespace, name, asked);
      return { code: 201, object: success(type, name, '') };
    }
    if (subresource === 'scale' && type.scale) {
      const held = registry.get(type, namespace, name);
      const scale = { ...toScale(type, held), ...body };
      return { code: 200, object: writeScale(registry, type, held, scale, options) };
    }
    if (subresource !== '' && subresource !== 'status') throw noSuchPath();
    if (request.method === 'POST' && name === '') {
      return { code: 201, object: registry.create(type, namespace, body, options) };
    }
    if (request.method === 'PUT' && name !== '') {
      return { code: 200, object: registry.update(type, namespace, name, body, options) };
    }
    if (request.method !== 'PATCH' || name === '') throw methodNotAllowed();
    const kind = patchKinds[mediaType];
    if (kind === undefined) throw unsupportedMediaType(`unknown kind of patch: ${mediaType}`);
    const existed = registry.store.get(type.storage, namespace, name) !== null;
    const object = registry.patch(type, namespace, name, kind, body, options);
    return { code: existed ? 200 : 201, object };
  }

  private remove(at: Route, query: URLSearchParams, body: Open): { code: number; object: Open } {
    const { type, namespace, name } = at;
    const grace = query.get('gracePeriodSeconds');
    const options = {
      ...body,
      ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
      propagationPolicy: query.get('propagationPolicy') ?? body?.propagationPolicy,
      dryRun: query.get('dryRun') === 'All' || body?.dryRun?.includes('All') === true,
    };
    if (name !== '') {
      const { object, gone } = this.registry.delete(type, namespace, name, options);
      // A pod is answered with itself, others with themselves only while something holds them.
      const whole = !gone || type.plural === 'pods';
      return { code: 200, object: whole ? object : success(type, name, object.metadata.uid) };
    }
    const list = this.lists.list(type, namespace, query);
    for (const { metadata } of list.items) {
      this.registry.delete(type, metadata.namespace ?? '', metadata.name, options);
    }
    return { code: 200, object: list };
  }
}

function writeOptions(
  request: IncomingMessage,
  query: URLSearchParams,
  subresource: string,
  warnings: string[],
): PatchOptions {
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0];
  const isApply = request.headers['content-type']?.startsWith('application/apply-patch') === true;
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (!['Ignore', 'Warn', 'Strict'].includes(validation)) {
    throw badRequest(`fieldValidation must be Ignore, Warn or Strict, not ${validation}`);
  }
  return {
    // Apply has no default manager: it is what its ownership hangs on.
    manager: query.get('fieldManager') ?? (isApply ? undefined : agent),
    subresource: subresource === 'status' ? 'status' : undefined,
    dryRun: query.get('dryRun') === 'All',
    force: isTrue(query.get('force')),
    fieldValidation: validation as PatchOptions['fieldValidation'],
    warnings,
  };
}

function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1';
}

/** JSON is YAML too, but JSON.parse is much faster, so it is tried first. */
function parse(text: string): Open {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    try {
      return load(text);
    } catch (error) {
      throw badRequest(`the body cannot be parsed: ${(error as Error).message}`);
    }
  }
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= bodyBytesMax) chunks.push(chunk);
    });
    request.on('error', reject);
    request.on('end', () => {
      if (length <= bodyBytesMax) resolve(Buffer.concat(chunks).toString());
      const message = `Request entity too large: limit is ${bodyBytesMax}`;
      reject(new ApiError(413, 'RequestEntityTooLarge', message));
    });
  });
}

function respond(response: ServerResponse, code: number, body: Open): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function respondError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', `Internal error occurred: ${(error as Error).stack}`);
  respond(response, known.code, known.status);
}

function success(type: ResourceType, name: string, uid: string): Open {
  const group = type.group === '' ? {} : { group: type.group };
  const details = { name, ...group, kind: type.plural, ...(uid === '' ? {} : { uid }) };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
