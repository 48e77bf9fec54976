import { internActor } from '../crdt/roster.ts';
import { advance, type VersionVector } from '../crdt/version-vector.ts';
import { FRAME_KIND } from '../op/op.ts';
import { Prng } from '../sim/prng.ts';
import { MemoryDisk } from './disk-memory.ts';
import { sealFrame, sealJson } from './frame.ts';
import type { ImageWriter } from './image.ts';
import { Writer } from './log-fixture.ts';
import { DamagedLog } from './recovery.ts';
import { filePositions, imageName, segmentName, walkFrames } from './segment.ts';

/** Steps in which an image looks at all slots. */
const STEPS = 32;

describe('an image and the log behind it', () => {
  test('a log that ends before what the image has seen is refused, and nothing is changed', () => {
    const { disk, log } = imageDuringWrites();
    const starts = [...frameStarts(disk, log), disk.size(log)];
    // The last capture came before write 32, so the log must have the 31 writes before it.
    for (let writes = 0; writes < STEPS + 8; writes++) {
      for (const torn of [0, 5]) {
        const left = copyOf(disk);
        left.truncate(log, starts[1 + writes] + torn);
        const before = contentsOf(left);
        if (writes >= STEPS - 1) {
          expect(new Writer(left, 2).recovered.frames).toBe(writes);
          continue;
        }
        expect(() => new Writer(left, 2)).toThrow(
          /the image knows writes up to position \d+, but the log behind it ends at \d+: the disk has lost .* empty --dir/,
        );
        expect(contentsOf(left)).toEqual(before);
      }
    }
  });

  test('so is one that lost all that followed the image', () => {
    const { disk, log } = imageDuringWrites();
    disk.remove(log);
    expect(() => new Writer(disk, 2)).toThrow(/the disk has lost/);
  });

  test('an image of an engine that did not name a position needs none', () => {
    const { disk, log, image } = imageDuringWrites();
    const end = frameStarts(disk, image).at(-1)!;
    const slots = frameStarts(disk, image).length - 2; // but header and end
    disk.truncate(image, end);
    disk.append(image, sealJson(FRAME_KIND.imageEnd, { slots }));
    disk.remove(log);
    expect(new Writer(disk, 2).db.getString('k199')).toBe('before');
  });

  test('what it has seen of a large state that was coming in stays; what came after it is cut', () => {
    const disk = new MemoryDisk();
    const writer = new Writer(disk, 1);
    const other = new Writer(new MemoryDisk(), 9);
    for (const key of ['x', 'y']) other.set(key, 'theirs');
    const bodies = allSlots().flatMap((slot) => other.db.states.exportSlot(slot) ?? []);
    const takeIn = (body: Uint8Array): void => {
      expect(writer.db.states.importSlot(body, () => [])).toBeNull();
      writer.log.append(sealFrame(FRAME_KIND.slotState, body));
      writer.log.flush(writer.db.vector);
    };
    const image = writer.image();
    takeIn(bodies[0]);
    for (let i = 0; i < STEPS; i++) image.step();
    takeIn(bodies[1]);
    expect(filePositions(disk.list(), 'image').length).toBe(1);
    for (const incarnation of [2, 3]) {
      const again = new Writer(disk, incarnation).db;
      expect([again.size, again.states.exceptionCount]).toEqual([1, 1]);
      // The stream brings the vector there later.
      const theirs = internActor(again.roster, other.db.roster.ids[other.db.actor]);
      const vector: VersionVector = [];
      advance(vector, theirs, 2);
      again.states.finishStateMerge(vector);
      expect(again.states.exceptionCount).toBe(0);
    }
  });
});

describe('power cuts while images are written', () => {
  const seeds = Array.from({ length: 40 }, (_, n) => n + 1);

  test('a disk that keeps what it has synced always starts again, at one moment', () => {
    const lives = seeds.map((seed) => cutAgainAndAgain(seed, false));
    expect(lives.filter(({ refused }) => refused)).toEqual([]);
    expect(sum(lives.map(({ images }) => images))).toBeGreaterThan(seeds.length);
  });

  test('a disk that says synced and has not is refused, or starts at one moment', () => {
    const lives = seeds.map((seed) => cutAgainAndAgain(seed, true));
    expect(lives.filter(({ refused }) => refused).length).toBeGreaterThan(5);
    expect(lives.filter(({ refused }) => !refused).length).toBeGreaterThan(5);
  });
});

/** After so many lives there is one more; a disk that lies begins with it in the last of these. */
const LIVES = 3;

/** Some lives on one disk, each ended by a power cut; after each all that was written in one turn is there or not. */
function cutAgainAndAgain(seed: number, lies: boolean): { refused: boolean; images: number } {
  const random = new Prng(seed);
  const calls: (() => void)[] = [];
  const disk = new MemoryDisk({ later: (run) => calls.push(run) });
  let images = 0;
  for (let life = 1; life <= LIVES + 1; life++) {
    calls.length = 0;
    let writer: Writer;
    try {
      writer = new Writer(disk, life, 1500);
    } catch (error) {
      // A lie may also leave damage in the middle; that has its own words and tests.
      if (!lies || !(error instanceof DamagedLog)) throw error;
      return { refused: true, images };
    }
    const { db } = writer;
    db.states.finishStateMerge([]);
    expect(db.states.exceptionCount).toBe(0); // no slot is ahead of the vector
    const pairs = Array.from({ length: 40 }, (_, n) => [
      db.getString(`a${n}`),
      db.getString(`b${n}`),
    ]);
    for (const [a, b] of pairs) expect(a).toBe(b);
    let image: ImageWriter | null = null;
    const finished = (): void => {
      image = null;
      images++;
    };
    for (let turn = random.between(0, 200); turn > 0; turn--) {
      const n = random.between(0, 39);
      for (const name of ['a', 'b']) {
        db.setStringText(`${name}${n}`, `${life}:${turn}`, Number.POSITIVE_INFINITY);
      }
      writer.flush();
      // From here on.
      if (lies && life === LIVES && random.chance(0.02)) disk.lying = true;
      if (image === null && !writer.log.isWriting) image = writer.image(finished);
      image?.step();
      while (calls.length > 0 && random.chance(0.6)) {
        calls.splice(random.between(0, calls.length - 1), 1)[0]();
      }
    }
    disk.crash(random);
  }
  return { refused: false, images };
}

/** An image written while one write came after each of its steps, and eight more after it. */
function imageDuringWrites(): { disk: MemoryDisk; image: string; log: string } {
  const disk = new MemoryDisk();
  const writer = new Writer(disk, 1);
  for (let i = 0; i < 200; i++) writer.set(`k${i}`, 'before');
  const image = writer.image();
  for (let i = 0; i < STEPS + 8; i++) {
    image.step();
    writer.set(`k${i}`, 'during');
  }
  const [position] = filePositions(disk.list(), 'image');
  return { disk, image: imageName(position), log: segmentName(position) };
}

function allSlots(): number[] {
  return Array.from({ length: 16_384 }, (_, slot) => slot);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Where each frame of a file begins. */
function frameStarts(disk: MemoryDisk, name: string): number[] {
  const starts: number[] = [];
  walkFrames(disk, name, (_, offset) => starts.push(offset) > 0);
  return starts;
}

function contentsOf(disk: MemoryDisk): [string, string][] {
  return disk
    .list()
    .map((name) => [name, Buffer.from(disk.read(name, 0, disk.size(name))).toString('latin1')]);
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  for (const name of disk.list()) copy.append(name, disk.read(name, 0, disk.size(name)));
  return copy;
}
