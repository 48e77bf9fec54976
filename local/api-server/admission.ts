/**
 * What every write passes before it is stored: defaults, then the checks of the kind. Custom
 * resources are pruned and checked by their schema and their CEL rules; built-in ones by the
 * tables for them.
 */
import { fillBuiltInDefaults } from './built-in-defaults.ts';
import { checkBuiltIn, checkMetadata } from './built-in-validation.ts';
import { checkRules } from './cel-rules.ts';
import { checkDefinition } from './custom-resource.ts';
import type { KubeObject, ResourceType } from './resource.ts';
import { ApiError, type Cause, invalid } from './status-error.ts';
import { fillDefaults, prune, validate } from './structural-schema.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/**
 * The object as it will be stored. Throws 422 with every violation, or 400 for unknown fields when
 * they are to be refused; with Warn their names are added to `warnings`.
 */
export function admit(
  type: ResourceType,
  object: KubeObject,
  old: KubeObject | null,
  unknownFields: FieldValidation,
  warnings: string[],
): KubeObject {
  if (type.custom === undefined) {
    fillBuiltInDefaults(object);
    const rules =
      type.kind === 'CustomResourceDefinition'
        ? checkDefinition(object)
        : checkBuiltIn(object, old);
    refuse(type, object, [...checkMetadata(object), ...rules]);
    return object;
  }
  const { schema } = type.custom;
  if (schema === undefined) return object;
  const unknown: string[] = [];
  const pruned = prune(schema, object, '', unknown) as KubeObject;
  if (unknown.length > 0 && unknownFields === 'Strict') {
    const list = unknown.map((path) => `unknown field ${JSON.stringify(path)}`).join(', ');
    const message = `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${list}`;
    throw new ApiError(400, 'BadRequest', message);
  }
  if (unknownFields === 'Warn') {
    warnings.push(...unknown.map((path) => `unknown field ${JSON.stringify(path)}`));
  }
  const filled = fillDefaults(schema, pruned) as KubeObject;
  const causes = [...checkMetadata(filled), ...validate(schema, filled, '')];
  // Rules may assume what the schema promises, so they only run on an object that keeps it.
  refuse(type, filled, causes);
  refuse(type, filled, checkRules(schema, filled, old, warnings));
  return filled;
}

function refuse(type: ResourceType, object: KubeObject, causes: Cause[]): void {
  if (causes.length > 0) throw invalid(type, object.metadata.name, causes);
}
