/**
 * The form of the cases of redis.compare.test.ts. One line is one command: a verb (`run`, `same`,
 * `sameSorted`, `sameError`) and the words; a word with blanks or special bytes is a JSON string.
 */
export type Case = readonly [verb: string, ...words: string[]];

const WORD = /"(?:[^"\\]|\\.)*"|\S+/g;

/** The cases of a script. */
export function play(script: string): Case[] {
  const lines = script.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const words = line.match(WORD)!;
      return words.map((word) => (word[0] === '"' ? JSON.parse(word) : word)) as unknown as Case;
    });
}
