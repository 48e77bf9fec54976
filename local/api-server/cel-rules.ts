/**
 * x-kubernetes-validations: the rules of a schema, judged on every value that has one. A rule that
 * speaks of oldSelf is about a change: it is only judged when there was a value before, which for
 * the items of a list means an item with the same key. A rule that cannot be judged here (see
 * cel-evaluate.ts for what is known) is left out with a warning; it is never a reason to refuse.
 */
import { CelFailure, CelUnsupported, evaluateCel } from './cel-evaluate.ts';
import { CelSyntaxError, type Expression, parseCel } from './cel-parse.ts';
import type { Rule, Schema } from './custom-resource.ts';
import type { KubeObject, Open } from './resource.ts';
import { findItem, isMap } from './shape.ts';
import type { Cause } from './status-error.ts';

const parsed = new Map<string, Expression | CelSyntaxError>();
const parsedMax = 1000;

/** Every violation; rules that could not be judged are added to `warnings`. */
export function checkRules(
  schema: Schema,
  object: KubeObject,
  old: KubeObject | null,
  warnings: string[],
): Cause[] {
  const causes: Cause[] = [];
  // Of metadata a rule may see the name only.
  const visible = ({ metadata, ...rest }: KubeObject) => ({
    ...rest,
    metadata: { name: metadata.name, ...pick(metadata.generateName) },
  });
  const before = old === null ? undefined : visible(old);
  walk(schema, visible(object), before, '', { causes, warnings });
  return causes;
}

function pick(generateName: string | undefined): { generateName?: string } {
  return generateName === undefined ? {} : { generateName };
}

interface Found {
  causes: Cause[];
  warnings: string[];
}

function walk(schema: Schema, value: Open, old: Open, path: string, found: Found): void {
  if (value === undefined || value === null) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    judge(rule, schema, value, old, path, found);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    const keys = schema['x-kubernetes-list-map-keys'];
    if (items === undefined) return;
    value.forEach((item, index) => {
      const matching =
        keys !== undefined && Array.isArray(old) ? old[findItem({ keys }, old, item)] : undefined;
      walk(items, item, matching, `${path}[${index}]`, found);
    });
  } else if (isMap(value)) {
    for (const [name, child] of Object.entries(value)) {
      const more = schema.additionalProperties;
      const known = schema.properties?.[name] ?? (typeof more === 'object' ? more : undefined);
      const at = path === '' ? name : `${path}.${name}`;
      if (known !== undefined) walk(known, child, old?.[name], at, found);
    }
  }
}

function judge(
  rule: Rule,
  schema: Schema,
  value: Open,
  old: Open,
  path: string,
  found: Found,
): void {
  const expression = parseOnce(rule.rule);
  if (expression instanceof CelSyntaxError) {
    found.warnings.push(`rule not judged (${expression.message}): ${rule.rule}`);
    return;
  }
  const isTransition = /\boldSelf\b/.test(rule.rule);
  if (isTransition && (old === undefined || old === null)) return;
  const names = isTransition ? { self: value, oldSelf: old } : { self: value };
  try {
    if (evaluateCel(expression, names) === true) return;
    found.causes.push(violation(rule, schema, path, messageOf(rule, names)));
  } catch (error) {
    if (error instanceof CelUnsupported) {
      found.warnings.push(`rule not judged (${error.message} is not known): ${rule.rule}`);
    } else if (error instanceof CelFailure) {
      found.causes.push(violation(rule, schema, path, `rule evaluation error: ${error.message}`));
    } else throw error;
  }
}

function parseOnce(text: string): Expression | CelSyntaxError {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  let result: Expression | CelSyntaxError;
  try {
    result = parseCel(text);
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error;
    result = error;
  }
  if (parsed.size >= parsedMax) parsed.clear();
  parsed.set(text, result);
  return result;
}

function messageOf(rule: Rule, names: Record<string, Open>): string {
  const plain = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  if (rule.messageExpression === undefined) return plain;
  const expression = parseOnce(rule.messageExpression);
  if (expression instanceof CelSyntaxError) return plain;
  try {
    const text = evaluateCel(expression, names);
    return typeof text === 'string' ? text : plain;
  } catch {
    return plain;
  }
}

/** Kubernetes shows the type in place of the value here. */
function violation(rule: Rule, schema: Schema, path: string, message: string): Cause {
  const { reason = 'FieldValueInvalid', fieldPath = '' } = rule;
  const field = `${path}${fieldPath}` || '<nil>';
  const texts: Record<string, string> = {
    FieldValueForbidden: `Forbidden: ${message}`,
    FieldValueRequired: `Required value: ${message}`,
    FieldValueDuplicate: `Duplicate value: "${schema.type}"`,
  };
  const text = texts[reason] ?? `Invalid value: "${schema.type}": ${message}`;
  return { reason, message: text, field };
}
