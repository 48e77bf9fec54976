/**
 * Shell: watches. A watch is an HTTP response that goes on: one JSON line per change, from the
 * version that the client names. An object that begins or ceases to fit the selector shows as added
 * or deleted. Bookmarks tell a quiet watch how far it has come, so that it can resume there.
 */
import type { ServerResponse } from 'node:http';
import { inFormatOf } from './event-format.ts';
import { selectorOf } from './list.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf, type KubeObject, type Open, type ResourceType } from './resource.ts';
import type { Predicate } from './selector.ts';
import { badRequest, expired, tooLargeVersion } from './status-error.ts';
import type { Change } from './store.ts';

/** A client that reads this far behind is cut off; it lists again. */
const unsentBytesMax = 16 * 1024 * 1024;
const defaultTimeoutSeconds = 1800;

interface Watch {
  type: ResourceType;
  namespace: string;
  selected: Predicate;
  bookmarks: boolean;
  response: ServerResponse;
  timeout: NodeJS.Timeout;
}

export class Watches {
  private readonly registry: Registry;
  private readonly open = new Set<Watch>();
  private readonly bookmarkTimer: NodeJS.Timeout;
  private readonly unsubscribe: () => void;

  constructor(registry: Registry, bookmarkIntervalMs: number) {
    this.registry = registry;
    this.unsubscribe = registry.store.subscribe((change) => this.publish(change));
    this.bookmarkTimer = setInterval(() => {
      for (const watch of this.open) this.sendBookmark(watch);
    }, bookmarkIntervalMs).unref();
  }

  get count(): number {
    return this.open.size;
  }

  /** Answers a watch request and keeps `response` open until its time is up or it is dropped. */
  start(
    type: ResourceType,
    namespace: string,
    query: URLSearchParams,
    response: ServerResponse,
  ): void {
    const selected = selectorOf(query);
    const asked = query.get('resourceVersion') ?? '';
    if (!/^\d*$/.test(asked)) throw badRequest(`invalid resource version ${JSON.stringify(asked)}`);
    const { store } = this.registry;
    if (Number(asked) > store.version) throw tooLargeVersion(Number(asked), store.version);
    const seconds = Number(query.get('timeoutSeconds') ?? 0) || defaultTimeoutSeconds;
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.flushHeaders();
    const timeout = setTimeout(() => this.end(watch), seconds * 1000).unref();
    const watch = { type, namespace, selected, bookmarks, response, timeout };
    response.on('close', () => this.forget(watch));
    this.catchUp(watch, asked, query.get('sendInitialEvents') === 'true');
  }

  /** Ends watches: politely, or as a lost connection does. */
  drop(how: 'end' | 'reset'): void {
    for (const watch of [...this.open]) {
      if (how === 'reset') watch.response.destroy();
      this.end(watch);
    }
  }

  close(): void {
    clearInterval(this.bookmarkTimer);
    this.unsubscribe();
    this.drop('end');
  }

  private catchUp(watch: Watch, asked: string, initialEvents: boolean): void {
    const { store } = this.registry;
    const { type, namespace, selected } = watch;
    const fromStart = asked === '' || asked === '0' || initialEvents;
    if (fromStart) {
      for (const object of store.list(type.storage, namespace).filter(selected)) {
        this.send(watch, 'ADDED', inFormatOf(type, object));
      }
      if (initialEvents) this.sendBookmark(watch, { 'k8s.io/initial-events-end': 'true' });
    } else {
      const missed = store.findChangesSince(Number(asked), type.storage);
      if (missed === null) {
        const { status } = expired(`too old resource version: ${asked} (${store.version})`);
        this.send(watch, 'ERROR', status);
        this.end(watch);
        return;
      }
      for (const change of missed) this.sendChange(watch, change);
    }
    this.open.add(watch);
  }

  private publish(change: Change): void {
    for (const watch of this.open) {
      if (watch.type.storage === change.storage) this.sendChange(watch, change);
    }
  }

  private sendChange(watch: Watch, change: Change): void {
    const { object, previous, type } = change;
    if (watch.namespace !== '' && object.metadata.namespace !== watch.namespace) return;
    const fits = type !== 'DELETED' && watch.selected(object);
    const fitted = previous !== null && watch.selected(previous);
    if (!fits && !fitted) return;
    const shown = fits ? (fitted ? 'MODIFIED' : 'ADDED') : 'DELETED';
    this.send(watch, shown, inFormatOf(watch.type, object));
  }

  private sendBookmark(watch: Watch, annotations?: Record<string, string>): void {
    if (!watch.bookmarks) return;
    const { type } = watch;
    const metadata: Open = { resourceVersion: String(this.registry.store.version) };
    metadata.creationTimestamp = null;
    if (annotations !== undefined) metadata.annotations = annotations;
    this.send(watch, 'BOOKMARK', { kind: type.kind, apiVersion: apiVersionOf(type), metadata });
  }

  private send(watch: Watch, type: string, object: KubeObject | Open): void {
    watch.response.write(`${JSON.stringify({ type, object })}\n`);
    if (watch.response.writableLength > unsentBytesMax) watch.response.destroy();
  }

  private end(watch: Watch): void {
    this.forget(watch);
    watch.response.end();
  }

  private forget(watch: Watch): void {
    clearTimeout(watch.timeout);
    this.open.delete(watch);
  }
}
