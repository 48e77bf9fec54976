import fc from 'fast-check';
import { emptyKeyState, type KeyState } from '../crdt/key-state.ts';
import { BlockEditor } from './block-editor.ts';
import { BLOCK_HASH, BLOCK_SET } from './entry.ts';
import { newKeyPlace } from './key-place.ts';
import { Keyspace } from './keyspace.ts';
import { BlockView, PACKED_BYTES_MAX, PACKED_ELEMENTS_MAX } from './packed-block.ts';
import { packState } from './packed-collection.ts';
import { loadState } from './packed-string.ts';
import { slotOf } from './slot.ts';
import { seededChance } from './test-chance.ts';

type Element = { value: string; actor: number; seq: number; hlc: number };

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const out = Buffer.alloc(PACKED_BYTES_MAX + 7);

/** What a view on the editor's bytes shows, in order. */
function elementsOf(editor: BlockEditor): Map<string, Element> {
  const view = new BlockView();
  editor.write(out, 7);
  const isHash = editor.kind === BLOCK_HASH;
  view.open(out, 7, isHash);
  const elements = new Map<string, Element>();
  while (view.next()) {
    const { actor, seq, hlc } = view;
    const name = out.latin1Slice(view.nameStart, view.nameEnd);
    const value = isHash ? out.latin1Slice(view.valueStart, view.valueEnd) : '';
    elements.set(name, { value, actor, seq, hlc });
  }
  for (const name of elements.keys()) {
    const text = bytes(`-${name}-`);
    expect(view.find(text, 1, text.length - 1)).toBe(true);
    expect(out.latin1Slice(view.nameStart, view.nameEnd)).toBe(name);
  }
  expect(view.find(bytes('absent'), 0, 6)).toBe(false);
  return elements;
}

const writes = fc.array(
  fc.record({
    name: fc.constantFrom('', 'a', 'b', 'cc', 'd'.repeat(127), 'e'.repeat(128), 'f'.repeat(600)),
    value: fc.constantFrom('', 'v', 'w'.repeat(127), 'x'.repeat(128), 'y'.repeat(1000)),
    remove: fc.boolean(),
    again: fc.boolean(),
  }),
  { maxLength: 60 },
);

function edit(editor: BlockEditor, name: string, value: string, remove: boolean): boolean {
  const [n, v] = [bytes(name), bytes(value)];
  const element = editor.find(n, 0, n.length);
  if (element < 0) return remove || editor.append(n, 0, n.length, v, 0, v.length);
  if (!remove) return editor.replace(element, v, 0, v.length);
  editor.remove(element);
  return true;
}

describe('a packed block', () => {
  test('holds what a Map holds, in its order, through any edits', () => {
    fc.assert(
      fc.property(writes, fc.boolean(), (steps, isHash) => {
        const kind = isHash ? BLOCK_HASH : BLOCK_SET;
        const editor = new BlockEditor();
        const model = new Map<string, Element>();
        editor.openEmpty(kind);
        let seq = 2 ** 47;
        for (const { name, value, remove, again } of steps) {
          // The same write may have many elements.
          if (!again || seq === 2 ** 47) seq++;
          const stamp = { actor: seq % 3 === 0 ? 65_535 : 7, seq, hlc: 2 ** 52 + seq };
          editor.beginWrite(stamp.actor, stamp.seq, stamp.hlc);
          expect(edit(editor, name, value, remove)).toBe(true);
          if (remove) model.delete(name);
          else model.set(name, { value: isHash ? value : '', ...stamp });
          expect([...elementsOf(editor)]).toEqual([...model]);
          editor.open(out, 7, 7 + editor.byteLength, kind);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('what one write has written costs one stamp, and old stamps go', () => {
    const editor = new BlockEditor();
    editor.openEmpty(BLOCK_SET);
    for (let round = 1; round <= 5; round++) {
      editor.beginWrite(1, round, round);
      for (let i = 0; i < 10; i++) edit(editor, `member${i}`, '', false);
      // Head, one stamp, ten times stamp number, length and name.
      expect(editor.byteLength).toBe(2 + 15 + 10 * (2 + 7));
    }
  });

  test('refuses what goes beyond its limits', () => {
    const editor = new BlockEditor();
    editor.openEmpty(BLOCK_SET);
    editor.beginWrite(1, 1, 1);
    for (let i = 0; i < PACKED_ELEMENTS_MAX; i++)
      expect(edit(editor, `${i}`, '', false)).toBe(true);
    expect(edit(editor, 'more', '', false)).toBe(false);
    editor.openEmpty(BLOCK_HASH);
    editor.beginWrite(1, 1, 1);
    const room = PACKED_BYTES_MAX - 2 - 15 - (1 + 2) - 2;
    expect(edit(editor, 'f', 'v'.repeat(room + 1), false)).toBe(false);
    editor.openEmpty(BLOCK_HASH);
    expect(edit(editor, 'f', 'v'.repeat(room), false)).toBe(true);
    expect(editor.byteLength).toBe(PACKED_BYTES_MAX);
    expect(edit(editor, 'f', 'v'.repeat(room + 1), false)).toBe(false);
  });
});

describe('packState and loadState', () => {
  const keyspace = new Keyspace(seededChance(1), () => 0);
  const editor = new BlockEditor();
  const place = newKeyPlace();
  const stamp = { actor: 3, seq: 2 ** 40 + 5, hlc: 2 ** 52 + 1 };

  function stored(state: KeyState, elementsMax = PACKED_ELEMENTS_MAX): KeyState | null {
    const buf = bytes('key');
    const hash = keyspace.hash.of(buf, 0, 3);
    const ref = keyspace.find(hash, buf, 0, 3);
    Object.assign(place, { hash, ref, slot: slotOf(buf, 0, 3), buf, start: 0, end: 3 });
    if (!packState(keyspace, place, state, editor, elementsMax)) return null;
    expect(keyspace.isRich(place.ref)).toBe(false);
    return loadState(keyspace, place.ref);
  }

  const setOf = (...members: string[]): KeyState => ({
    ...emptyKeyState(),
    set: new Map(members.map((member, i) => [member, [{ ...stamp, seq: stamp.seq + (i & 1) }]])),
  });
  const cell = (value: string) => ({ siblings: [{ ...stamp, value }], contributions: [] });
  const hashOf = (...values: string[]): KeyState => ({
    ...emptyKeyState(),
    hash: new Map(values.map((value, i) => [`field${i}`, cell(value)])),
  });

  test('are inverse, also in the order of elements, with and without TTL', () => {
    const ttls = [
      [],
      [{ ...stamp, expiry: 1e12 }],
      [{ ...stamp, expiry: Number.POSITIVE_INFINITY }],
    ];
    for (const ttl of ttls) {
      for (const state of [setOf('z', 'a', 'm'), hashOf('', 'x'.repeat(500), '\xff\x00')]) {
        state.ttl = ttl;
        const loaded = stored(state);
        expect(loaded).toEqual(state);
        expect([...(loaded?.set ?? loaded?.hash ?? [])]).toEqual([
          ...(state.set ?? state.hash ?? []),
        ]);
        expect(keyspace.expiry.size).toBe(ttl[0]?.expiry === 1e12 ? 1 : 0);
      }
    }
  });

  test('refuse whatever a block cannot say', () => {
    const contribution = { ...stamp, cum: 1, floorSeq: 0, floorCum: 0 };
    const twice = [
      { ...stamp, expiry: 5 },
      { ...stamp, seq: 9, expiry: 6 },
    ];
    const refused: KeyState[] = [
      { ...setOf('a'), cell: cell('v') },
      { ...setOf('a'), hash: hashOf('v').hash },
      { ...setOf('a'), ttl: twice },
      { ...setOf(), set: null, ttl: [{ ...stamp, expiry: 5 }] },
      { ...setOf('a'), set: new Map([['a', [stamp, { ...stamp, actor: 4 }]]]) },
      { ...hashOf('v'), hash: new Map([['f', { ...cell('v'), contributions: [contribution] }]]) },
      { ...hashOf('v'), hash: new Map([['f', { siblings: [], contributions: [contribution] }]]) },
      setOf(...Array.from({ length: PACKED_ELEMENTS_MAX + 1 }, (_, i) => `${i}`)),
      hashOf('x'.repeat(5000), 'y'.repeat(5000)),
      hashOf('x'.repeat(PACKED_BYTES_MAX)),
    ];
    for (const state of refused) expect(stored(state)).toBeNull();
    expect(stored(setOf('a', 'b', 'c'), 2)).toBeNull();
  });
});
