import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { HLC_EPOCH_MS, hlcOfMs } from '../crdt/hlc.ts';
import { NO_TTL, type Op } from '../crdt/op.ts';
import { emptyRoster, internActor, makeActorId, type Roster } from '../crdt/roster.ts';
import { encodeScore } from '../crdt/score.ts';
import { ACTOR_IDS, anyOp, FIRST_SEQ, named, rosterOf, slotOfOp } from './arbitrary-op.ts';
import { BatchReader, HOT } from './batch-reader.ts';
import { BATCH_HEAD_BYTES, BatchWriter, type ElementsKind } from './batch-writer.ts';
import { FRAME_HEADER_BYTES, OP_KIND } from './op.ts';

const NOW_MS = HLC_EPOCH_MS + 1_000_000;
const HLC = hlcOfMs(NOW_MS);

function seal(ops: readonly Op[], roster: Roster = rosterOf([0, 1, 2, 3])): Uint8Array {
  const writer = new BatchWriter(roster);
  writer.begin(0, FIRST_SEQ);
  for (const [index, op] of ops.entries()) writer.op(slotOfOp(op), HLC + index, op);
  return writer.sealFrame() as Uint8Array;
}

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(FRAME_HEADER_BYTES);
}

const set: Op = {
  kind: 'string-set',
  key: 'greeting',
  value: 'hello',
  drops: [{ actor: 1, seq: 7 }],
  floors: [],
  ttl: { drops: [{ actor: 1, seq: 7 }], expiry: Number.POSITIVE_INFINITY },
  clear: null,
};
const add: Op = {
  kind: 'string-add',
  key: 'hits',
  cum: 12,
  pred: { seq: 3, cum: 11 },
  ttl: NO_TTL,
};

test('a batch read back is the batch written, at a member with another roster', () => {
  fc.assert(
    fc.property(fc.array(anyOp, { minLength: 1, maxLength: 5 }), (ops) => {
      const writerRoster = rosterOf([0, 1, 2, 3]);
      const readerRoster = rosterOf([3, 1]);
      const reader = new BatchReader(readerRoster);
      expect(reader.open(bodyOf(seal(ops, writerRoster)), NOW_MS)).toBeNull();
      expect(readerRoster.ids[reader.writer]).toBe(ACTOR_IDS[0]);
      for (const [index, op] of ops.entries()) {
        expect(reader.next()).toBe(true);
        expect(reader.seq).toBe(FIRST_SEQ + index);
        expect(reader.hlc).toBe(HLC + index);
        expect(reader.slot).toBe(slotOfOp(op));
        expect(named(reader.op(), readerRoster)).toEqual(named(op, writerRoster));
      }
      expect(reader.next()).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('hot forms: written byte for byte as the general form, and read as the general form reads', () => {
  let hot = 0;
  const roster = rosterOf([0, 1, 2, 3]);
  fc.assert(
    fc.property(anyOp, (op) => {
      const general = seal([op], roster);
      const reader = new BatchReader(roster);
      expect(reader.open(bodyOf(general), NOW_MS)).toBeNull();
      reader.next();
      if (reader.hot === HOT.none) return;
      hot++;
      expect(Buffer.from(rewriteHot(reader, roster))).toEqual(Buffer.from(general));
    }),
    { numRuns: 800 },
  );
  expect(hot).toBeGreaterThan(80);
});

const ELEMENT_KINDS: Record<number, ElementsKind> = {
  [OP_KIND['set-add']]: 'set-add',
  [OP_KIND['hash-set']]: 'hash-set',
  [OP_KIND['zset-set']]: 'zset-set',
};

/** Writes the current op from the reader's hot fields alone. */
function rewriteHot(reader: BatchReader, roster: Roster): Uint8Array {
  const writer = new BatchWriter(roster);
  writer.begin(reader.writer, reader.seq);
  const { slot, hlc, bytes, keyStart, keyEnd, dropActor, dropSeq } = reader;
  if (reader.hot === HOT.stringSet) {
    const { valueStart, valueEnd, ttlDropActor, ttlDropSeq, expiry } = reader;
    writer.stringSet(
      slot,
      hlc,
      bytes,
      keyStart,
      keyEnd,
      bytes,
      valueStart,
      valueEnd,
      dropActor,
      dropSeq,
      ttlDropActor,
      ttlDropSeq,
      expiry,
    );
  } else if (reader.hot === HOT.stringAdd) {
    const { cum, predSeq, predCum } = reader;
    writer.stringAdd(slot, hlc, bytes, keyStart, keyEnd, cum, predSeq, predCum);
  } else if (reader.hot === HOT.elements) {
    const { elements } = reader;
    const kind = ELEMENT_KINDS[elements.kind];
    writer.beginElements(kind, slot, hlc, bytes, keyStart, keyEnd, elements.count);
    while (elements.next()) {
      const { nameStart, nameEnd, valueStart, valueEnd } = elements;
      writer.element(bytes, nameStart, nameEnd, elements.dropActor, elements.dropSeq);
      if (elements.hasValues) writer.value(bytes, valueStart, valueEnd);
    }
    writer.endElements();
  } else {
    writer.deleteDot(slot, hlc, bytes, keyStart, keyEnd, dropActor, dropSeq);
  }
  return writer.sealFrame() as Uint8Array;
}

test('plain SETs, integer INCRBYs, DELs of one dot, SADDs and HSETs are hot', () => {
  const del: Op = {
    kind: 'delete',
    key: 'k',
    removal: { vector: null, dots: [{ actor: 0, seq: 9 }], floors: [] },
  };
  const drops = [{ actor: 1, seq: 7 }];
  const sadd: Op = {
    kind: 'set-add',
    key: 's',
    members: [
      { member: 'a', drops: [] },
      { member: 'b', drops },
    ],
    ttl: NO_TTL,
  };
  const field = { field: 'f', drops, floors: [], value: 'v' };
  const hset: Op = { kind: 'hash-set', key: 'h', fields: [field], ttl: NO_TTL };
  const floors = [{ actor: 1, seq: 7, cum: 2 }];
  const counted: Op = { ...hset, fields: [{ ...field, floors }] };
  const siblings: Op = { ...sadd, members: [{ member: 'a', drops: [...drops, ...drops] }] };
  const withTtl: Op = { ...sadd, ttl: { drops, expiry: null } };
  const reader = new BatchReader(rosterOf([0, 1]));
  const ops = [set, add, del, sadd, hset, counted, siblings, withTtl];
  expect(reader.open(bodyOf(seal(ops)), NOW_MS)).toBeNull();
  const forms: number[] = [];
  while (reader.next()) forms.push(reader.hot);
  const { none, elements } = HOT;
  const hot = [HOT.stringSet, HOT.stringAdd, HOT.deleteDot, elements, elements];
  expect(forms).toEqual([...hot, none, none, none]);
});

test('minus zero, as DECRBY k 0 makes it, is written as zero', () => {
  const roster = rosterOf([0]);
  const writer = new BatchWriter(roster);
  writer.begin(0, FIRST_SEQ);
  const key = Buffer.from('hits');
  const slot = slotOfOp(add);
  writer.stringAdd(slot, HLC, key, 0, 4, -0, 3, -0);
  writer.op(slot, HLC, { ...add, cum: -0, pred: { seq: 3, cum: -0 } });
  const reader = new BatchReader(roster);
  expect(reader.open(bodyOf(writer.sealFrame() as Uint8Array), NOW_MS)).toBeNull();
  while (reader.next()) expect([reader.cum, reader.predCum]).toEqual([0, 0]);
});

test('the crc covers kind and body, and the length what follows the crc', () => {
  const frame = seal([set]);
  const view = new DataView(frame.buffer);
  expect(view.getUint32(0, true)).toBe(frame.length - 8);
  expect(view.getUint32(4, true)).toBe(crc32(frame.subarray(8)));
  expect(frame[8]).toBe(1);
});

test('the next batch goes on with the next seq and a fresh dictionary', () => {
  const writer = new BatchWriter(rosterOf([0, 1, 2, 3]));
  writer.begin(0, FIRST_SEQ);
  expect(writer.sealFrame()).toBeNull();
  writer.op(slotOfOp(set), HLC, set);
  writer.op(slotOfOp(add), HLC, add);
  writer.sealFrame();
  writer.op(slotOfOp(add), HLC, add);
  const reader = new BatchReader(emptyRoster());
  expect(reader.open(bodyOf(writer.sealFrame() as Uint8Array), NOW_MS)).toBeNull();
  expect([reader.firstSeq, reader.opCount, reader.actors.length]).toEqual([FIRST_SEQ + 2, 1, 1]);
});

describe('hostile batches', () => {
  test('cut at any byte: refused with words, and the roster stays as it was', () => {
    fc.assert(
      fc.property(fc.array(anyOp, { minLength: 1, maxLength: 3 }), (ops) => {
        const body = bodyOf(seal(ops));
        const roster = emptyRoster();
        const reader = new BatchReader(roster);
        for (let length = 0; length < body.length; length++) {
          expect(reader.open(body.slice(0, length), NOW_MS)).toMatch(/^bad batch: .+: .+/);
          expect(reader.next()).toBe(false);
        }
        expect(roster.ids).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('any bit flipped: refused, or still a batch whose every op reads', () => {
    fc.assert(
      fc.property(anyOp, anyOp, fc.nat(), (one, two, choice) => {
        const body = bodyOf(seal([one, two])).slice();
        const bit = choice % (body.length * 8);
        body[bit >> 3] ^= 1 << (bit & 7);
        const reader = new BatchReader(emptyRoster());
        const problem = reader.open(body, NOW_MS);
        if (problem !== null) return;
        while (reader.next()) expect(reader.op().kind).toBeDefined();
      }),
      { numRuns: 1500 },
    );
  });

  test('random bytes behind a good head: refused without a throw', () => {
    const head = bodyOf(seal([add])).subarray(0, BATCH_HEAD_BYTES + 12);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const body = new Uint8Array([...head, ...noise]);
        expect(new BatchReader(emptyRoster()).open(body, NOW_MS)).not.toBeNull();
      }),
    );
  });

  const opAt = BATCH_HEAD_BYTES + 24;
  const keyAt = opAt + 20;
  const dotAt = keyAt + 'greeting'.length + 2;
  const cases: [name: string, says: RegExp, change: (view: DataView, bytes: Uint8Array) => void][] =
    [
      ['another version', /version/, (view) => view.setUint8(0, 2)],
      ['unknown batch flags', /unknown flags/, (view) => view.setUint8(1, 1)],
      ['no dictionary', /without the writer/, (view) => view.setUint16(2, 0, true)],
      ['no ops', /no ops/, (view) => view.setUint32(4, 0, true)],
      ['more ops than bytes', /cut short/, (view) => view.setUint32(4, 1e9, true)],
      ['seq 0', /seqs out of range/, (view) => view.setFloat64(8, 0, true)],
      ['a seq that is no number', /seqs out of range/, (view) => view.setFloat64(8, NaN, true)],
      ['seq 2^48', /seqs out of range/, (view) => view.setFloat64(8, 2 ** 48, true)],
      ['region 17', /region number 17/, (view) => view.setUint8(16, 17)],
      ['an actor twice', /named twice/, (_, bytes) => bytes.copyWithin(28, 16, 28)],
      ['an op longer than the body', /bad length/, (view) => view.setUint32(opAt, 1e6, true)],
      ['op length 0', /bad length/, (view) => view.setUint32(opAt, 0, true)],
      ['kind 0', /unknown op kind 0/, (view) => view.setUint8(opAt + 4, 0)],
      ['kind 200', /unknown op kind 200/, (view) => view.setUint8(opAt + 4, 200)],
      ['an unknown flag', /unknown flags/, (view) => view.setUint8(opAt + 5, 0x80)],
      ['two expiries', /two expiries/, (view) => view.setUint8(opAt + 5, 0x1b)],
      ['another slot', /slot/, (view) => view.setUint16(opAt + 6, 1, true)],
      ['slot 65535', /slot/, (view) => view.setUint16(opAt + 6, 65535, true)],
      ['hlc NaN', /hlc/, (view) => view.setFloat64(opAt + 8, NaN, true)],
      ['hlc -1', /hlc/, (view) => view.setFloat64(opAt + 8, -1, true)],
      ['an hlc with a fraction', /hlc/, (view) => view.setFloat64(opAt + 8, HLC + 0.25, true)],
      ['a key beyond its op', /key longer/, (view) => view.setUint32(opAt + 16, 1e6, true)],
      ['an index beyond the dictionary', /dictionary/, (view) => view.setUint16(dotAt, 2, true)],
      ['a dot of seq 0', /seq 0/, (view) => view.setUint32(dotAt + 2, 0, true)],
      ['a value beyond its op', /cut short/, (view) => view.setUint32(dotAt + 8, 9, true)],
    ];
  test.each(cases)('%s', (_name, says, change) => {
    const body = bodyOf(seal([set])).slice();
    change(new DataView(body.buffer), body);
    expect(new BatchReader(emptyRoster()).open(body, NOW_MS)).toMatch(says);
  });

  test('an hlc more than an hour ahead is refused in words', () => {
    const problem = new BatchReader(emptyRoster()).open(bodyOf(seal([set])), NOW_MS - 3_700_000);
    expect(problem).toMatch(/hlc is 3700 s ahead of this clock, at most 3600 s allowed/);
    expect(new BatchReader(emptyRoster()).open(bodyOf(seal([set])), NOW_MS - 3_500_000)).toBeNull();
  });

  test('an op that saw a later op of its own writer is refused', () => {
    const early: Op = { ...set, drops: [{ actor: 0, seq: FIRST_SEQ }], ttl: NO_TTL };
    expect(new BatchReader(emptyRoster()).open(bodyOf(seal([early])), NOW_MS)).toMatch(/later op/);
    const pred: Op = { ...add, pred: { seq: FIRST_SEQ, cum: 1 } };
    expect(new BatchReader(emptyRoster()).open(bodyOf(seal([pred])), NOW_MS)).toMatch(/predecess/);
  });

  test('bytes after the last op are refused', () => {
    const body = Buffer.concat([bodyOf(seal([set])), Buffer.of(0)]);
    expect(new BatchReader(emptyRoster()).open(body, NOW_MS)).toMatch(/after the last op/);
  });

  test('a full roster is said, not thrown', () => {
    const roster = emptyRoster();
    for (let n = 0; n < 65536; n++) (roster.ids as string[]).push('');
    expect(new BatchReader(roster).open(bodyOf(seal([set])), NOW_MS)).toMatch(/had 65536 writers/);
  });
});

// ── Pinned bytes: every released version must go on reading these ──────────────────────────────

const ID = `\x00\x00\x01\x9b${'\x07'.repeat(12)}`;

const PINNED: Record<string, Op[]> = {
  'plain set': [set],
  increment: [add],
  'set with everything': [
    {
      kind: 'string-set',
      key: '{tag}k',
      value: 'v\xff\x00',
      drops: [{ actor: 2, seq: 2 ** 40 }],
      floors: [{ actor: 1, seq: 3, cum: -(10n ** 17n) / 4n }],
      ttl: { drops: [{ actor: 3, seq: 1 }], expiry: 1767225600000 },
      clear: {
        vector: [5, 6],
        dots: [{ actor: 0, seq: 4 }],
        floors: [{ part: 'hash', field: 'f', actor: 2, seq: 8, cum: 5 }],
      },
    },
  ],
  'sets and hashes': [
    {
      kind: 'set-add',
      key: 's',
      members: [
        { member: 'a', drops: [{ actor: 1, seq: 2 }] },
        { member: 'b', drops: [] },
      ],
      ttl: NO_TTL,
    },
    { kind: 'set-remove', key: 's', members: [{ member: 'a', drops: [] }], ttl: NO_TTL },
    {
      kind: 'hash-set',
      key: 'h',
      fields: [{ field: 'f', drops: [], floors: [], value: 'v' }],
      ttl: NO_TTL,
    },
    { kind: 'hash-add', key: 'h', field: 'n', cum: 1, pred: null, ttl: NO_TTL },
    {
      kind: 'hash-remove',
      key: 'h',
      fields: [{ field: 'n', drops: [], floors: [{ actor: 0, seq: 4, cum: 1 }] }],
      ttl: { drops: [{ actor: 1, seq: 9 }], expiry: null },
    },
  ],
  'sorted sets': [
    {
      kind: 'zset-set',
      key: 'z',
      fields: [
        { field: 'a', drops: [{ actor: 1, seq: 2 }], floors: [], value: encodeScore(1.1) },
        { field: 'b', drops: [], floors: [], value: encodeScore(-0) },
      ],
      ttl: NO_TTL,
    },
    { kind: 'zset-add', key: 'z', field: 'a', cum: 3, pred: { seq: 9, cum: 1 }, ttl: NO_TTL },
    {
      kind: 'zset-remove',
      key: 'z',
      fields: [{ field: 'a', drops: [], floors: [{ actor: 0, seq: 4, cum: 1 }] }],
      ttl: { drops: [{ actor: 1, seq: 9 }], expiry: null },
    },
    {
      kind: 'delete',
      key: 'z',
      removal: {
        vector: null,
        dots: [],
        floors: [{ part: 'zset', field: 'a', actor: 2, seq: 8, cum: 5 }],
      },
    },
  ],
  lists: [
    {
      kind: 'list-push',
      key: 'l',
      left: true,
      n: -3,
      tie: 2 ** 44 + 5,
      values: ['a', ''],
      ttl: NO_TTL,
    },
    {
      kind: 'list-write',
      key: 'l',
      id: [0, 9, 4, 1, -1, 2 ** 44, -7, 0],
      value: 'x\xff',
      drops: [{ actor: 1, seq: 2 }],
      ttl: NO_TTL,
    },
    {
      kind: 'list-remove',
      key: 'l',
      spans: [{ id: [0, 9, -4, -2], count: 3, drops: [{ actor: 2, seq: 4 }] }],
      ttl: { drops: [{ actor: 1, seq: 9 }], expiry: null },
    },
    { kind: 'list-trim', key: 'l', from: null, to: [1, 9, 6, 0], vector: [4, 0, 2], ttl: NO_TTL },
  ],
  'keys and all': [
    { kind: 'expire', key: 'k', ttl: { drops: [], expiry: Number.POSITIVE_INFINITY } },
    {
      kind: 'delete',
      key: 'k',
      removal: { vector: null, dots: [{ actor: 1, seq: 7 }], floors: [] },
    },
    { kind: 'flush', vector: [1, 0, 3] },
  ],
  streams: [
    {
      kind: 'stream-add',
      key: 's',
      id: ID,
      fields: ['f', 'v', 'g', ''],
      added: 7,
      deleted: ID,
      ttl: NO_TTL,
    },
    {
      kind: 'stream-remove',
      key: 's',
      entries: [{ id: ID, drops: [{ actor: 1, seq: 2 }] }],
      range: { to: ID, vector: [3, 0, 1] },
      raise: { mark: { actor: 0, seq: 5 }, deleted: ID },
    },
    {
      kind: 'stream-mark',
      key: 's',
      last: ID,
      added: 9,
      deleted: ID,
      drops: [{ actor: 2, seq: 4 }],
      ttl: NO_TTL,
    },
    {
      kind: 'stream-group',
      key: 's',
      group: 'g',
      last: ID,
      read: -1,
      seen: [{ actor: 0, seq: 1 }],
      gone: [{ actor: 1, seq: 8 }],
      vector: [2],
    },
    { kind: 'stream-ungroup', key: 's', group: 'g', vector: [4, 5], ttl: NO_TTL },
    {
      kind: 'stream-deliver',
      key: 's',
      group: 'g',
      cursor: {
        last: ID,
        read: 3,
        seen: [{ actor: 1, seq: 9 }],
        left: [{ id: ID, actor: 1, seq: 9 }],
        drops: [{ actor: 0, seq: 2 }],
      },
      consumer: { name: 'c', atMs: 1767225600000, drops: [] },
      forget: { name: 'd', drops: [{ actor: 1, seq: 3 }] },
      owner: 'c',
      atMs: 1767225600000,
      claims: [{ id: ID, count: 2, drops: [{ actor: 1, seq: 4 }] }],
      acks: [{ id: ID, drops: [] }],
    },
  ],
  'HyperLogLog adds': [
    {
      kind: 'hll-add',
      key: 'h',
      instance: null,
      registers: '\x00\x05\x01\x3f\xff\x33',
      drops: [{ actor: 1, seq: 7 }],
      floors: [{ actor: 2, seq: 3, cum: 4 }],
      ttl: NO_TTL,
    },
    {
      kind: 'hll-add',
      key: 'h',
      instance: { actor: 0, seq: 5 },
      registers: '',
      drops: [],
      floors: [],
      ttl: { drops: [{ actor: 0, seq: 5 }], expiry: null },
    },
  ],
};

test('a dictionary of many actors, and what is written after a batch was sealed in place', () => {
  const roster = emptyRoster();
  const actors = Array.from({ length: 12 }, (_, n) => internActor(roster, makeActorId(1, n, 7n)));
  const drops = actors.map((actor) => ({ actor, seq: 3 }));
  const writer = new BatchWriter(roster);
  writer.begin(0, FIRST_SEQ);
  writer.op(slotOfOp(set), HLC, { ...set, drops });
  const many = writer.sealInPlace()!.slice();
  expect(writer.sealInPlace()).toBeNull();
  writer.op(slotOfOp(set), HLC, set);
  const few = writer.sealFrame()!;
  expect(writer.byteLength).toBe(0);
  const reader = new BatchReader(roster);
  for (const [frame, seen] of [
    [many, { ...set, drops }],
    [few, set],
  ] as const) {
    expect(new DataView(frame.buffer).getUint32(4, true)).toBe(crc32(frame.subarray(8)));
    expect(reader.open(bodyOf(frame), NOW_MS)).toBeNull();
    expect(reader.next()).toBe(true);
    expect(reader.op()).toEqual(seen);
  }
});

test('pinned batches decode, and encode to the same bytes', () => {
  const file = new URL('./testdata/batch-v1.txt', import.meta.url);
  const lines = Object.entries(PINNED).map(
    ([name, ops]) => `${name}: ${Buffer.from(seal(ops)).toString('hex')}`,
  );
  if (process.env.UPDATE === '1') writeFileSync(file, `${lines.join('\n')}\n`);
  const pinned = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines).toEqual(pinned);
  for (const line of pinned) {
    const [name, hex] = line.split(': ');
    const roster = rosterOf([0, 1, 2, 3]);
    const reader = new BatchReader(roster);
    expect(reader.open(bodyOf(Buffer.from(hex, 'hex')), NOW_MS)).toBeNull();
    const ops: unknown[] = [];
    while (reader.next()) ops.push(named(reader.op(), roster));
    expect(ops).toEqual(named(PINNED[name], roster));
  }
});
