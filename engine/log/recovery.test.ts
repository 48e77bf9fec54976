import type { Db } from '../core/db.ts';
import { internActor, makeActorId } from '../crdt/roster.ts';
import { advance, type VersionVector } from '../crdt/version-vector.ts';
import { FRAME_KIND } from '../op/op.ts';
import { batchMeta } from './batch-meta.ts';
import { MemoryDisk } from './disk-memory.ts';
import { frameBody, LOG_KIND, sealFrame } from './frame.ts';
import { Writer } from './log-fixture.ts';
import { filePositions, segmentName } from './segment.ts';
import { encodeSlotsSame } from './slots-same.ts';
import { encodeVector } from './vector-bytes.ts';

const digest = (db: Db): number[] =>
  Array.from({ length: 16_384 }, (_, slot) => db.states.slotDigest(slot));

describe('recovery', () => {
  test('an empty directory gives an empty database', () => {
    const { recovered, db } = new Writer(new MemoryDisk(), 1);
    expect(recovered).toMatchObject({ position: 0, frames: 0 });
    expect(db.size).toBe(0);
  });

  test('the log alone restores all keys and the vector', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    for (let i = 0; i < 50; i++) writer.set(`k${i}`, `v${i}`);
    const again = new Writer(disk, 2);
    expect(digest(again.db)).toEqual(digest(writer.db));
    expect(again.recovered.frames).toBe(50);
    expect(again.backlog.end - again.backlog.first).toBe(50);
  });

  test('frames of one turn are written in order, whether they lie in one buffer or in several', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    const log = (frame: Uint8Array) => writer.log.append(frame);
    for (const [round, apart] of [
      [0, -1],
      [1, 2],
      [2, 0],
    ]) {
      for (let i = 0; i < 4; i++) {
        writer.db.setStringText(`k${i}`, `${round}:${i}`, Number.POSITIVE_INFINITY);
        const frame = writer.db.takeFrame()!;
        const held = writer.backlog.appendBatch(0, round * 4 + i + 1, round * 4 + i + 1, frame);
        log(i === apart ? frame : held);
      }
      writer.flush();
    }
    const again = new Writer(disk, 2);
    expect(again.recovered.frames).toBe(12);
    expect(digest(again.db)).toEqual(digest(writer.db));
  });

  test('what was recovered becomes safe by itself: reads wait for it, and nobody may write', () => {
    const disk = new MemoryDisk();
    new Writer(disk, 1, 300).set('k', 'v');
    const syncs: (() => void)[] = [];
    const killed = new MemoryDisk({ later: (run) => syncs.push(run) });
    for (const name of disk.list()) killed.append(name, disk.read(name, 0, disk.size(name)));
    const again = new Writer(killed, 2, 300);
    expect(again.log.safe).toBeLessThan(again.log.position);
    while (syncs.length > 0) syncs.shift()?.();
    expect(again.log.safe).toBe(again.log.position);
  });

  test('a closed log syncs no more', () => {
    const syncs: (() => void)[] = [];
    const writer = new Writer(new MemoryDisk({ later: (run) => syncs.push(run) }), 1);
    writer.set('k', 'v');
    let isClosed = false;
    writer.log.close(() => {
      isClosed = true;
    });
    while (!isClosed) syncs.shift()?.();
    writer.log.startSegment(writer.db.vector);
    writer.log.tick(1e6);
    expect(syncs).toEqual([]);
  });

  test('segments follow each other across many files', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1, 300);
    for (let i = 0; i < 50; i++) writer.set(`k${i}`, `v${i}`);
    expect(filePositions(disk.list(), 'segment').length).toBeGreaterThan(5);
    const again = new Writer(disk, 2, 300);
    expect(digest(again.db)).toEqual(digest(writer.db));
    expect(again.log.position).toBe(writer.log.position);
  });

  test('an image written while serving restores exactly, and older segments go', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1, 500);
    for (let i = 0; i < 200; i++) writer.set(`k${i}`, 'before');
    const image = writer.image();
    for (let i = 0; i < 40; i++) {
      image.step();
      // Writes to slots that were captured and to slots that were not.
      for (let n = 0; n < 5; n++) writer.set(`k${(i * 5 + n) % 200}`, `during ${i}`);
      writer.db.setAdd('set', [`m${i}`]);
      if (i % 3 === 0) writer.db.setRemove('set', [`m${i - 1}`]);
      writer.db.delete(`k${i * 2}`);
      writer.flush();
    }
    const images = filePositions(disk.list(), 'image');
    expect(images.length).toBe(1);
    expect(filePositions(disk.list(), 'segment')[0]).toBe(images[0]);
    const again = new Writer(disk, 2);
    expect(digest(again.db)).toEqual(digest(writer.db));
    expect(again.db.vector[0]).toBe(writer.db.vector[0]);
    expect(again.recovered.imagePosition).toBe(images[0]);
  });

  test('an image that was not finished is ignored and removed', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    writer.set('a', '1');
    const image = writer.image();
    image.step();
    writer.set('b', '2');
    const again = new Writer(disk, 2);
    expect(digest(again.db)).toEqual(digest(writer.db));
    expect(disk.list().some((name) => name.endsWith('.part'))).toBe(false);
  });

  test('the outcome of a state merge is restored with the log around it', () => {
    const other = new Writer(new MemoryDisk(), 9);
    for (let i = 0; i < 20; i++) other.set(`o${i}`, 'theirs');
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    writer.set('mine', '1');
    for (let slot = 0; slot < 16_384; slot++) {
      const body = other.db.states.exportSlot(slot);
      if (body === null) continue;
      expect(writer.db.states.importSlot(body, null)).toBeNull();
      writer.log.append(sealFrame(FRAME_KIND.slotState, writer.db.states.exportSlot(slot)!));
    }
    const vector = writer.db.slotVector(0).slice();
    const theirs = writer.db.roster.byId.get(other.db.roster.ids[0])!;
    vector[theirs] = other.db.vector[0];
    writer.db.states.finishStateMerge(vector);
    const body = encodeVector(vector, writer.db.roster);
    writer.log.append(sealFrame(LOG_KIND.stateEnd, body));
    writer.set('after', '2');
    const again = new Writer(disk, 2);
    expect(digest(again.db)).toEqual(digest(writer.db));
    expect(again.db.states.exceptionCount).toBe(0);
  });

  test('slots that a state merge left as they were come back with its vector', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    writer.set('a', '1');
    const { db } = writer;
    const slot = Array.from({ length: 16_384 }, (_, n) => n).find((n) => db.slotSize(n) > 0)!;
    const sender = internActor(db.roster, makeActorId(2, 0, 7n));
    const [begun, seen]: VersionVector[] = [[], []];
    advance(begun, sender, 5);
    advance(seen, sender, 9);
    const same = encodeSlotsSame({ slots: [slot], vector: seen }, db.roster);
    const append = (kind: number, body: Uint8Array) => writer.log.append(sealFrame(kind, body));
    append(LOG_KIND.slotsSame, same);
    append(LOG_KIND.stateEnd, encodeVector(begun, db.roster));
    writer.log.flush(db.vector);
    const again = new Writer(disk, 2).db;
    const there = again.roster.byId.get(db.roster.ids[sender])!;
    expect([again.vector[there], again.slotVector(slot)[there]]).toEqual([5, 9]);
    expect([again.states.isAhead(slot), again.states.exceptionCount]).toEqual([true, 1]);
    expect(again.getString('a')).toBe('1');
    // Bytes that are no such list are damage, not something to guess about.
    append(LOG_KIND.slotsSame, same.subarray(0, 3));
    append(LOG_KIND.stateEnd, encodeVector(begun, db.roster));
    writer.log.flush(db.vector);
    expect(() => new Writer(disk, 3)).toThrow(/a bad list of equal slots: cut short/);
  });

  test('half a state merge at the end of the log does not come back', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    writer.set('mine', '1');
    const before = digest(writer.db);
    const other = new Writer(new MemoryDisk(), 9);
    for (const key of ['x', 'y']) other.set(key, 'theirs');
    for (let slot = 0; slot < 16_384; slot++) {
      const body = other.db.states.exportSlot(slot);
      if (body !== null) writer.log.append(sealFrame(FRAME_KIND.slotState, body));
    }
    writer.log.flush(writer.db.vector);
    const again = new Writer(disk, 2);
    expect(digest(again.db)).toEqual(before);
    // Nor does it come back when the log has gone on.
    again.set('more', '1');
    expect(new Writer(disk, 3).db.size).toBe(2);
  });

  test('segments that were read back are synced before what comes after them is safe', () => {
    const syncs: (() => void)[] = [];
    const disk = new MemoryDisk({ later: (run) => syncs.push(run) });
    new Writer(disk, 1).set('a', '1');
    disk.kill({ uint32: () => 0, bytes: (length) => new Uint8Array(length) });
    syncs.length = 0;
    const again = new Writer(disk, 2);
    again.set('b', '2');
    while (syncs.length > 0) syncs.shift()!();
    expect(again.log.safe).toBe(again.log.position);
    // A power cut that takes everything unsynced finds nothing to take.
    disk.crash({ uint32: () => 0, bytes: (length) => new Uint8Array(length) });
    expect(new Writer(disk, 3).db.size).toBe(2);
  });

  test('100,000 keys are back in no more time than it took to write them', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    const beforeWriting = process.cpuUsage();
    for (let i = 0; i < 100_000; i++) {
      writer.db.setStringText(`key:${i}`, `value-${i}`, Number.POSITIVE_INFINITY);
      if (i % 50 === 0) writer.flush();
    }
    writer.flush();
    const wrote = process.cpuUsage(beforeWriting);
    const beforeReading = process.cpuUsage();
    const again = new Writer(disk, 2);
    const read = process.cpuUsage(beforeReading);
    expect(again.db.size).toBe(100_000);
    // CPU time, and against the same machine's own writing: a slow or busy machine changes both. One that read a
    // segment again for every frame, or rehashed from the start for every key, would be ten times over.
    expect((read.user + read.system) / (wrote.user + wrote.system)).toBeLessThan(3);
  });
});

describe('damage', () => {
  const filled = (
    segmentBytesMax = 1_000_000,
  ): { disk: MemoryDisk; writer: Writer; end: number } => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1, segmentBytesMax);
    for (let i = 0; i < 20; i++) writer.set(`k${i}`, 'v');
    return { disk, writer, end: disk.size(segmentName(0)) };
  };
  const flip = (disk: MemoryDisk, name: string, at: number): void => {
    const bytes = disk.read(name, 0, disk.size(name));
    bytes[at] ^= 1;
    disk.replace(name, bytes);
  };

  test('a torn end is cut at the last whole frame, wherever it is torn', () => {
    const { disk, end } = filled();
    const last = frameStarts(disk).at(-1)!;
    for (let cut = last + 1; cut < end; cut += 7) {
      const copy = copyOf(disk);
      copy.truncate(segmentName(0), cut);
      const again = new Writer(copy, 2);
      expect(again.db.size).toBe(19);
      again.set('more', '1');
      expect(new Writer(copy, 3).db.size).toBe(20);
    }
  });

  test('damaged bytes at the end are cut like torn ones', () => {
    const { disk, end } = filled();
    flip(disk, segmentName(0), end - 2);
    expect(new Writer(disk, 2).db.size).toBe(19);
  });

  test('damage in the middle is refused, with what to do', () => {
    const { disk } = filled();
    flip(disk, segmentName(0), frameStarts(disk)[10] + 20);
    expect(() => new Writer(disk, 2)).toThrow(/crc does not match.*start with an empty --dir/);
  });

  test('damage is in the middle also when nothing but a frame of kind AHEAD follows', () => {
    const { disk, writer, end } = filled();
    const { db, log } = writer;
    log.append(sealFrame(LOG_KIND.ahead, encodeVector(db.vector, db.roster)));
    log.flush(db.vector);
    flip(disk, segmentName(0), end - 2);
    expect(() => new Writer(disk, 2)).toThrow(/crc does not match/);
  });

  test('a segment missing in the middle is refused', () => {
    const { disk } = filled(300);
    const positions = filePositions(disk.list(), 'segment');
    disk.remove(segmentName(positions[2]));
    expect(() => new Writer(disk, 2, 300)).toThrow(/start with an empty --dir/);
  });

  test('when the end of a segment was lost, later ones, never synced, go too', () => {
    const { disk } = filled(300);
    const positions = filePositions(disk.list(), 'segment');
    const name = segmentName(positions[2]);
    disk.truncate(name, disk.size(name) - 3);
    const again = new Writer(disk, 2, 300);
    expect(again.db.size).toBeLessThan(20);
    expect(filePositions(disk.list(), 'segment').at(-1)).toBe(again.log.position);
    again.set('more', '1');
    expect(new Writer(disk, 3, 300).db.type('more')).toBe('string');
  });

  test('the damaged end of a segment that was never synced is cut although others follow it', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1, 300, 'eu', 'everysec');
    for (let i = 0; i < 20; i++) writer.set(`k${i}`, 'v');
    const name = segmentName(filePositions(disk.list(), 'segment')[2]);
    flip(disk, name, disk.size(name) - 2);
    const again = new Writer(disk, 2, 300, 'eu', 'everysec');
    expect(again.db.size).toBeGreaterThan(0);
    expect(again.db.size).toBeLessThan(20);
    again.set('more', '1');
    expect(new Writer(disk, 3, 300).db.type('more')).toBe('string');
  });

  test.each(['everysec', 'no', 'always'] as const)(
    'the damaged end of a segment that was synced is refused, with fsync %s',
    (fsync) => {
      const disk = new MemoryDisk();
      const writer = new Writer(disk, 1, 300, 'eu', fsync);
      for (let i = 0; i < 10; i++) writer.set(`k${i}`, 'v');
      writer.log.syncAll(() => {});
      for (let i = 10; i < 20; i++) writer.set(`k${i}`, 'v');
      const name = segmentName(filePositions(disk.list(), 'segment')[1]);
      flip(disk, name, disk.size(name) - 2);
      expect(() => new Writer(disk, 2, 300, 'eu', fsync)).toThrow(/crc does not match/);
    },
  );

  test('a first segment that lost half of its header, never synced, goes with all after it', () => {
    const disk = new MemoryDisk();
    new Writer(disk, 1).set('a', '1');
    const killed = new Writer(disk, 2);
    killed.set('b', '2');
    const [first] = filePositions(disk.list(), 'segment');
    // A header is longer than the little data that this segment held.
    disk.truncate(segmentName(first), disk.size(segmentName(first)) >> 1);
    const again = new Writer(disk, 3);
    expect(again.db.size).toBe(0);
    expect(again.recovered.position).toBe(0);
  });

  test('an image whose log lost its only header goes on after the image, not at 0', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    writer.set('a', '1');
    const image = writer.image();
    for (let i = 0; i < 100; i++) image.step();
    const [position] = filePositions(disk.list(), 'image');
    // The machine lost power before anything was written behind the image.
    disk.truncate(segmentName(position), 10);
    const again = new Writer(disk, 2);
    expect(again.log.position).toBe(position);
    again.set('b', '2');
    const later = new Writer(disk, 3);
    expect([later.db.type('a'), later.db.type('b')]).toEqual(['string', 'string']);
  });

  test('the directory of another region is refused', () => {
    const { disk } = filled();
    expect(() => new Writer(disk, 2, 1_000_000, 'us')).toThrow(
      /belongs to database "d" of region "eu"/,
    );
  });

  function frameStarts(disk: MemoryDisk): number[] {
    const name = segmentName(0);
    const bytes = disk.read(name, 0, disk.size(name));
    const starts: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      starts.push(at);
      at += 8 + Buffer.from(bytes.buffer, bytes.byteOffset).readUInt32LE(at);
    }
    return starts;
  }

  function copyOf(disk: MemoryDisk): MemoryDisk {
    const copy = new MemoryDisk();
    for (const name of disk.list()) copy.append(name, disk.read(name, 0, disk.size(name)));
    return copy;
  }
});

describe('op log', () => {
  test('with fsync always it is safe only when the sync has ended, and syncs join', () => {
    const syncs: (() => void)[] = [];
    const disk = new MemoryDisk({ later: (run) => syncs.push(run) });
    const writer = new Writer(disk, 1);
    writer.set('a', '1');
    const first = writer.log.position;
    writer.set('b', '2');
    writer.set('c', '3');
    expect(writer.log.safe).toBeLessThan(first);
    while (syncs.length > 0) syncs.shift()!();
    expect(writer.log.safe).toBe(writer.log.position);
  });

  test('while the device is busy a thread writes, and what comes meanwhile follows in order', () => {
    const calls: (() => void)[] = [];
    const disk = new MemoryDisk({ later: (run) => calls.push(run) });
    const writer = new Writer(disk, 1);
    const headerBytes = disk.size(segmentName(0));
    writer.set('a', '1');
    const first = writer.log.position;
    // The sync of `a` is under way.
    writer.set('b', '2');
    expect(writer.log.isWriting).toBe(true);
    writer.set('c', '3');
    const image: boolean[] = [];
    writer.log.syncAll(() => image.push(true));
    expect(disk.size(segmentName(0)) - headerBytes).toBe(first);
    expect(() => writer.log.startSegment(writer.db.vector)).toThrow(/being written/);
    while (writer.log.safe < first) calls.shift()!();
    expect(writer.log.safe).toBe(first);
    while (calls.length > 0) calls.shift()!();
    expect(writer.log.safe).toBe(writer.log.position);
    expect(image).toEqual([true]);
    const again = new Writer(disk, 2);
    expect(['a', 'b', 'c'].map((key) => again.db.getString(key))).toEqual(['1', '2', '3']);
  });

  test('batch meta names writer and seqs', () => {
    const writer = new Writer(new MemoryDisk(), 1);
    writer.db.setStringText('a', '1', Number.POSITIVE_INFINITY);
    writer.db.setStringText('b', '1', Number.POSITIVE_INFINITY);
    const frame = writer.db.takeFrame()!;
    expect(frameBody(frame).length).toBe(frame.length - 9);
    expect(batchMeta(frame, writer.db.roster)).toEqual({ actor: 0, firstSeq: 1, lastSeq: 2 });
  });
});
