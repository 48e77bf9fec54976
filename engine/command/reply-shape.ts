/**
 * What a command answers, as data: the table declares a shape per command, `docs/commands.md`
 * prints it, and the tests check every reply that they see against it.
 *
 * Shapes speak of RESP3 types. On RESP2 a map is a flat array, a set an array, a double a bulk
 * string, a push an array; `replyFits` knows these substitutions.
 */
export type ReplyShape =
  | { readonly kind: 'status'; readonly values: readonly string[] }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'bulk' }
  | { readonly kind: 'double' }
  | { readonly kind: 'null' }
  | { readonly kind: 'array'; readonly of: ReplyShape }
  | { readonly kind: 'tuple'; readonly of: readonly ReplyShape[] }
  | { readonly kind: 'set'; readonly of: ReplyShape }
  | { readonly kind: 'map'; readonly of: ReplyShape }
  | { readonly kind: 'either'; readonly of: readonly ReplyShape[] }
  | { readonly kind: 'push' }
  | { readonly kind: 'any' }
  | { readonly kind: 'nothing' };

export const ok: ReplyShape = { kind: 'status', values: ['OK'] };
export const integer: ReplyShape = { kind: 'integer' };
export const count: ReplyShape = { kind: 'integer', min: 0 };
export const flag: ReplyShape = { kind: 'integer', min: 0, max: 1 };
export const bulk: ReplyShape = { kind: 'bulk' };
export const nothing: ReplyShape = { kind: 'nothing' };
export const nil: ReplyShape = { kind: 'null' };
export const any: ReplyShape = { kind: 'any' };
export const push: ReplyShape = { kind: 'push' };
export const double: ReplyShape = { kind: 'double' };
export const doubleOrNull: ReplyShape = { kind: 'either', of: [double, nil] };
export const integerOrNull: ReplyShape = { kind: 'either', of: [count, nil] };
export const bulkOrNull: ReplyShape = { kind: 'either', of: [bulk, nil] };
export const bulks: ReplyShape = { kind: 'array', of: bulk };
export const bulksOrNulls: ReplyShape = { kind: 'array', of: bulkOrNull };
export const bulkSet: ReplyShape = { kind: 'set', of: bulk };
export const bulkMap: ReplyShape = { kind: 'map', of: bulk };
export const anyMap: ReplyShape = { kind: 'map', of: any };
/** SCAN and its like: the next cursor and a page. */
export const page: ReplyShape = { kind: 'tuple', of: [bulk, bulks] };

/** One of several shapes. */
export function either(...of: ReplyShape[]): ReplyShape {
  return { kind: 'either', of };
}

/** A status reply that is one of these words. */
export function status(...values: string[]): ReplyShape {
  return { kind: 'status', values };
}

/** An array of any number of one shape. */
export function arrayOf(of: ReplyShape): ReplyShape {
  return { kind: 'array', of };
}

/** The shape in words, for `docs/commands.md`. */
export function describeShape(shape: ReplyShape): string {
  switch (shape.kind) {
    case 'status':
      return shape.values.map((v) => `\`${v}\``).join(' or ');
    case 'integer':
      return describeInteger(shape.min, shape.max);
    case 'bulk':
      return 'bulk string';
    case 'double':
      return 'double';
    case 'null':
      return 'null';
    case 'array':
      return `array of ${describeShape(shape.of)}`;
    case 'set':
      return `set of ${describeShape(shape.of)}`;
    case 'map':
      return `map to ${describeShape(shape.of)}`;
    case 'tuple':
      return `[${shape.of.map(describeShape).join(', ')}]`;
    case 'either':
      return shape.of.map(describeShape).join(' or ');
    case 'push':
      return 'push message';
    case 'any':
      return 'any reply';
    case 'nothing':
      return 'nothing';
  }
}

function describeInteger(min: number | undefined, max: number | undefined): string {
  if (min === 0 && max === 1) return '`0` or `1`';
  if (min === 0 && max === undefined) return 'integer ≥ 0';
  return 'integer';
}
