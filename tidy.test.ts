/**
 * House rules that neither the compiler nor biome can say. Each failure names the file and the cure.
 *
 * The rules come from the project's style page: sizes, names, folders, import directions, the short
 * list of files that may touch the outside ("Shell:" files), leftovers, Markdown links and pinned set-up.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from '@swc/core';

const linesMax = 600;
const functionLinesMax = 70;
const bannedNames = /^(utils?|helpers?|common|misc|types|interfaces|lib|src)(\.|$)/;

const root = import.meta.dirname;
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = tracked.filter((file) => file.endsWith('.ts'));
const products = sources.filter((file) => !/\.(test|contract)\.ts$/.test(file));
const text = (file: string) => readFileSync(join(root, file), 'utf8');

/** Removes comments and string contents, so that rules about calls do not read prose. */
function codeOf(file: string): string {
  return text(file)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** Import specifiers of a file, relative ones resolved to paths from the root. */
function importsOf(file: string): string[] {
  const found: string[] = [];
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
  for (const match of text(file).matchAll(pattern)) {
    const specifier = (match[1] ?? match[2]) as string;
    found.push(specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier);
  }
  return found;
}

type Node = { type?: string; span?: { start: number; end: number } } & Record<string, unknown>;

/** Name and length in lines of every function, method and arrow function of a file. */
function functionsOf(file: string): { line: number; lines: number }[] {
  const bytes = readFileSync(join(root, file));
  const found: { line: number; lines: number }[] = [];
  const lineAt = (offset: number) =>
    bytes
      .subarray(0, offset - 1)
      .toString('latin1')
      .split('\n').length;
  const isFunction =
    /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|ClassMethod|PrivateMethod|Constructor|MethodProperty)$/;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    const { type, span } = node as Node;
    if (type !== undefined && span !== undefined && isFunction.test(type)) {
      const line = lineAt(span.start);
      found.push({ line, lines: lineAt(span.end) - line + 1 });
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(parseSync(bytes.toString('utf8'), { syntax: 'typescript', target: 'es2024' }).body);
  return found;
}

const isShell = (file: string) => /^(#!.*\n)?\/\*\*?\s*(\n \* )?Shell:/.test(text(file));

describe('sizes', () => {
  test('no source is longer than 600 lines', () => {
    const isTable = /(-cases|-table)\.ts$/; // data, one row a line
    const long = sources.filter(
      (file) => !isTable.test(file) && text(file).split('\n').length > linesMax,
    );
    expect(long.map((file) => `${file}: split it by concept`)).toEqual([]);
  });

  test('no function is longer than 70 lines', () => {
    const long = products.flatMap((file) =>
      functionsOf(file)
        .filter(({ lines }) => lines > functionLinesMax)
        .map(
          ({ line, lines }) => `${file}:${line}: ${lines} lines; move the leaves into functions`,
        ),
    );
    expect(long).toEqual([]);
  });
});

describe('names', () => {
  test('no file or folder is named after a kind of code', () => {
    const bad = tracked.filter((file) => file.split('/').some((part) => bannedNames.test(part)));
    expect(bad.map((file) => `${file}: name what it is about`)).toEqual([]);
  });

  test('file names are kebab-case', () => {
    const bad = sources.filter((file) => {
      const name = file.split('/').at(-1) as string;
      return !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z-]+)*\.ts$/.test(name);
    });
    expect(bad).toEqual([]);
  });

  test('no folder of sources holds a single file', () => {
    const byFolder = new Map<string, number>();
    for (const file of tracked) {
      for (let dir = dirname(file); dir !== '.'; dir = dirname(dir)) {
        byFolder.set(dir, (byFolder.get(dir) ?? 0) + 1);
      }
    }
    const lonely = [...byFolder].filter(
      ([dir, count]) => count === 1 && sources.some((file) => file.startsWith(`${dir}/`)),
    );
    expect(lonely.map(([dir]) => `${dir}/: put the file beside its user`)).toEqual([]);
  });
});

describe('import directions', () => {
  const area = (file: string) => file.split('/')[0] as string;
  const forbidden: { rule: string; bad: (from: string, to: string) => boolean }[] = [
    {
      rule: 'engine/ knows neither operator/ nor local/ nor e2e/',
      bad: (from, to) => area(from) === 'engine' && ['operator', 'local', 'e2e'].includes(area(to)),
    },
    {
      rule: 'operator/ takes engine/resp and nothing else of the engine',
      bad: (from, to) =>
        area(from) === 'operator' &&
        (['local', 'e2e'].includes(area(to)) ||
          (area(to) === 'engine' && !to.startsWith('engine/resp/'))),
    },
    {
      rule: 'local/ imports nothing from operator/ or engine/: it only starts them',
      bad: (from, to) =>
        area(from) === 'local' &&
        !from.endsWith('.test.ts') &&
        ['operator', 'engine'].includes(area(to)),
    },
    {
      rule: 'nothing imports bench/ or e2e/',
      bad: (from, to) => ['bench', 'e2e'].includes(area(to)) && area(from) !== area(to),
    },
    {
      rule: 'crdt/ imports nothing outside itself',
      bad: (from, to) =>
        from.startsWith('engine/crdt/') &&
        !from.endsWith('.test.ts') &&
        !to.startsWith('engine/crdt/'),
    },
  ];

  for (const { rule, bad } of forbidden) {
    test(rule, () => {
      const found = sources.flatMap((file) =>
        importsOf(file)
          .filter((target) => bad(file, target))
          .map((target) => `${file} imports ${target}`),
      );
      expect(found).toEqual([]);
    });
  }
});

describe('the shell is a short list', () => {
  const scope = products.filter((file) => /^(engine|operator)\//.test(file) && !isShell(file));
  const outside =
    /^(node:)?(fs|fs\/promises|net|tls|http|https|http2|dgram|child_process|worker_threads|timers|timers\/promises)$/;
  const calls =
    /\bDate\.now\(|\bnew Date\(\s*\)|\bMath\.random\(|\bset(Timeout|Interval|Immediate)\(|\brandomUUID\(|\bhrtime\b|\bperformance\.now\(|\bawait\b|\basync\b/;

  test('files without "Shell:" as the first word import nothing that does I/O', () => {
    const bad = scope.flatMap((file) =>
      importsOf(file)
        .filter((target) => outside.test(target))
        .map((target) => `${file} imports ${target}: take it as a parameter`),
    );
    expect(bad).toEqual([]);
  });

  test('files without "Shell:" use no clock, chance, timer or await', () => {
    const bad = scope.flatMap((file) => {
      const code = codeOf(file).split('\n');
      return code.flatMap((line, index) =>
        calls.test(line) ? [`${file}:${index + 1}: ${line.trim()}: take it as a parameter`] : [],
      );
    });
    expect(bad).toEqual([]);
  });

  test('the pure folders hold no shell', () => {
    const pure =
      /^(engine\/(crdt|op|resp|keyspace|core|command|replication)|operator\/(plan|specs))\//;
    const bad = products.filter((file) => pure.test(file) && isShell(file));
    expect(bad.filter((file) => !/generate|bench|redis-process/.test(file))).toEqual([]);
  });
});

describe('leftovers', () => {
  test('nothing is left to do in a comment, and nothing is printed by the way', () => {
    const word = new RegExp(
      `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X'.repeat(3)].join('|')})\\b|console\\.log`,
    );
    const bad = sources
      .filter((file) => file !== 'tidy.test.ts')
      .flatMap((file) =>
        text(file)
          .split('\n')
          .flatMap((line, index) =>
            word.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
          ),
      );
    expect(bad).toEqual([]);
  });

  test('no test is skipped or alone', () => {
    const bad = sources.filter(
      (file) => file !== 'tidy.test.ts' && /\b(test|it|describe)\.(only|skip)\(/.test(text(file)),
    );
    expect(bad).toEqual([]);
  });

  test('bytes are copied by `new Uint8Array(view)`: slice copies an array, and not a Buffer', () => {
    // Buffer.slice is one more view. Replies that waited for the disk were overwritten by later ones.
    const slices = /\b(bytes|buffer|frame|chunk|body|payload|(take|sealInPlace)\(\))\??\.slice\(/;
    const bad = products
      .filter((file) => file.startsWith('engine/'))
      .flatMap((file) =>
        text(file)
          .split('\n')
          .flatMap((line, index) =>
            slices.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
          ),
      );
    expect(bad).toEqual([]);
  });

  test('no test expects a span of time to be short: machines are busy', () => {
    // Ratios within one run, orders of events and counts of steps; e2e/ measures the promised times.
    const short = /expect\((performance\.now|Date\.now|process\.cpuUsage)\(.*toBeLessThan/;
    const bad = sources
      .filter((file) => file.endsWith('.test.ts') && file !== 'tidy.test.ts')
      .flatMap((file) =>
        text(file)
          .split('\n')
          .flatMap((line, index) =>
            short.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
          ),
      );
    expect(bad).toEqual([]);
  });

  test('the lockfile holds no registry host', () => {
    expect(text('package-lock.json')).not.toMatch(/"resolved": *"https?:/);
  });

  test('dependencies are pinned to one version', () => {
    const { dependencies, devDependencies } = JSON.parse(text('package.json'));
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+$/.test(version as string),
    );
    expect(loose).toEqual([]);
  });
});

describe('documents', () => {
  const pages = tracked.filter((file) => file.endsWith('.md'));

  test('links and paths in Markdown resolve', () => {
    const bad = pages.flatMap((page) =>
      [
        ...text(page)
          .replace(/```[\s\S]*?```/g, '')
          .matchAll(/\]\(([^)\s]+)\)/g),
      ]
        .map((match) => (match[1] as string).split('#')[0] as string)
        .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page} links to ${target}, which is not there`),
    );
    expect(bad).toEqual([]);
  });

  test('every top-level folder is on the map in ARCHITECTURE.md', () => {
    const folders = new Set(
      tracked.filter((file) => file.includes('/')).map((file) => file.split('/')[0]),
    );
    const map = text('ARCHITECTURE.md');
    const missing = [...folders].filter((dir) => !map.includes(`${dir}/`) && dir !== '.ci');
    expect(missing).toEqual([]);
  });

  test('every make target named in a document exists', () => {
    const targets = new Set(
      [...text('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map((match) => match[1]),
    );
    const bad = pages.flatMap((page) =>
      [...text(page).matchAll(/`make ([a-z0-9-]+)/g)]
        .filter((match) => !targets.has(match[1]))
        .map((match) => `${page} names make ${match[1]}`),
    );
    expect(bad).toEqual([]);
  });
});

describe('the command table and the conflict-free types', () => {
  test('the laws exercise the key state, and the key state every conflict-free type', () => {
    const laws = tracked.filter((file) => /^engine\/crdt\/.*laws.*\.ts$/.test(file));
    const importedByLaws = new Set(laws.flatMap(importsOf));
    expect([...importedByLaws]).toContain('engine/crdt/key-state.ts');
    expect(importsOf('engine/crdt/key-state.ts')).toContain('engine/crdt/ttl.ts');
    const parts = importsOf('engine/crdt/part.ts');
    for (const type of ['cell', 'element-set', 'field-map', 'stream']) {
      expect(parts).toContain(`engine/crdt/${type}.ts`);
    }
  });

  test('histories of the laws and their spec know every part of a key', async () => {
    const { PART_NAMES } = await import('./engine/crdt/part.ts');
    const field = { cell: 'string' } as Record<string, string>;
    for (const file of ['engine/crdt/laws-history.ts', 'engine/crdt/laws-spec.ts']) {
      const missing = PART_NAMES.filter(
        (name) => !new RegExp(`\\b${field[name] ?? name}:`).test(text(file)),
      );
      expect([file, missing]).toEqual([file, []]);
    }
  });

  test('every write command says what happens when two regions do it at once', async () => {
    const { commandTable } = await import('./engine/command/table.ts');
    const silent = [...commandTable.values()].filter(
      (command) => command.flags.includes('write') && !('conflict' in command && command.conflict),
    );
    expect(silent.map((command) => `${command.name}: add its conflict sentence`)).toEqual([]);
  });
});
