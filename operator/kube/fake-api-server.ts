/**
 * Shell: a small API server for tests, over plain http: list with pages, watch with bookmarks,
 * create, replace, server-side apply (as a merge), delete, status, and the conflicts that
 * resourceVersion brings. It knows no kinds: a path is a collection, whatever it is called.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Stored = {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid: string; resourceVersion: string } & Record<
    string,
    unknown
  >;
  [field: string]: unknown;
};

type Watcher = { plural: string; namespace: string | undefined; response: ServerResponse };

export class FakeApiServer {
  readonly objects = new Map<string, Stored>();
  /** "VERB path" of each call, for tests that count. */
  readonly calls: string[] = [];
  /** Set to answer the next list of a plural with 410. */
  version = 100;
  pageSize = 2;
  private readonly watchers = new Set<Watcher>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: unknown) => send(response, 500, String(error)));
    });
  }

  /** Listens on a free port of the loopback; the URL of the server. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.dropWatches();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Breaks every watch without a word, as a load balancer does. */
  dropWatches(): void {
    for (const { response } of this.watchers) response.destroy();
    this.watchers.clear();
  }

  /** Tells every watcher of a plural that its version is too old. */
  expireWatches(): void {
    for (const { response } of this.watchers) {
      const object = { kind: 'Status', code: 410, message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
    this.watchers.clear();
  }

  get watchCount(): number {
    return this.watchers.size;
  }

  put(plural: string, object: Record<string, unknown>): Stored {
    const given = object.metadata as Stored['metadata'];
    const key = keyOf(plural, given.namespace, given.name);
    const before = this.objects.get(key);
    this.version++;
    const stored: Stored = {
      ...object,
      metadata: {
        creationTimestamp: new Date().toISOString(),
        generation: 1,
        ...given,
        uid: before?.metadata.uid ?? given.uid ?? `uid-${this.version}`,
        resourceVersion: String(this.version),
      },
    };
    this.objects.set(key, stored);
    this.tell(plural, before === undefined ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  remove(plural: string, namespace: string | undefined, name: string): void {
    const key = keyOf(plural, namespace, name);
    const stored = this.objects.get(key);
    if (stored === undefined) return;
    this.objects.delete(key);
    this.version++;
    const metadata = { ...stored.metadata, resourceVersion: String(this.version) };
    this.tell(plural, 'DELETED', { ...stored, metadata });
  }

  get(plural: string, namespace: string | undefined, name: string): Stored | undefined {
    return this.objects.get(keyOf(plural, namespace, name));
  }

  list(plural: string, namespace?: string): Stored[] {
    return [...this.objects]
      .filter(([key]) =>
        key.startsWith(`${plural}|${namespace === undefined ? '' : `${namespace}|`}`),
      )
      .map(([, object]) => object);
  }

  private tell(plural: string, type: string, object: Stored): void {
    for (const watcher of this.watchers) {
      if (watcher.plural !== plural) continue;
      if (watcher.namespace !== undefined && watcher.namespace !== object.metadata.namespace) {
        continue;
      }
      watcher.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { plural, namespace, name, sub } = parsePath(url.pathname);
    const verb = request.method ?? 'GET';
    this.calls.push(
      `${verb} ${plural}${name === undefined ? '' : `/${name}`}${sub ? `/${sub}` : ''}`,
    );
    if (verb === 'GET' && url.searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' });
      this.watchers.add({ plural, namespace, response });
      const metadata = { resourceVersion: String(this.version) };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
      return;
    }
    if (verb === 'GET' && name === undefined)
      return this.serveList(url, plural, namespace, response);
    const body = verb === 'GET' ? {} : ((await readJson(request)) as Record<string, unknown>);
    if (verb === 'POST') return send(response, 201, this.put(plural, body));
    const stored = this.get(plural, namespace, name ?? '');
    if (verb === 'PATCH') {
      return send(response, 200, this.put(plural, stored ? merged(stored, body) : body));
    }
    if (stored === undefined) return send(response, 404, status(404, 'not found'));
    if (verb === 'GET') return send(response, 200, stored);
    if (verb === 'DELETE') {
      this.remove(plural, namespace, name ?? '');
      return send(response, 200, status(200, 'deleted'));
    }
    const given = (body.metadata as Stored['metadata']).resourceVersion;
    if (given !== undefined && given !== stored.metadata.resourceVersion) {
      return send(response, 409, status(409, 'the object has been modified'));
    }
    const next = sub === 'status' ? { ...stored, status: body.status } : body;
    return send(response, 200, this.put(plural, next));
  }

  private serveList(
    url: URL,
    plural: string,
    namespace: string | undefined,
    response: ServerResponse,
  ): void {
    const items = this.list(plural, namespace);
    const from = Number(url.searchParams.get('continue') ?? 0);
    const to = from + this.pageSize;
    const rest = to < items.length ? String(to) : undefined;
    const metadata = { resourceVersion: String(this.version), continue: rest };
    send(response, 200, { metadata, items: items.slice(from, to) });
  }
}

const keyOf = (plural: string, namespace: string | undefined, name: string): string =>
  `${plural}|${namespace ?? ''}|${name}`;

function parsePath(path: string) {
  const parts = path.split('/').filter(Boolean);
  let rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2) {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural, name, sub] = rest;
  return { plural, namespace, name, sub };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : JSON.parse(text);
}

const status = (code: number, message: string) => ({ kind: 'Status', code, message });

function merged(stored: Stored, body: Record<string, unknown>): Record<string, unknown> {
  const metadata = { ...stored.metadata, ...(body.metadata as object) };
  return { ...stored, ...body, metadata };
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
