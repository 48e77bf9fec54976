/**
 * Label and field selectors: parsed once per request into a predicate.
 *
 *   label   a=b, a==b, a!=b, a in (b,c), a notin (b,c), a, !a; joined by commas
 *   field   metadata.name=x, status.phase!=Running, spec.nodeName=n1; joined by commas
 */
import type { KubeObject, Open } from './resource.ts';
import { badRequest } from './status-error.ts';

export type Predicate = (object: KubeObject) => boolean;

const everything: Predicate = () => true;

/** Throws 400 for a selector that cannot be parsed. */
export function labelSelector(text: string): Predicate {
  if (text.trim() === '') return everything;
  const tests = splitOutsideParentheses(text).map(labelTest);
  return (object) => tests.every((test) => test(object.metadata.labels ?? {}));
}

type LabelTest = (labels: Record<string, string>) => boolean;

function labelTest(text: string): LabelTest {
  const set = /^\s*([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)\s*$/.exec(text);
  if (set !== null) {
    const [, key, operator, list] = set;
    const values = list.split(',').map((one) => one.trim());
    // A key that is absent satisfies notin, as in Kubernetes.
    return operator === 'in'
      ? (labels) => key in labels && values.includes(labels[key])
      : (labels) => !(key in labels) || !values.includes(labels[key]);
  }
  const equals = /^\s*([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)\s*$/.exec(text);
  if (equals !== null) {
    const [, key, operator, value] = equals;
    return operator === '!='
      ? (labels) => labels[key] !== value
      : (labels) => labels[key] === value;
  }
  const exists = /^\s*(!?)\s*([\w./-]+)\s*$/.exec(text);
  if (exists === null) throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
  const [, not, key] = exists;
  return not === '!' ? (labels) => !(key in labels) : (labels) => key in labels;
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

/** Real servers know few fields per kind; any path is taken here. */
export function fieldSelector(text: string): Predicate {
  if (text.trim() === '') return everything;
  const tests = text.split(',').map((part) => {
    const match = /^\s*([\w.]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part);
    if (match === null) throw badRequest(`invalid selector: ${JSON.stringify(part)}`);
    const [, path, operator, value] = match;
    const equal = (object: KubeObject) => String(valueAt(object, path) ?? '') === value;
    return operator === '!=' ? (object: KubeObject) => !equal(object) : equal;
  });
  return (object) => tests.every((test) => test(object));
}

function valueAt(object: KubeObject, path: string): Open {
  return path.split('.').reduce((at: Open, name) => at?.[name], object);
}

interface LabelSelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A LabelSelector as objects carry it. An absent one matches nothing, an empty one everything. */
export function matches(
  selector: LabelSelectorObject | undefined | null,
  labels: Record<string, string> | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  const held = labels ?? {};
  const wanted = Object.entries(selector.matchLabels ?? {});
  if (!wanted.every(([key, value]) => held[key] === value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    if (operator === 'Exists') return key in held;
    if (operator === 'DoesNotExist') return !(key in held);
    if (operator === 'In') return key in held && (values ?? []).includes(held[key]);
    return !(key in held) || !(values ?? []).includes(held[key]);
  });
}
