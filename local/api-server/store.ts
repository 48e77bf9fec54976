/**
 * The objects of one cluster and the history of their changes, as etcd and the watch cache would
 * hold them. One counter numbers every change of any object; it is the resourceVersion. Objects
 * are never changed in place: a write puts a new one, so that readers, the history and list
 * snapshots may share them without copies.
 *
 * The history is bounded. Whoever asks to go on from a version before it must list again (410).
 */
import type { KubeObject } from './resource.ts';

export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly storage: string;
  readonly object: KubeObject;
  readonly previous: KubeObject | null;
}

export type Listener = (change: Change) => void;

/** Changes kept for watches that resume; older ones are dropped, which makes a watch list again. */
const historyMax = 20_000;

export class Store {
  private readonly kinds = new Map<string, Map<string, KubeObject>>();
  private readonly listeners = new Set<Listener>();
  private history: Change[] = [];
  private current = 1;
  private forgottenUpTo = 0;

  /** The version of the last change. */
  get version(): number {
    return this.current;
  }

  get(storage: string, namespace: string, name: string): KubeObject | null {
    return this.kinds.get(storage)?.get(`${namespace}/${name}`) ?? null;
  }

  /** All objects of a kind, by namespace and name; '' takes every namespace. */
  list(storage: string, namespace = ''): KubeObject[] {
    const kind = this.kinds.get(storage);
    if (kind === undefined) return [];
    const keys = [...kind.keys()].sort();
    const prefix = `${namespace}/`;
    const wanted = namespace === '' ? keys : keys.filter((key) => key.startsWith(prefix));
    return wanted.map((key) => kind.get(key) as KubeObject);
  }

  storages(): string[] {
    return [...this.kinds.keys()];
  }

  /** Stores `object` under a fresh resourceVersion and returns what was stored. */
  put(storage: string, object: KubeObject): KubeObject {
    const previous = this.get(storage, object.metadata.namespace ?? '', object.metadata.name);
    const stored = this.stamp(object);
    this.kindOf(storage).set(keyOf(stored), stored);
    this.record(previous === null ? 'ADDED' : 'MODIFIED', storage, stored, previous);
    return stored;
  }

  /** Removes the object; watchers get it as `last` says, with the version of the removal. */
  remove(storage: string, last: KubeObject): KubeObject {
    const previous = this.get(storage, last.metadata.namespace ?? '', last.metadata.name);
    const stored = this.stamp(last);
    this.kindOf(storage).delete(keyOf(last));
    this.record('DELETED', storage, stored, previous);
    return stored;
  }

  /** Changes after `version` in order, or null if the history does not reach back that far. */
  findChangesSince(version: number, storage: string): Change[] | null {
    if (version < this.forgottenUpTo) return null;
    return this.history.filter((one) => one.version > version && one.storage === storage);
  }

  /** Forgets the history, as etcd does when it compacts: every watch must list again. */
  compact(): void {
    this.history = [];
    this.forgottenUpTo = this.current;
  }

  /** Calls `listener` inside each write, after the store has changed. Returns how to stop. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private stamp(object: KubeObject): KubeObject {
    this.current += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.current) };
    return { ...object, metadata };
  }

  private kindOf(storage: string): Map<string, KubeObject> {
    let kind = this.kinds.get(storage);
    if (kind === undefined) {
      kind = new Map();
      this.kinds.set(storage, kind);
    }
    return kind;
  }

  private record(
    type: Change['type'],
    storage: string,
    object: KubeObject,
    previous: KubeObject | null,
  ): void {
    const change = { version: this.current, type, storage, object, previous };
    this.history.push(change);
    if (this.history.length > historyMax) {
      this.history = this.history.slice(historyMax / 2);
      this.forgottenUpTo = this.history[0].version - 1;
    }
    for (const listener of this.listeners) listener(change);
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
