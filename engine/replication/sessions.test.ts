/**
 * Transcript tests: each file of testdata is a list of commands with everything that happened.
 * `UPDATE=1` rewrites the files; the reviewer reads the difference.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transcript } from './transcript.ts';

const folder = join(import.meta.dirname, 'testdata');

function replay(text: string): string {
  const transcript = new Transcript();
  return `${text
    .split('\n\n')
    .map((block) => {
      const lines = block.trim().split('\n');
      if (lines.every((line) => line.startsWith('#'))) return lines.join('\n');
      const comments = lines.filter((line) => line.startsWith('#'));
      const command = lines.find((line) => !line.startsWith('#'))!;
      return [...comments, command, '----', transcript.play(command)].join('\n');
    })
    .join('\n\n')}\n`;
}

describe('session transcripts', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    test(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = join(folder, name);
      const text = readFileSync(path, 'utf8');
      const replayed = replay(text);
      if (process.env.UPDATE) writeFileSync(path, replayed);
      else expect(replayed).toBe(text);
    });
  }
});
