/** The words of a command as others may see them (SLOWLOG, MONITOR): without passwords. */
import type { Args } from '../resp/args.ts';
import type { Entry } from './dispatch.ts';

const HIDDEN = '(redacted)';

/** The arguments of a command, secrets replaced. */
export function publicWords({ command }: Entry, args: Args): string[] {
  const words = Array.from({ length: args.count }, (_, i) => args.text(i));
  const hideFrom = firstSecret(command.name, words);
  if (command.name === 'CONFIG|SET') {
    for (let i = 2; i + 1 < words.length; i += 2) {
      if (/^(requirepass|masterauth)$/i.test(words[i])) words[i + 1] = HIDDEN;
    }
  }
  return words.map((word, i) => (i >= hideFrom ? HIDDEN : word));
}

/** From where on all words are secret. */
function firstSecret(name: string, words: readonly string[]): number {
  if (name === 'AUTH') return 1;
  if (name === 'ACL|SETUSER' || name === 'ACL|GETUSER' || name === 'ACL|DELUSER') return 2;
  if (name === 'HELLO') {
    const at = words.findIndex((word, i) => i > 0 && word.toUpperCase() === 'AUTH');
    if (at > 0) return at + 1;
  }
  return words.length;
}
