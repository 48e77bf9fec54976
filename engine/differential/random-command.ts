/**
 * One random command of a grammar: every choice is drawn, optional pieces that stand side by side are
 * shuffled and now and then doubled, words come in either case, and about one command in ten has a mistake.
 */
import type { Grammar, Piece } from '../command/argument-grammar.ts';
import { type Draw, drawKey, exactKinds, junk, kinds } from './kinds.ts';

export type DrawnCommand = {
  /** As the client sends it: a subcommand's name is two words. */
  readonly name: readonly string[];
  readonly group: string;
  readonly grammar: Grammar;
};

const REPEATED_MAX = 3;

export function randomCommand(draw: Draw, command: DrawnCommand): string[] {
  const words = [...command.name, ...sequence(draw, command.group, command.grammar)];
  const mistake = draw.below(80);
  if (mistake === 0 && words.length > 1) words.pop();
  if (mistake === 1) words.push(draw.pick(kinds.value));
  if (mistake === 2) words[0] = words[0].toLowerCase();
  return words;
}

function sequence(draw: Draw, group: string, grammar: Grammar): string[] {
  const words: string[] = [];
  for (let i = 0; i < grammar.length; ) {
    let end = i;
    while (end < grammar.length && isOptional(grammar[end])) end++;
    if (end === i) end++;
    const run = end - i > 1 ? shuffled(draw, grammar.slice(i, end)) : grammar.slice(i, end);
    for (const piece of run) words.push(...wordsOf(draw, group, piece));
    i = end;
  }
  return words;
}

function wordsOf(draw: Draw, group: string, piece: Piece): string[] {
  switch (piece.kind) {
    case 'word':
      return [optionWord(draw, piece.word)];
    case 'argument':
      return [argument(draw, group, piece.of)];
    case 'choice': {
      if (piece.optional && draw.below(2) === 0) return [];
      const words = sequence(draw, group, draw.pick(piece.of));
      // Twice the same option, or one that excludes another.
      if (piece.optional && draw.below(25) === 0) {
        words.push(...sequence(draw, group, draw.pick(piece.of)));
      }
      return words;
    }
    case 'repeat':
      return repeated(draw, group, piece);
  }
}

function repeated(draw: Draw, group: string, piece: Piece & { kind: 'repeat' }): string[] {
  const times = 1 + draw.below(REPEATED_MAX);
  const words = Array.from({ length: times }, () => wordsOf(draw, group, piece.of)).flat();
  if (!piece.counted) return words;
  const wrong = draw.below(30) === 0;
  return [wrong ? draw.pick(['0', '-1', 'x', String(times + 1)]) : String(times), ...words];
}

function argument(draw: Draw, group: string, kind: string): string {
  if (kind === 'key') return drawKey(draw, group);
  return draw.below(60) === 0 && !exactKinds.has(kind) ? draw.pick(junk) : draw.pick(kinds[kind]);
}

function optionWord(draw: Draw, word: string): string {
  const dice = draw.below(60);
  if (dice === 0) return 'FOO';
  return dice < 6 ? word.toLowerCase() : word;
}

function isOptional(piece: Piece): boolean {
  return piece.kind === 'choice' && piece.optional;
}

function shuffled<T>(draw: Draw, values: readonly T[]): T[] {
  const mixed = [...values];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = draw.below(i + 1);
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}
