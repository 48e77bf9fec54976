/**
 * The Common Expression Language, first half: text to tree. Precedence climbing over one list of
 * tokens; the macros (has, all, exists, exists_one, map, filter) become nodes of their own, since
 * their arguments are not evaluated like those of a function.
 */

export type Expression =
  | { kind: 'literal'; value: unknown }
  | { kind: 'name'; name: string }
  | { kind: 'select'; of: Expression; field: string }
  | { kind: 'has'; of: Expression; field: string }
  | { kind: 'index'; of: Expression; at: Expression }
  | { kind: 'call'; name: string; target: Expression | null; args: Expression[] }
  | { kind: 'macro'; name: string; of: Expression; variable: string; args: Expression[] }
  | { kind: 'unary'; operator: string; of: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'choice'; test: Expression; yes: Expression; no: Expression }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'map'; entries: [Expression, Expression][] };

/** The text is not CEL, or a part of CEL that is not known here. */
export class CelSyntaxError extends Error {}

interface Token {
  kind: 'number' | 'string' | 'name' | 'mark' | 'end';
  text: string;
  value?: unknown;
}

const tokenPattern =
  /\s+|(\d+\.\d+(?:e[+-]?\d+)?|0x[0-9a-f]+|\d+)u?|(r?)("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([A-Za-z_]\w*)|(&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}])/iy;

const precedence: Record<string, number> = {
  ...{ '||': 1, '&&': 2, '==': 3, '!=': 3, '<': 3, '<=': 3, '>': 3, '>=': 3, in: 3 },
  ...{ '+': 4, '-': 4, '*': 5, '/': 5, '%': 5 },
};

const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const constants: Record<string, unknown> = { true: true, false: false, null: null };

/** Throws CelSyntaxError. */
export function parseCel(text: string): Expression {
  const parser = { tokens: tokenize(text), at: 0 };
  const expression = parseChoice(parser);
  if (peek(parser).kind !== 'end') throw unexpected(parser);
  return expression;
}

interface Parser {
  tokens: Token[];
  at: number;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const from = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) throw new CelSyntaxError(`cannot read ${text.slice(from, from + 10)}`);
    const [, number, raw, quoted, name, mark] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number, value: Number(number) });
    else if (quoted !== undefined) {
      tokens.push({ kind: 'string', text: quoted, value: unquote(quoted, raw !== '') });
    } else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
  }
  tokens.push({ kind: 'end', text: 'the end' });
  return tokens;
}

function unquote(quoted: string, raw: boolean): string {
  const inner = quoted.slice(1, -1);
  if (raw) return inner;
  const named: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return inner.replace(/\\(u[0-9a-f]{4}|.)/gi, (_, code: string) =>
    code.length === 5
      ? String.fromCharCode(Number.parseInt(code.slice(1), 16))
      : (named[code] ?? code),
  );
}

function parseChoice(parser: Parser): Expression {
  const test = parseBinary(parser, 1);
  if (!take(parser, '?')) return test;
  const yes = parseBinary(parser, 1);
  expect(parser, ':');
  return { kind: 'choice', test, yes, no: parseChoice(parser) };
}

function parseBinary(parser: Parser, lowest: number): Expression {
  let left = parseUnary(parser);
  for (;;) {
    const operator = peek(parser).text;
    const level = levelOf(peek(parser));
    if (level === undefined || level < lowest) return left;
    parser.at += 1;
    left = { kind: 'binary', operator, left, right: parseBinary(parser, level + 1) };
  }
}

function levelOf({ kind, text }: Token): number | undefined {
  return kind !== 'string' && Object.hasOwn(precedence, text) ? precedence[text] : undefined;
}

function parseUnary(parser: Parser): Expression {
  for (const operator of ['!', '-']) {
    if (take(parser, operator)) return { kind: 'unary', operator, of: parseUnary(parser) };
  }
  return parseMember(parser);
}

function parseMember(parser: Parser): Expression {
  let of = parsePrimary(parser);
  for (;;) {
    if (take(parser, '[')) {
      const at = parseChoice(parser);
      expect(parser, ']');
      of = { kind: 'index', of, at };
    } else if (take(parser, '.')) {
      const name = takeName(parser);
      if (take(parser, '(')) of = methodCall(parser, of, name);
      else of = { kind: 'select', of, field: unescapeField(name) };
    } else return of;
  }
}

function methodCall(parser: Parser, of: Expression, name: string): Expression {
  const args = parseArguments(parser);
  const [first, ...rest] = args;
  if (!macros.has(name) || first?.kind !== 'name' || rest.length === 0) {
    return { kind: 'call', name, target: of, args };
  }
  return { kind: 'macro', name, of, variable: first.name, args: rest };
}

function parsePrimary(parser: Parser): Expression {
  const token = peek(parser);
  parser.at += 1;
  if (token.kind === 'number' || token.kind === 'string') {
    return { kind: 'literal', value: token.value };
  }
  if (token.kind === 'name') {
    if (Object.hasOwn(constants, token.text))
      return { kind: 'literal', value: constants[token.text] };
    if (!take(parser, '(')) return { kind: 'name', name: token.text };
    const args = parseArguments(parser);
    const [first] = args;
    if (token.text === 'has' && first?.kind === 'select') return { ...first, kind: 'has' };
    return { kind: 'call', name: token.text, target: null, args };
  }
  if (token.text === '(') {
    const inner = parseChoice(parser);
    expect(parser, ')');
    return inner;
  }
  if (token.text === '[') return { kind: 'list', items: parseSequence(parser, ']', parseChoice) };
  if (token.text === '{') {
    return { kind: 'map', entries: parseSequence(parser, '}', parseEntry) };
  }
  parser.at -= 1;
  throw unexpected(parser);
}

function parseEntry(parser: Parser): [Expression, Expression] {
  const key = parseChoice(parser);
  expect(parser, ':');
  return [key, parseChoice(parser)];
}

function parseArguments(parser: Parser): Expression[] {
  return parseSequence(parser, ')', parseChoice);
}

function parseSequence<T>(parser: Parser, end: string, parseOne: (parser: Parser) => T): T[] {
  const items: T[] = [];
  while (!take(parser, end)) {
    items.push(parseOne(parser));
    if (peek(parser).text !== end) expect(parser, ',');
  }
  return items;
}

/** Fields whose names are words of CEL are written __name__ in rules. */
function unescapeField(name: string): string {
  return /^__(.+)__$/.exec(name)?.[1] ?? name;
}

function peek(parser: Parser): Token {
  return parser.tokens[parser.at];
}

function take(parser: Parser, mark: string): boolean {
  const token = peek(parser);
  if (token.kind !== 'mark' || token.text !== mark) return false;
  parser.at += 1;
  return true;
}

function takeName(parser: Parser): string {
  const token = peek(parser);
  if (token.kind !== 'name') throw unexpected(parser);
  parser.at += 1;
  return token.text;
}

function expect(parser: Parser, mark: string): void {
  if (!take(parser, mark)) throw unexpected(parser, mark);
}

function unexpected(parser: Parser, wanted?: string): CelSyntaxError {
  const instead = wanted === undefined ? '' : ` where ${wanted} should be`;
  return new CelSyntaxError(`unexpected ${peek(parser).text}${instead}`);
}
