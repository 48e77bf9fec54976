/**
 * Shell: keeps a copy of one kind of object in memory, and says what changed.
 *
 *   list in pages ──> watch from that version ──> 410: list again and tell the differences
 *                        │ └─ bookmark: remember the version
 *                        └─ ended, reset, or silent for 75 s: watch again from the last version
 *
 * The library's own informer stops for good on a reset connection, without a word. Here every end
 * of a watch leads to the next one, after a pause that grows with failures and is jittered, so
 * that all operators do not return at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { apiErrorOf, isStatus } from './api-error.ts';
import { backoffMs } from './backoff.ts';
import type { Client, Query } from './client.ts';
import { LineSplitter } from './line-splitter.ts';

const PAGE_LIMIT = '500';
const SILENCE_MAX_MS = 75_000;
const WATCH_SECONDS_MIN = 240;
const WATCH_PAUSE_MS = 50;
const BACKOFF = { firstMs: 250, maxMs: 15_000 };

export type Item = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
};

export type Reflector<T extends Item> = {
  /** The objects now, by "namespace/name" (or "name" without a namespace). */
  readonly items: ReadonlyMap<string, T>;
  /** Puts in what a write answered, so that the next plan does not start from older knowledge. */
  readonly put: (item: T) => void;
  readonly synced: () => boolean;
};

export type Options<T> = {
  readonly client: Pick<Client, 'get' | 'stream'>;
  readonly path: string;
  readonly query?: Query;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** `now` is null when the object is gone, `before` when it is new. */
  readonly onChange: (now: T | null, before: T | null) => void;
  readonly onSynced?: () => void;
  readonly silenceMaxMs?: number;
};

/** "namespace/name", or "name" for objects without a namespace. */
export function keyOf({ metadata }: Item): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

/** Starts to follow; ends when the signal aborts. */
export function startReflector<T extends Item>(options: Options<T>): Reflector<T> {
  const items = new Map<string, T>();
  let synced = false;
  const put = (item: T): void => {
    const before = items.get(keyOf(item)) ?? null;
    if (before?.metadata.resourceVersion === item.metadata.resourceVersion) return;
    items.set(keyOf(item), item);
    options.onChange(item, before);
  };
  const remove = (item: T): void => {
    const before = items.get(keyOf(item));
    if (before === undefined || before.metadata.uid !== item.metadata.uid) return;
    items.delete(keyOf(item));
    options.onChange(null, before);
  };
  const replaceAll = (listed: readonly T[]): void => {
    const kept = new Map(listed.map((item) => [keyOf(item), item]));
    for (const [key, item] of items) if (!kept.has(key)) remove(item);
    for (const item of listed) put(item);
    if (!synced) options.onSynced?.();
    synced = true;
  };
  void follow(options, { put, remove, replaceAll });
  return { items, put, synced: () => synced };
}

type Sink<T> = {
  put: (item: T) => void;
  remove: (item: T) => void;
  replaceAll: (items: readonly T[]) => void;
};

async function follow<T extends Item>(options: Options<T>, sink: Sink<T>): Promise<void> {
  const { signal, log, path } = options;
  let version: string | null = null;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === null) {
        const listed = await list<T>(options);
        sink.replaceAll(listed.items);
        version = listed.version;
      }
      const from: string = version;
      version = await watch(options, sink, from);
      failures = 0;
      // A server that ends every watch at once must not be asked in a tight loop.
      await sleep(WATCH_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = apiErrorOf(thrown);
      if (isStatus(error, 410)) version = null;
      failures++;
      const level = failures > 3 ? 'warn' : 'debug';
      log[level]({ path, failures, error: error.message }, 'watch interrupted');
      await sleep(backoffMs(failures, BACKOFF), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function list<T extends Item>(options: Options<T>): Promise<{ items: T[]; version: string }> {
  const items: T[] = [];
  let page: string | undefined;
  for (;;) {
    const query = { ...options.query, limit: PAGE_LIMIT, continue: page };
    const answer = (await options.client.get(options.path, query)) as {
      items?: T[];
      metadata: { resourceVersion: string; continue?: string };
    };
    items.push(...(answer.items ?? []));
    page = answer.metadata.continue || undefined;
    if (page === undefined) return { items, version: answer.metadata.resourceVersion };
  }
}

/** Follows one watch to its end; the version to go on from. Throws ApiError 410 when too old. */
async function watch<T extends Item>(
  options: Options<T>,
  sink: Sink<T>,
  from: string,
): Promise<string> {
  const silence = new AbortController();
  const silenceMs = options.silenceMaxMs ?? SILENCE_MAX_MS;
  let timer = setTimeout(() => silence.abort(), silenceMs);
  const signal = AbortSignal.any([options.signal, silence.signal]);
  const seconds = WATCH_SECONDS_MIN + Math.floor(Math.random() * 60);
  let version = from;
  try {
    const query = {
      ...options.query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(seconds),
    };
    const lines = new LineSplitter();
    for await (const chunk of await options.client.stream(options.path, query, signal)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
      for (const line of lines.push(chunk)) version = take(line, sink, version);
    }
    return version;
  } catch (error) {
    // Silence is no failure of the server: go on from where we are.
    if (silence.signal.aborted && !options.signal.aborted) return version;
    // What arrived before the connection broke is not asked for again.
    if (version !== from && !isStatus(error, 410)) return version;
    throw error;
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function take<T extends Item>(line: string, sink: Sink<T>, version: string): string {
  const { type, object } = JSON.parse(line) as { type: string; object: T };
  if (type === 'ERROR') throw apiErrorOf({ code: 410, body: JSON.stringify(object) });
  if (type === 'DELETED') sink.remove(object);
  else if (type === 'ADDED' || type === 'MODIFIED') sink.put(object);
  return object.metadata.resourceVersion ?? version;
}
