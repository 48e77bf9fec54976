import fc from 'fast-check';
import { CommandLookup } from '../command/dispatch.ts';
import { commandTable } from '../command/table.ts';
import { Args } from '../resp/args.ts';
import { CommandBlocks } from './command-blocks.ts';
import { elementsOf, mergeReplies } from './merge.ts';
import { keyIndexes, planOf } from './plan.ts';
import { nextCursor, readCursor } from './scan-cursor.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const merged = (...args: Parameters<typeof mergeReplies>) => mergeReplies(...args).latin1Slice();

describe('merging the replies of shards', () => {
  test('integers', () => {
    const parts = [':3\r\n', ':-1\r\n', ':5\r\n'].map(bytes);
    expect(merged('sum', parts)).toBe(':7\r\n');
    expect(merged('min', parts)).toBe(':-1\r\n');
    expect(merged('max', parts)).toBe(':5\r\n');
    expect(merged('sum', [bytes(':1\r\n'), bytes('+OK\r\n')])).toContain('-ERR');
  });

  test('the first error is the reply', () => {
    const parts = [':3\r\n', '-OOM x\r\n', '-ERR y\r\n'].map(bytes);
    for (const merge of ['sum', 'ok', 'concat', 'any'] as const) {
      expect(merged(merge, parts)).toBe('-OOM x\r\n');
    }
  });

  test('elements go back to the places of their keys', () => {
    const parts = [bytes('*2\r\n$1\r\na\r\n$-1\r\n'), bytes('*1\r\n$4\r\n\r\n\r\n\r\n')];
    expect(merged('elements', parts, [0, 1, 0])).toBe('*3\r\n$1\r\na\r\n$4\r\n\r\n\r\n\r\n$-1\r\n');
    expect(merged('elements', parts, [0, 1, 1])).toContain('-ERR');
  });

  test('lists of names and of counts', () => {
    expect(merged('concat', [bytes('*1\r\n+a\r\n'), bytes('*0\r\n'), bytes('*1\r\n*0\r\n')])).toBe(
      '*2\r\n+a\r\n*0\r\n',
    );
    const counts = [bytes('*2\r\n$1\r\nc\r\n:1\r\n'), bytes('*2\r\n$1\r\nc\r\n:4\r\n')];
    expect(merged('counts', counts)).toBe('*2\r\n$1\r\nc\r\n:5\r\n');
  });

  test('any: a shard without keys does not hide the others', () => {
    const parts = ['$-1\r\n', '$1\r\nk\r\n', '_\r\n'].map(bytes);
    for (const choice of [0, 0.5, 0.99]) {
      expect(merged('any', parts, [], choice)).toBe('$1\r\nk\r\n');
    }
    expect(merged('any', [bytes('$-1\r\n'), bytes('$-1\r\n')], [], 0.9)).toBe('$-1\r\n');
  });

  test('what is no array has no elements', () => {
    for (const reply of ['$-1\r\n', '*-1\r\n', ':1\r\n', '*2\r\n:1\r\n']) {
      expect(elementsOf(bytes(reply))).toBeNull();
    }
  });
});

describe('cursors of SCAN', () => {
  test('every cursor given is read back as shard and inner cursor', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 1024 }),
      fc.nat(),
      fc.bigInt({ min: 1n, max: 2n ** 53n }),
      (shards, n, inner) => {
        const shard = n % shards;
        const text = nextCursor(shard, inner, shards);
        expect(BigInt(text)).toBeLessThan(2n ** 64n);
        expect(readCursor(text, shards)).toEqual({ shard, inner });
        const next = nextCursor(shard, 0n, shards);
        if (shard + 1 === shards) expect(next).toBe('0');
        else expect(readCursor(next, shards)).toEqual({ shard: shard + 1, inner: 0n });
      },
    );
    fc.assert(property);
  });

  test.each(['-1', 'x', '', '3', String(2n ** 70n)])('%j is none of two shards', (text) => {
    expect(readCursor(text, 2)).toBeNull();
  });
});

describe('plans', () => {
  const lookup = new CommandLookup(commandTable.values());
  const plan = (...words: string[]) => planOf(lookup.resolve(Args.from(words))!);

  test('every command with keys is routed by them, and no command that writes is local', () => {
    const without: string[] = [];
    const all = [...commandTable.values()].flatMap((c) => [c, ...(c.subcommands ?? [])]);
    for (const command of all) {
      if (command.subcommands !== undefined) continue;
      const words = command.name.split('|');
      const { kind, special } = plan(...words, 'x');
      if (command.keys !== null || command.keyCountAt !== undefined) {
        const isOwn = special === 'watch' || special === 'blocking';
        const routed = kind === 'keys' || kind === 'split' || isOwn;
        if (!routed && !command.name.endsWith('SUBSCRIBE')) without.push(command.name);
      } else if (command.flags.includes('write') && kind === 'local') without.push(command.name);
    }
    expect(without).toEqual([]);
  });

  test('key positions: ranges, steps, counts', () => {
    const at = (...words: string[]) => keyIndexes(plan(...words), Args.from(words));
    expect(at('SORT', 'a', 'BY', 'w*', 'STORE', 'b', 'DESC')).toEqual([1, 5]);
    expect(at('SORT', 'a', 'GET', 'STORE')).toEqual([1]);
    expect(at('GET', 'k')).toEqual([1]);
    expect(at('MSET', 'a', '1', 'b', '2')).toEqual([1, 3]);
    expect(at('DEL', 'a', 'b', 'c')).toEqual([1, 2, 3]);
    expect(at('SINTERCARD', '2', 'a', 'b', 'LIMIT', '1')).toEqual([2, 3]);
    expect(at('SINTERCARD', '5', 'a')).toEqual([]);
    expect(at('OBJECT', 'ENCODING', 'k')).toEqual([2]);
    expect(at('PUBLISH', 'c', 'm')).toEqual([1]);
  });
});

test('blocks keep commands until they are answered, and are used again', () => {
  const blocks = new CommandBlocks();
  const kept: { memory: Buffer; start: number; end: number; text: string }[] = [];
  let written = '';
  const write = (part: Buffer) => {
    written += part.latin1Slice();
  };
  let expected = '';
  for (let i = 0; i < 5000; i++) {
    const text = `<${i}>`.repeat(1 + (i % 50));
    const source = bytes(text);
    const block = blocks.append(source, 0, source.length);
    kept.push({ memory: block.memory, start: block.used - text.length, end: block.used, text });
    expected += text;
    if (i % 7 === 0) blocks.flush(write);
    // Answered in order, some time later.
    if (kept.length > 300) {
      const { memory, start, end, text: first } = kept.shift()!;
      expect(memory.latin1Slice(start, end)).toBe(first);
    }
  }
  blocks.flush(write);
  expect(written).toBe(expected);
  expect(blocks.flushedBytes).toBe(blocks.appended);
});
