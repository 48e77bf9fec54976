/**
 * Shell: kubectl against one cluster.
 */
import { run } from './command.ts';

/** An object of the API as JSON; its fields are read where they are needed. */
// biome-ignore lint/suspicious/noExplicitAny: what the API server says is checked by the tests.
export type Manifest = any;

export type Kubectl = {
  /** Runs kubectl with these arguments; returns its standard output. */
  (args: readonly string[], input?: string, limitMs?: number): Promise<string>;
  /** The object, or null when it is not there. */
  get(kind: string, namespace: string, name: string): Promise<Manifest | null>;
  /** Objects of a kind in a namespace, or in all ('' or absent), that fit the selector. */
  list(kind: string, namespace?: string, selector?: string): Promise<Manifest[]>;
  /** Applies objects; throws with the API server's words when it refuses one. */
  apply(...objects: readonly Manifest[]): Promise<string>;
  /** Why the API server would not take the object, in its own words; null: it would. */
  refusal(verb: 'create' | 'replace', object: Manifest): Promise<string | null>;
};

/** @param kubeconfig path of the cluster's kubeconfig */
export function kubectlFor(kubeconfig: string): Kubectl {
  const kubectl = (args: readonly string[], input?: string, limitMs?: number) =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], { input, limitMs });
  const apply = (...objects: readonly Manifest[]) => kubectl(['apply', '-f', '-'], asList(objects));
  const get = async (kind: string, namespace: string, name: string) => {
    const found = await kubectl([
      ...['get', kind, name, '--ignore-not-found', '-o', 'json'],
      ...(namespace === '' ? [] : ['-n', namespace]),
    ]);
    return found.trim() === '' ? null : JSON.parse(found);
  };
  const list = async (kind: string, namespace = '', selector = '') => {
    const where = namespace === '' ? ['-A'] : ['-n', namespace];
    const which = selector === '' ? [] : ['-l', selector];
    return JSON.parse(await kubectl(['get', kind, '-o', 'json', ...where, ...which])).items;
  };
  const refusal = async (verb: 'create' | 'replace', object: Manifest) => {
    try {
      await kubectl([verb, '--dry-run=server', '-f', '-'], JSON.stringify(object));
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  return Object.assign(kubectl, { apply, get, list, refusal });
}

function asList(objects: readonly Manifest[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
}
