/**
 * Lists, in pages if the client wants. A page's continue token names a snapshot taken when the
 * first page was read: objects are immutable, so a snapshot is only an array of references, and all
 * pages show the same moment. Snapshots are few; one that was dropped answers 410, as a token that
 * outlived etcd's compaction does.
 */
import { inFormatOf } from './event-format.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf, type KubeObject, type Open, type ResourceType } from './resource.ts';
import { fieldSelector, labelSelector, type Predicate } from './selector.ts';
import { badRequest, expired, tooLargeVersion } from './status-error.ts';

interface Snapshot {
  id: string;
  version: number;
  items: KubeObject[];
}

const snapshotsMax = 64;

export class Lists {
  private readonly registry: Registry;
  private snapshots: Snapshot[] = [];
  private nextId = 1;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  /** The List object for a GET of a collection. Throws 410 for a token that is no longer known. */
  list(type: ResourceType, namespace: string, query: URLSearchParams): Open {
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue') ?? '';
    const { snapshot, from } =
      token === '' ? { snapshot: this.take(type, namespace, query), from: 0 } : this.resume(token);
    const rest = snapshot.items.length - from;
    const page = limit > 0 ? snapshot.items.slice(from, from + limit) : snapshot.items.slice(from);
    const metadata: Open = { resourceVersion: String(snapshot.version) };
    if (rest > page.length) {
      if (token === '') this.keep(snapshot);
      metadata.continue = Buffer.from(`${snapshot.id}/${from + page.length}`).toString('base64url');
      metadata.remainingItemCount = rest - page.length;
    }
    const items = page.map((object) => listItem(type, object));
    return { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items };
  }

  /** Forgets every snapshot: tokens given out before answer 410. */
  forget(): void {
    this.snapshots = [];
  }

  private take(type: ResourceType, namespace: string, query: URLSearchParams): Snapshot {
    const { store } = this.registry;
    checkVersion(query, store.version);
    const selected = selectorOf(query);
    const items = store.list(type.storage, namespace).filter(selected);
    this.nextId += 1;
    return { id: String(this.nextId), version: store.version, items };
  }

  private keep(snapshot: Snapshot): void {
    this.snapshots = [...this.snapshots.slice(1 - snapshotsMax), snapshot];
  }

  private resume(token: string): { snapshot: Snapshot; from: number } {
    const text = Buffer.from(token, 'base64url').toString();
    const [id, from] = text.split('/');
    if (!/^\d+\/\d+$/.test(text)) throw badRequest('continue key is not valid');
    const snapshot = this.snapshots.find((one) => one.id === id);
    if (snapshot === undefined) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. ' +
          'You must start a new list without the continue parameter.',
      );
    }
    return { snapshot, from: Number(from) };
  }
}

/** Both selectors of a request in one. */
export function selectorOf(query: URLSearchParams): Predicate {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  const fields = fieldSelector(query.get('fieldSelector') ?? '');
  return (object) => labels(object) && fields(object);
}

function checkVersion(query: URLSearchParams, current: number): void {
  const asked = query.get('resourceVersion') ?? '';
  if (asked === '') return;
  if (!/^\d+$/.test(asked)) throw badRequest(`Invalid value: "${asked}": invalid resource version`);
  if (Number(asked) > current) throw tooLargeVersion(Number(asked), current);
  const exact = query.get('resourceVersionMatch') === 'Exact';
  if (exact && Number(asked) !== current) {
    throw expired('The provided resource version is too old.');
  }
}

/** Items of a built-in list do not repeat their kind; those of a custom one do. As Kubernetes. */
function listItem(type: ResourceType, object: KubeObject): Open {
  const shown = inFormatOf(type, object);
  if (type.custom !== undefined) return shown;
  const { apiVersion: _a, kind: _k, ...rest } = shown;
  return rest;
}
