/**
 * Failures as Kubernetes words them: each is a Status object with a code, a reason that clients
 * switch on, and details. One function per reason, so that no message is made up in two places.
 */
import type { ResourceType } from './resource.ts';
import { qualifiedResource } from './resource.ts';

export interface Cause {
  reason: string;
  message: string;
  field: string;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, string>;
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: Cause[];
    retryAfterSeconds?: number;
  };
  code: number;
}

/** Thrown by every operation that fails; the HTTP layer sends `status` as the body. */
export class ApiError extends Error {
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message);
    this.name = 'ApiError';
    this.status = {
      ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' },
      ...{ message, reason, ...(details === undefined ? {} : { details }), code },
    } as Status;
  }

  get code(): number {
    return this.status.code;
  }
}

/** Details name the resource by plural, save for Invalid, which names the kind. */
function detailsOf(type: ResourceType, name: string): NonNullable<Status['details']> {
  return { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.plural };
}

export function notFound(type: ResourceType, name: string): ApiError {
  const message = `${qualifiedResource(type)} "${name}" not found`;
  return new ApiError(404, 'NotFound', message, detailsOf(type, name));
}

export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(type: ResourceType, name: string): ApiError {
  const message = `${qualifiedResource(type)} "${name}" already exists`;
  return new ApiError(409, 'AlreadyExists', message, detailsOf(type, name));
}

export function conflict(type: ResourceType, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(type)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, detailsOf(type, name));
}

export const modifiedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again';

/** A field of server-side apply belongs to another manager. */
export function applyConflict(causes: Cause[]): ApiError {
  const fields = causes.map((cause) => `${cause.message}: ${cause.field}`).join('\n');
  const word = causes.length === 1 ? 'conflict' : 'conflicts';
  const message = `Apply failed with ${causes.length} ${word}: ${fields}`;
  return new ApiError(409, 'Conflict', message, { causes });
}

export function invalid(type: ResourceType, name: string, causes: Cause[]): ApiError {
  const all = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const list = all.length === 1 ? all[0] : `[${all.join(', ')}]`;
  const kind = type.group === '' ? type.kind : `${type.kind}.${type.group}`;
  const details = { name, ...(type.group === '' ? {} : { group: type.group }), kind: type.kind };
  return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, {
    ...details,
    causes,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function forbidden(type: ResourceType, name: string, why: string): ApiError {
  const message = `${qualifiedResource(type)} "${name}" is forbidden: ${why}`;
  return new ApiError(403, 'Forbidden', message, detailsOf(type, name));
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function tooLargeVersion(asked: number, current: number): ApiError {
  const message = `Too large resource version: ${asked}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new ApiError(504, 'Timeout', message, {
    causes: causes as Cause[],
    retryAfterSeconds: 1,
  });
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message);
}

export function methodNotAllowed(): ApiError {
  const message = 'the server does not allow this method on the requested resource';
  return new ApiError(405, 'MethodNotAllowed', message, {});
}

/** A cause as field validation words it. */
export function invalidValue(field: string, value: unknown, why: string): Cause {
  const shown = typeof value === 'object' && value !== null ? kindOf(value) : value;
  const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`;
  return { reason: 'FieldValueInvalid', message, field };
}

export function requiredValue(field: string, why = ''): Cause {
  const message = why === '' ? 'Required value' : `Required value: ${why}`;
  return { reason: 'FieldValueRequired', message, field };
}

export function forbiddenValue(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}

export function unsupportedValue(field: string, value: unknown, allowed: unknown[]): Cause {
  const list = allowed.map((one) => JSON.stringify(one)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  return { reason: 'FieldValueNotSupported', message, field };
}

export function duplicateValue(field: string, value: unknown): Cause {
  const message = `Duplicate value: ${JSON.stringify(value)}`;
  return { reason: 'FieldValueDuplicate', message, field };
}

function kindOf(value: object): string {
  return Array.isArray(value) ? 'array' : 'object';
}
