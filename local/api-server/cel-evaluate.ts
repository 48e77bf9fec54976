/**
 * The Common Expression Language, second half: tree to value. Objects, lists, strings, numbers and
 * booleans are those of JSON; a quantity ("2Gi") and a duration ("30s") are objects of their own.
 *
 * Known are the operators, the macros, and of Kubernetes' libraries strings, lists, quantities and
 * durations. Not known: regular expressions' find, URLs, addresses, formats, timestamps, optional
 * fields. Whole numbers are integers whatever their type, so 4.0 / 3 is 1 here.
 */

import type { Expression } from './cel-parse.ts';
import { canonicalJson } from './field-set.ts';
import type { Open } from './resource.ts';
import { isMap } from './shape.ts';

/** A function that is not known here: the rule cannot be judged. */
export class CelUnsupported extends Error {}

/** The rule fails on this value: no such key, wrong type. */
export class CelFailure extends Error {}

export type Names = Record<string, Open>;

/** Throws CelFailure or CelUnsupported. */
export function evaluateCel(expression: Expression, names: Names): Open {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'name':
      if (Object.hasOwn(names, expression.name)) return names[expression.name];
      throw new CelUnsupported(`name ${expression.name}`);
    case 'select':
      return member(evaluateCel(expression.of, names), expression.field);
    case 'has': {
      const of = evaluateCel(expression.of, names);
      if (!isMap(of)) throw new CelFailure('has() needs an object');
      return Object.hasOwn(of, expression.field) && of[expression.field] !== null;
    }
    case 'index': {
      const of = evaluateCel(expression.of, names);
      return member(of, evaluateCel(expression.at, names));
    }
    case 'list':
      return expression.items.map((item) => evaluateCel(item, names));
    case 'map': {
      const entries = expression.entries.map(([key, value]) => [
        evaluateCel(key, names),
        evaluateCel(value, names),
      ]);
      return Object.fromEntries(entries);
    }
    case 'choice': {
      const test = truth(evaluateCel(expression.test, names));
      return evaluateCel(test ? expression.yes : expression.no, names);
    }
    case 'unary': {
      const of = evaluateCel(expression.of, names);
      return expression.operator === '!' ? !truth(of) : -of;
    }
    case 'binary':
      return binary(expression, names);
    case 'macro':
      return macro(expression, names);
    case 'call':
      return call(expression, names);
  }
}

function member(of: Open, key: Open): Open {
  if (Array.isArray(of) && Number.isInteger(key) && key >= 0 && key < of.length) return of[key];
  if (isMap(of) && typeof key === 'string' && Object.hasOwn(of, key)) return of[key];
  throw new CelFailure(`no such key: ${key}`);
}

function truth(value: Open): boolean {
  if (typeof value === 'boolean') return value;
  throw new CelFailure(`not a boolean: ${JSON.stringify(value)}`);
}

function binary(expression: Expression & { kind: 'binary' }, names: Names): Open {
  const { operator, left, right } = expression;
  if (operator === '&&') return logical(left, right, names, false);
  if (operator === '||') return logical(left, right, names, true);
  const [a, b] = [evaluateCel(left, names), evaluateCel(right, names)];
  switch (operator) {
    case '==':
      return same(a, b);
    case '!=':
      return !same(a, b);
    case 'in':
      return Array.isArray(b) ? b.some((one) => same(one, a)) : isMap(b) && Object.hasOwn(b, a);
    case '<':
      return order(a, b) < 0;
    case '<=':
      return order(a, b) <= 0;
    case '>':
      return order(a, b) > 0;
    case '>=':
      return order(a, b) >= 0;
    case '+':
      return Array.isArray(a) ? [...a, ...b] : a + b;
    default:
      return arithmetic(operator, a, b);
  }
}

/** One side that decides is enough, even if the other cannot be evaluated. */
function logical(left: Expression, right: Expression, names: Names, decides: boolean): boolean {
  let failure: unknown = null;
  try {
    if (truth(evaluateCel(left, names)) === decides) return decides;
  } catch (error) {
    if (!(error instanceof CelFailure)) throw error;
    failure = error;
  }
  if (truth(evaluateCel(right, names)) === decides) return decides;
  if (failure !== null) throw failure;
  return !decides;
}

function arithmetic(operator: string, a: Open, b: Open): number {
  if (typeof a !== 'number' || typeof b !== 'number') throw new CelFailure('not numbers');
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (b === 0) throw new CelFailure('division by zero');
  if (operator === '%') return a % b;
  return Number.isInteger(a) && Number.isInteger(b) ? Math.trunc(a / b) : a / b;
}

export function same(a: Open, b: Open): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function order(a: Open, b: Open): number {
  const [x, y] = [a?.durationMs ?? a?.quantity ?? a, b?.durationMs ?? b?.quantity ?? b];
  if (typeof x !== typeof y || (typeof x !== 'number' && typeof x !== 'string')) {
    throw new CelFailure(`cannot compare ${JSON.stringify(a)} and ${JSON.stringify(b)}`);
  }
  return x < y ? -1 : x > y ? 1 : 0;
}

function macro(expression: Expression & { kind: 'macro' }, names: Names): Open {
  const { name, variable, args } = expression;
  const of = evaluateCel(expression.of, names);
  if (!Array.isArray(of) && !isMap(of)) throw new CelFailure(`${name}() needs a list or a map`);
  // Over a map, macros see its keys.
  const items: Open[] = Array.isArray(of) ? of : Object.keys(of);
  const evaluate = (index: number, item: Open) =>
    evaluateCel(args[index], { ...names, [variable]: item });
  const holds = (item: Open) => truth(evaluate(0, item));
  switch (name) {
    case 'all':
      return items.every(holds);
    case 'exists':
      return items.some(holds);
    case 'exists_one':
      return items.filter(holds).length === 1;
    case 'filter':
      return items.filter(holds);
    default:
      if (args.length === 1) return items.map((item) => evaluate(0, item));
      return items.filter(holds).map((item) => evaluate(1, item));
  }
}

function call(expression: Expression & { kind: 'call' }, names: Names): Open {
  const { name, target } = expression;
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (known === undefined) throw new CelUnsupported(`function ${name}`);
  const args = expression.args.map((one) => evaluateCel(one, names));
  const all = target === null ? args : [evaluateCel(target, names), ...args];
  return known(...all);
}

const functions: Record<string, (...args: Open[]) => Open> = {
  size: (of) => (typeof of === 'string' ? [...of].length : sizeOf(of)),
  int: (value) => whole(typeof value === 'string' ? Number(value) : Math.trunc(value), value),
  double: (value) => Number(value),
  string: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  bool: (value) => (typeof value === 'boolean' ? value : value === 'true'),
  dyn: (value) => value,
  startsWith: (text, part) => string(text).startsWith(part),
  endsWith: (text, part) => string(text).endsWith(part),
  contains: (text, part) => string(text).includes(part),
  matches: (text, pattern) => new RegExp(pattern, 'u').test(string(text)),
  indexOf: (of, part) => of.indexOf(part),
  lastIndexOf: (of, part) => of.lastIndexOf(part),
  substring: (text, from, to) => substring(string(text), from, to ?? text.length),
  charAt: (text, at) => string(text).charAt(at),
  split: (text, by) => string(text).split(by),
  join: (list, by) => list.join(by ?? ''),
  replace: (text, from, to) => string(text).replaceAll(from, to),
  trim: (text) => string(text).trim(),
  lowerAscii: (text) => string(text).toLowerCase(),
  upperAscii: (text) => string(text).toUpperCase(),
  isSorted: (list) =>
    list.every((one: Open, at: number) => at === 0 || order(list[at - 1], one) <= 0),
  sum: (list) => list.reduce((sum: number, one: number) => sum + one, 0),
  min: (list) => list.reduce((least: Open, one: Open) => (order(one, least) < 0 ? one : least)),
  max: (list) => list.reduce((most: Open, one: Open) => (order(one, most) > 0 ? one : most)),
  quantity: (text) => ({ quantity: parseQuantity(string(text)) }),
  isQuantity: (text) => quantityPattern.test(text),
  compareTo: (a, b) => order(a, b),
  isGreaterThan: (a, b) => order(a, b) > 0,
  isLessThan: (a, b) => order(a, b) < 0,
  duration: (text) => ({ durationMs: parseDuration(string(text)) }),
};

function sizeOf(of: Open): number {
  if (Array.isArray(of)) return of.length;
  if (isMap(of)) return Object.keys(of).length;
  throw new CelFailure('size() needs a string, a list or a map');
}

function string(value: Open): string {
  if (typeof value === 'string') return value;
  throw new CelFailure(`not a string: ${JSON.stringify(value)}`);
}

function whole(number: number, from: Open): number {
  if (Number.isInteger(number)) return number;
  throw new CelFailure(`cannot convert ${JSON.stringify(from)} to int`);
}

function substring(text: string, from: number, to: number): string {
  if (from < 0 || to > text.length || from > to) throw new CelFailure('substring out of range');
  return text.slice(from, to);
}

const quantityPattern = /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
const suffixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

function parseQuantity(text: string): number {
  const match = quantityPattern.exec(text);
  if (match === null) throw new CelFailure(`not a quantity: ${text}`);
  const [, number, suffix = ''] = match;
  if (suffix === 'm') return Number(number) / 1000;
  const binary = suffix.endsWith('i');
  const power = suffixes.indexOf(binary ? suffix[0].replace('K', 'k') : suffix);
  return Number(number) * (binary ? 1024 : 1000) ** power;
}

const unitMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.map(([part]) => part).join('') !== text.replace(/^-/, '') || parts.length === 0) {
    throw new CelFailure(`not a duration: ${text}`);
  }
  const sum = parts.reduce((ms, [, number, unit]) => ms + Number(number) * unitMs[unit], 0);
  return text.startsWith('-') ? -sum : sum;
}
