import { emptyKeyState } from '../crdt/key-state.ts';
import { appendToBlock, hasRoomForOne } from './block-append.ts';
import { BlockEditor } from './block-editor.ts';
import { metaOf, TABLE_HASH, TABLE_SET, tableKind } from './entry.ts';
import { newKeyPlace } from './key-place.ts';
import { Keyspace } from './keyspace.ts';
import { PACKED_BYTES_MAX, PACKED_ELEMENTS_MAX } from './packed-block.ts';
import { blockTtl, editBlock, packState } from './packed-collection.ts';
import { loadState } from './packed-string.ts';
import { slotOf } from './slot.ts';
import { spreadBlock, unpackTable } from './table-collection.ts';
import { seededChance } from './test-chance.ts';

const stamp = { actor: 3, seq: 2 ** 40 + 5, hlc: 2 ** 52 + 1 };
const key = Buffer.from('key', 'latin1');

/** A key with a block of one element. */
function oneElement(isHash: boolean, expiry: number | null) {
  const keyspace = new Keyspace(seededChance(1), () => 0);
  const place = newKeyPlace();
  const hash = keyspace.hash.of(key, 0, 3);
  const slot = slotOf(key, 0, 3);
  Object.assign(place, { hash, ref: 0, slot, buf: key, start: 0, end: 3 });
  const cell = { siblings: [{ ...stamp, value: 'v' }], contributions: [] };
  const state = {
    ...emptyKeyState(),
    set: isHash ? null : new Map([['first', [stamp]]]),
    hash: isHash ? new Map([['first', cell]]) : null,
    ttl: expiry === null ? [] : [{ ...stamp, expiry }],
  };
  expect(packState(keyspace, place, state, new BlockEditor(), PACKED_ELEMENTS_MAX)).toBe(true);
  return { keyspace, place };
}

function blockBytes({ keyspace, place }: ReturnType<typeof oneElement>): Buffer {
  keyspace.locateValue(place.ref);
  return Buffer.from(keyspace.bytes.subarray(keyspace.start, keyspace.end));
}

describe('appendToBlock', () => {
  test.each([
    [false, null],
    [false, 1e12],
    [true, null],
    [true, 1e12],
  ])('writes what the editor writes (hash: %s, expiry: %s), until it is full', (isHash, expiry) => {
    const one = oneElement(isHash, expiry);
    const { keyspace, place } = one;
    const editor = new BlockEditor();
    let count = 1;
    let refused = false;
    for (; !refused; count++) {
      const name = Buffer.from(`member:${count}`.padEnd((count * 37) % 150, 'x'));
      const value = Buffer.from('v'.repeat((count * 13) % 140));
      const [seq, hlc] = [stamp.seq + count, stamp.hlc + count];
      editBlock(keyspace, place.ref, editor);
      editor.beginWrite(9, seq, hlc);
      expect(editor.find(name, 0, name.length)).toBe(-1);
      const fits = editor.append(name, 0, name.length, value, 0, value.length);
      expect(hasRoomForOne(keyspace, place.ref, editor, name.length, value.length)).toBe(fits);
      refused = !fits;
      if (refused) break;
      const expected = Buffer.alloc(editor.byteLength);
      editor.write(expected, 0);
      appendToBlock(keyspace, place, name, 0, name.length, value, 0, value.length, 9, seq, hlc);
      expect(blockBytes(one).equals(expected)).toBe(true);
      expect(keyspace.find(place.hash, key, 0, 3)).toBe(place.ref);
      expect(blockTtl(keyspace, place.ref)?.expiry ?? null).toBe(expiry);
      expect(keyspace.expiry.size).toBe(expiry === null ? 0 : 1);
    }
    expect(blockBytes(one).length).toBeGreaterThan(PACKED_BYTES_MAX / 2);
  });

  test('a block takes no more elements than the editor does', () => {
    const { keyspace, place } = oneElement(false, null);
    expect(hasRoomForOne(keyspace, place.ref, new BlockEditor(2), 5, 0)).toBe(true);
    expect(hasRoomForOne(keyspace, place.ref, new BlockEditor(1), 5, 0)).toBe(false);
  });
});

test.each([
  [false, null],
  [false, 1e12],
  [true, null],
  [true, 1e12],
])('spreadBlock makes a table of the same state (hash: %s, expiry: %s)', (isHash, expiry) => {
  const { keyspace, place } = oneElement(isHash, expiry);
  for (let i = 0; i < 100; i++) {
    const text = Buffer.from(`member:${i}`);
    const { length } = text;
    appendToBlock(keyspace, place, text, 0, length, text, 1, length, 2, 7 + i, 9 + i);
  }
  const before = loadState(keyspace, place.ref);
  spreadBlock(keyspace, place);
  expect(tableKind(metaOf(keyspace.arena, place.ref))).toBe(isHash ? TABLE_HASH : TABLE_SET);
  expect(unpackTable(keyspace, place.ref)).toEqual(before);
  expect(keyspace.find(place.hash, key, 0, 3)).toBe(place.ref);
  expect(keyspace.expiry.size).toBe(expiry === null ? 0 : 1);
});
