/** The first line of a script that says how it may be run: `#!lua flags=no-writes,allow-stale`. */

export type ScriptFlag =
  | 'no-writes'
  | 'allow-oom'
  | 'allow-stale'
  | 'no-cluster'
  | 'allow-cross-slot-keys';

export type ScriptFlags = ReadonlySet<ScriptFlag>;

const FLAGS: readonly string[] = [
  ...['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'],
];

export type Shebang = {
  /** The source without that line's text; the line stays, so that errors name the right one. */
  readonly code: string;
  /** Null: there is no such line. */
  readonly flags: ScriptFlags | null;
};

/** Whether a word is the name of a flag. */
export function isScriptFlag(word: string): word is ScriptFlag {
  return FLAGS.includes(word);
}

/** Reads the line of a script; a text, without its code, says what is wrong with it. */
export function readShebang(source: string): Shebang | string {
  if (!source.startsWith('#!')) return { code: source, flags: null };
  const end = source.indexOf('\n');
  if (end < 0) return 'Invalid script shebang';
  const [engine, ...options] = source.slice(0, end).split(' ');
  if (engine !== '#!lua') return `Unexpected engine in script shebang: ${engine}`;
  const flags = new Set<ScriptFlag>();
  for (const option of options) {
    if (!option.startsWith('flags=')) return `Unknown lua shebang option: ${option}`;
    for (const word of option.slice('flags='.length).split(',')) {
      if (!isScriptFlag(word)) return `Unexpected flag in script shebang: ${word}`;
      flags.add(word);
    }
  }
  return { code: source.slice(end), flags };
}
