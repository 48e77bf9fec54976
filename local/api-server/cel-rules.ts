import type { Schema } from './custom-resource.ts';
import type { KubeObject } from './resource.ts';
import type { Cause } from './status-error.ts';

export function checkRules(_schema: Schema, _object: KubeObject, _old: KubeObject | null): Cause[] {
  return [];
}
