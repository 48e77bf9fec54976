/**
 * Shell: the values of the Secrets that a spec names, remembered for a while so that a failover
 * never waits for the API server to say a password.
 */
import type { Spec } from '../api/schema.ts';
import { isStatus } from '../kube/api-error.ts';
import { type Client, call } from '../kube/client.ts';

const REMEMBERED_MS = 30_000;
const MISSING_REMEMBERED_MS = 900;

type Reference = { name: string; key: string };
type Entry = { value: string | null; atMs: number };

export class Secrets {
  private readonly client: Pick<Client, 'core'>;
  private readonly entries = new Map<string, Entry>();

  constructor(client: Pick<Client, 'core'>) {
    this.client = client;
  }

  /** The password of clients (null: none), and which of the named secrets do not exist. */
  async read(
    namespace: string,
    { auth }: Spec,
  ): Promise<{ password: string | null; missing: string[] }> {
    const { passwordSecret, peerSecret } = auth;
    const missing: string[] = [];
    const get = async (path: string, reference: Reference | undefined) => {
      if (reference === undefined) return null;
      const value = await this.value(namespace, reference);
      if (value === null) {
        const { name, key } = reference;
        missing.push(`${path}: Secret ${namespace}/${name} has no key ${key}`);
      }
      return value;
    };
    const password = await get('spec.auth.passwordSecret', passwordSecret);
    await get('spec.auth.peerSecret', peerSecret);
    return { password, missing };
  }

  private async value(namespace: string, { name, key }: Reference): Promise<string | null> {
    const id = `${namespace}/${name}/${key}`;
    const known = this.entries.get(id);
    const rememberedMs = known?.value === null ? MISSING_REMEMBERED_MS : REMEMBERED_MS;
    if (known && Date.now() - known.atMs < rememberedMs) return known.value;
    let value: string | null = null;
    try {
      const secret = await call(() => this.client.core.readNamespacedSecret({ namespace, name }));
      const data = secret.data?.[key];
      value = data === undefined ? null : Buffer.from(data, 'base64').toString('utf8');
    } catch (error) {
      // An API server that does not answer is no reason to forget.
      if (!isStatus(error, 404)) {
        if (known) return known.value;
        throw error;
      }
    }
    this.entries.set(id, { value, atMs: Date.now() });
    return value;
  }
}
