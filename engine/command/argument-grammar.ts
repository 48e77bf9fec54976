/**
 * The notation of arguments-table.ts, read into a tree.
 *
 *     key                   an argument, by its kind: pools of values are in engine/differential/kinds.ts
 *     destination:key       the same with a name of its own
 *     EX                    an option word (or a sign such as ~): it stands for itself, in any case
 *     [NX | XX]             one of them, or none
 *     <MIN | MAX>           one of them
 *     (field value)...      one or more; [x]... none or more
 *     key#                  how many there are, then the keys: `2 a b`
 *
 * Optional pieces that stand side by side may come in any order.
 */
export type Piece =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'argument'; readonly name: string; readonly of: string }
  | { readonly kind: 'choice'; readonly of: readonly Grammar[]; readonly optional: boolean }
  | { readonly kind: 'repeat'; readonly of: Piece; readonly counted: boolean };

export type Grammar = readonly Piece[];

const TOKEN = /\.\.\.|[[\]<>()|#]|[^\s[\]<>()|#.]+/g;
const ARGUMENT = /^[a-z][a-z0-9-]*(:[a-z][a-z0-9-]*)?$/;
const CLOSING: Readonly<Record<string, string>> = { '[': ']', '<': '>', '(': ')' };

/** Reads one line of the table; throws with the place where it is wrong. */
export function parseGrammar(text: string): Grammar {
  const reader = new Reader(text.match(TOKEN) ?? [], text);
  const grammar = reader.sequence();
  reader.end();
  return grammar;
}

/** The kinds of arguments that a grammar names. */
export function kindsOf(grammar: Grammar): string[] {
  return grammar.flatMap((piece) => {
    if (piece.kind === 'argument') return [piece.of];
    if (piece.kind === 'choice') return piece.of.flatMap(kindsOf);
    return piece.kind === 'repeat' ? kindsOf([piece.of]) : [];
  });
}

class Reader {
  private readonly tokens: readonly string[];
  private readonly text: string;
  private at = 0;

  constructor(tokens: readonly string[], text: string) {
    this.tokens = tokens;
    this.text = text;
  }

  sequence(): Piece[] {
    const pieces: Piece[] = [];
    while (this.at < this.tokens.length && !/^[\])>|]$/.test(this.tokens[this.at])) {
      pieces.push(this.repeated(this.piece()));
    }
    return pieces;
  }

  end(): void {
    if (this.at < this.tokens.length) this.fail(`${this.tokens[this.at]} closes nothing`);
  }

  private piece(): Piece {
    const token = this.tokens[this.at++];
    const closing = CLOSING[token];
    if (closing === undefined) {
      if (!ARGUMENT.test(token)) return { kind: 'word', word: token };
      const [name, of = name] = token.split(':');
      return { kind: 'argument', name, of };
    }
    const of = [this.sequence()];
    while (this.tokens[this.at] === '|') {
      this.at++;
      of.push(this.sequence());
    }
    if (this.tokens[this.at++] !== closing) this.fail(`${token} is not closed by ${closing}`);
    return { kind: 'choice', of, optional: token === '[' };
  }

  private repeated(of: Piece): Piece {
    const next = this.tokens[this.at];
    if (next !== '...' && next !== '#') return of;
    this.at++;
    return { kind: 'repeat', of, counted: next === '#' };
  }

  private fail(reason: string): never {
    throw new Error(`"${this.text}": ${reason}`);
  }
}
