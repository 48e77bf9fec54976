/**
 * Validation: a list of field errors, never an exception, and the same function everywhere
 * (planner, tests, and through rule.ts the API server).
 */
import type { z } from 'zod';
import { RULES } from './rule.ts';
import { type Spec, specSchema } from './schema.ts';

/** One thing that is wrong: where, what stands there, what must hold, what to do. */
export type FieldError = {
  readonly path: string;
  readonly value: unknown;
  readonly rule: string;
  readonly cure: string;
};

export type Validated =
  | { readonly spec: Spec; readonly errors: readonly [] }
  | { readonly spec: null; readonly errors: readonly FieldError[] };

/**
 * Checks a spec as a user wrote it and fills in the defaults.
 *
 * `old` is the spec that is in force (already valid), or null for a new database.
 */
export function validate(name: string, raw: unknown, old: Spec | null): Validated {
  const parsed = specSchema.safeParse(raw);
  if (!parsed.success) {
    return { spec: null, errors: parsed.error.issues.map((issue) => fromIssue(issue, raw)) };
  }
  const subject = { name, spec: parsed.data, old };
  const errors = RULES.flatMap(({ check, rule, cure }) =>
    check(subject).map(({ path, value }) => ({ path, value, rule, cure })),
  );
  return errors.length === 0 ? { spec: parsed.data, errors: [] } : { spec: null, errors };
}

/** What only an operator can know: the region it was installed for must be one of the list. */
export function checkOwnRegion(spec: Spec, region: string): readonly FieldError[] {
  if (spec.regions.some(({ name }) => name === region)) return [];
  const names = spec.regions.map(({ name }) => name).join(', ');
  return [
    {
      path: 'spec.regions',
      value: names,
      rule: `the region of this cluster, "${region}", must be listed`,
      cure: `add it, or install the operator with --region set to one of: ${names}`,
    },
  ];
}

/** One field error as a sentence. */
export function explain({ path, value, rule, cure }: FieldError): string {
  const shown = value === undefined ? 'is missing' : `has ${JSON.stringify(value)}`;
  return `${path}: ${shown}; ${rule}; ${cure}`;
}

function fromIssue(issue: z.core.$ZodIssue, raw: unknown): FieldError {
  const path = issue.path.reduce<string>(
    (text, part) => text + (typeof part === 'number' ? `[${part}]` : `.${String(part)}`),
    'spec',
  );
  let value: unknown = raw;
  for (const part of issue.path) {
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[part];
  }
  return { path, value, rule: issue.message, cure: 'see docs/api.md for what this field admits' };
}
