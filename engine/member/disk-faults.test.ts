/**
 * One member alone over a disk that fails at one call, for each call that a run makes: the process
 * ends with words, and what it acknowledged is there when it is started again on a disk that works.
 * Only what an image does with the disk ends nothing: it is given up, and the member goes on.
 */
import { readConfig } from '../config.ts';
import { type Disk, type DiskDone, DiskError, type Env, silentJournal } from '../env.ts';
import { MemoryDisk } from '../log/disk-memory.ts';
import { DamagedLog } from '../log/recovery.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Prng } from '../sim/prng.ts';
import { Member } from './member.ts';

const sizes = { segmentBytesMax: 1500, imageAfterBytes: 3000 };
const TURNS = 52;
const LIVES = 2;

/** Calls for an image: when one fails, the member goes on. */
const SPARED = ['image write', 'image fsync', 'rename', 'remove old'];

class Stopped extends Error {}

/** Passes calls on, except one: an append that takes half of its bytes, a sync that reports, … */
class FailingDisk implements Disk {
  readonly inner: MemoryDisk;
  calls = 0;
  failAt = 0;
  failed = '';
  /** A kind of call that fails each time. */
  failing = '';

  constructor(inner: MemoryDisk) {
    this.inner = inner;
  }

  private fails(call: string): boolean {
    this.calls++;
    if (this.calls !== this.failAt) return false;
    this.failed = call;
    return true;
  }

  private orFail(call: string, name: string): void {
    if (this.fails(call)) throw new DiskError(`${call} ${name}: input/output error`);
  }

  list(): string[] {
    return this.inner.list();
  }
  size(name: string): number {
    return this.inner.size(name);
  }
  read(name: string, offset: number, length: number): Uint8Array {
    this.orFail('read', name);
    return this.inner.read(name, offset, length);
  }
  append(name: string, bytes: Uint8Array): void {
    if (!this.fails('write')) {
      this.inner.append(name, bytes);
      return;
    }
    this.inner.append(name, bytes.subarray(0, bytes.length >> 1));
    throw new DiskError(`write ${name}: no space left on device`);
  }
  freeBytes(): number {
    return this.inner.freeBytes();
  }
  appendLater(name: string, bytes: Uint8Array, done: DiskDone): void {
    this.orLater('write', name, done, (heard) => this.inner.appendLater(name, bytes, heard));
  }
  sync(name: string, done: DiskDone): void {
    this.orLater('fsync', name, done, (heard) => this.inner.sync(name, heard));
  }
  replace(name: string, bytes: Uint8Array): void {
    this.orFail('replace', name);
    this.inner.replace(name, bytes);
  }
  rename(from: string, to: string, done: DiskDone): void {
    this.orLater('rename', from, done, (heard) => this.inner.rename(from, to, heard));
  }
  truncate(name: string, length: number): void {
    this.orFail('truncate', name);
    this.inner.truncate(name, length);
  }
  remove(name: string): void {
    this.orFail('remove', name);
    this.inner.remove(name);
  }
  removeLater(name: string, done: DiskDone): void {
    this.orLater('remove old', name, done, (heard) => this.inner.removeLater(name, heard));
  }
  /** Does the work and tells of a failure nevertheless: nobody can know which of the two it was. */
  private orLater(
    call: string,
    name: string,
    done: DiskDone,
    run: (heard: DiskDone) => void,
  ): void {
    const isImage = name.endsWith('.part') && !call.includes(' ') && call !== 'rename';
    const what = isImage ? `image ${call}` : call;
    const broken = ++this.calls === this.failAt || this.failing === what;
    run((error) => {
      if (broken) this.failed = what;
      done(broken ? new DiskError(`${what} ${name}: input/output error`) : error);
    });
  }
  close(): void {}
}

/** The lives of one member on one directory, and the client that writes to it. */
class Run {
  readonly disk: FailingDisk;
  /** Elements whose SADD was acknowledged. */
  readonly acknowledged: string[] = [];
  endedWith = '';
  private readonly fsync: string;
  private readonly syncs: (() => void)[] = [];
  private nowMs = 1000;
  private serial = 0;
  private member: Member | null = null;

  constructor(fsync: string, failAt: number) {
    this.fsync = fsync;
    this.disk = new FailingDisk(new MemoryDisk({ later: (run) => this.syncs.push(run) }));
    this.disk.failAt = failAt;
  }

  /** One process from start to a kill; false: it ended by itself, with words. */
  live(turns: number): boolean {
    try {
      const member = this.start();
      this.member = member;
      const sent: string[] = [];
      let answers = '';
      const client = member.connectClient('test', 'test', {
        send: (bytes, length) => {
          answers += Buffer.from(bytes.subarray(0, length)).toString('latin1');
          const count = answers.split('\r\n').length - 1;
          this.acknowledged.push(...sent.splice(0, count));
          answers = '';
        },
        bufferedBytes: () => 0,
        close: () => {},
      });
      for (let turn = 0; turn < turns; turn++) {
        const element = `element:${++this.serial}`;
        sent.push(element);
        member.clients.receive(client, encodeRequest(['SADD', `log:${turn % 7}`, element]));
        member.turn();
        this.nowMs += 300;
        member.tick();
        for (let round = 0; round < 2; round++) {
          for (const end of this.syncs.splice(0)) end();
          member.turn();
        }
      }
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof DamagedLog)) throw error;
      this.endedWith = error.message;
      return false;
    } finally {
      this.syncs.length = 0;
    }
    return true;
  }

  /** Starts once more on the disk as it is and lists every element that is there. */
  found(): Set<string> {
    const { db } = this.start();
    const elements = Array.from({ length: 7 }, (_, i) => db.setMembers(`log:${i}`) ?? []);
    return new Set(elements.flat());
  }

  /** What INFO says of the last image; '': it is in place. */
  imageFailure(): string {
    const lines = this.member!.info().flatMap((section) => section.lines);
    return String(new Map(lines).get('log_image_failure'));
  }

  /** The machine loses power now. */
  powerCut(seed: number): void {
    this.disk.inner.crash(new Prng(seed));
  }

  private start(): Member {
    this.disk.inner.kill(new Prng(this.serial));
    const flags = ['--region', 'eu', '--region-number', '1', '--port', '1', '--peer-port', '2'];
    const result = readConfig([...flags, '--dir', 'simulated', '--fsync', this.fsync], {});
    if ('errors' in result) throw new Error(result.errors.join());
    const env: Env = {
      clock: { wallMs: () => 1_767_225_600_000 + this.nowMs, monotonicMs: () => this.nowMs },
      random: new Prng(this.serial + 1),
      disk: this.disk,
      transport: {
        dial: () => {
          throw new Error('there are no peers');
        },
      },
      journal: silentJournal,
      fatal: (reason) => {
        throw new Stopped(reason);
      },
    };
    const { config } = result;
    const facts = {
      ...{ version: 'test', runtime: 'test', os: 'test', pid: 1, port: 1, runId: 'test' },
      ...{ startedAtMs: this.nowMs, region: config.region, database: config.database },
    };
    return new Member(env, config, { facts, sizes, wake: () => {}, shutdown: () => {} });
  }
}

/** Every call that a whole run makes fails once; what each failing run ended with. */
function failEachCall(fsync: string, after: (run: Run, failAt: number) => void): Set<string> {
  const failed = new Set<string>();
  for (let failAt = 1; ; failAt++) {
    const run = new Run(fsync, failAt);
    let lives = 0;
    while (lives < LIVES && run.live(TURNS)) lives++;
    if (run.disk.calls < failAt) return failed;
    // A process that is killed meanwhile does not hear that its sync has failed.
    if (run.disk.failed === '') continue;
    failed.add(run.disk.failed);
    const what = `${run.disk.failed}, call ${failAt}`;
    if (SPARED.includes(run.disk.failed)) expect(`${what}: ${run.endedWith}`).toBe(`${what}: `);
    else {
      expect(`${what}: ${run.endedWith}`).toMatch(
        /: the disk failed.* (no space left on device|input\/output error).*start it again/,
      );
    }
    after(run, failAt);
    const found = run.found();
    const lost = run.acknowledged.filter((element) => !found.has(element));
    expect(`${what}: lost ${lost}`).toBe(`${what}: lost `);
  }
}

test('a run without a fault acknowledges everything and finds it again', () => {
  const run = new Run('always', 0);
  for (let life = 0; life < LIVES; life++) expect(run.live(TURNS)).toBe(true);
  expect(run.acknowledged.length).toBeGreaterThan(TURNS);
  const names = run.disk.inner.list();
  expect(names.some((name) => name.endsWith('.mimg'))).toBe(true);
  expect(run.found().size).toBeGreaterThanOrEqual(run.acknowledged.length);
});

test.each(['always', 'everysec', 'no'])(
  'fsync %s: whichever call fails, the process ends with words (or gives up an image) and has all at its next start',
  (fsync) => {
    const failed = failEachCall(fsync, () => {});
    expect([...failed].sort()).toEqual(
      expect.arrayContaining(['fsync', 'read', 'remove', 'replace', 'write', ...SPARED]),
    );
  },
);

test('fsync always: the same when the machine loses power at that moment', () => {
  failEachCall('always', (run, failAt) => run.powerCut(failAt));
});

test('a disk that gets full while an image is written: the image goes, the log goes on', () => {
  const run = new Run('always', 0);
  run.disk.inner.capacityBytes = 11_000;
  expect(run.live(80)).toBe(true);
  const names = run.disk.inner.list();
  expect(names.filter((name) => name.endsWith('.part'))).toEqual([]);
  expect(run.imageFailure()).toMatch(/of which 3000 are the log's/);
  // The log takes the rest too; then the process ends, and needs room to start again.
  expect(run.live(130)).toBe(false);
  expect(run.endedWith).toMatch(/no space left on device.*make room/);
  run.disk.inner.capacityBytes = Number.POSITIVE_INFINITY;
  const found = run.found();
  expect(run.acknowledged.filter((element) => !found.has(element))).toEqual([]);
});

test('an image that was given up is tried again, and tells of it meanwhile', () => {
  const run = new Run('everysec', 0);
  run.disk.failing = 'image write';
  expect(run.live(130)).toBe(true);
  expect(run.imageFailure()).toContain('input/output error');
  run.disk.failing = '';
  expect(run.live(130)).toBe(true);
  expect(run.imageFailure()).toBe('');
  expect(run.disk.inner.list().some((name) => name.endsWith('.mimg'))).toBe(true);
});
