/**
 * What is not ours comes in as a parameter: time, chance, disk, network and the log of messages.
 *
 * Each of these has exactly two implementations: the real one, built in main.ts (Shell), and the
 * simulated one in engine/sim/. The core never asks the operating system for any of them, so that
 * a simulated run with a seed replays to the byte.
 *
 * Disk and transport take callbacks, never promises: the simulator decides when they end. The core
 * has no timers either; the shell calls `tick` some fifty times a second, the simulator does so in
 * virtual time.
 */

/**
 * `wallMs` is Unix time and may jump; `monotonicMs` never goes back; `cpuMs` is what this thread has
 * used of a core, `waitedMs` how long it has waited for one (absent: nobody knows).
 */
export type Clock = {
  wallMs(): number;
  monotonicMs(): number;
  cpuMs?(): number;
  waitedMs?(): number;
};

/** Chance: uniform 32-bit numbers and bytes. The real one is cryptographic. */
export type Random = {
  uint32(): number;
  bytes(length: number): Uint8Array;
};

/**
 * One directory of files. Bytes appended survive the death of the process, but only synced ones
 * survive the death of the machine. What takes a `done` does its work elsewhere and calls back
 * later: nothing that may wait for a device (fsync, rename, unlink of a large file) holds up the
 * loop. Every method may throw a `DiskError` or hand one to `done`; unless the caller can do without
 * the file, the process must stop then, for nobody knows what is stored.
 */
export type Disk = {
  /** Names of all files, in no particular order. */
  list(): string[];
  /** Bytes stored in a file; -1 when there is none. */
  size(name: string): number;
  /** Room that is left for more; Infinity where nobody can tell. */
  freeBytes(): number;
  /** Up to `length` bytes from `offset`; shorter at the end of the file. */
  read(name: string, offset: number, length: number): Uint8Array;
  /** Adds bytes to the end of a file, and makes the file when there is none. */
  append(name: string, bytes: Uint8Array): void;
  /**
   * As `append`, but later. Until it calls back the bytes must not change, and nothing else may be
   * asked of this file.
   */
  appendLater(name: string, bytes: Uint8Array, done: DiskDone): void;
  /** Makes the file and all that was appended before this call survive a power cut. */
  sync(name: string, done: DiskDone): void;
  /** Puts a whole small file in place at once and for good: before or after, never half. */
  replace(name: string, bytes: Uint8Array): void;
  /** Gives a file another name: before or after, and for good. Its bytes must have been synced. */
  rename(from: string, to: string, done: DiskDone): void;
  /** Cuts a file to its first `length` bytes, for good. */
  truncate(name: string, length: number): void;
  /** Removes a file; no error when there is none. */
  remove(name: string): void;
  /** As `remove`, but later: a file of some GB takes the system a while. */
  removeLater(name: string, done: DiskDone): void;
  /** Gives the directory back (lock, file handles). */
  close(): void;
};

/** null: it is done. Not called when the process ends meanwhile. */
export type DiskDone = (error: DiskError | null) => void;

/** What a disk refused to do: the operation, the file and the system's words. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
}

/** One connection to a peer, seen by who sends into it. */
export type Link = {
  /** Accepted links by TLS: the regions that its certificate may speak for. Absent: plain. */
  readonly certified?: readonly string[];
  /** Hands bytes to the network. The bytes must not change afterwards. */
  send(bytes: Uint8Array): void;
  /** Bytes handed over that the network has not taken yet. */
  bufferedBytes(): number;
  /** Ends the connection; what was sent before still goes out. `closed` is called once. */
  close(): void;
};

/** One connection to a peer, seen by who receives from it. */
export type LinkHandler = {
  /** Only for dialled links: the connection stands. */
  opened(): void;
  received(chunk: Uint8Array): void;
  /** The network took bytes again after `bufferedBytes` was above zero. */
  drained(): void;
  /** The connection is over (also: it could not be made); nothing is called after this. */
  closed(reason: string): void;
};

export type Address = { readonly host: string; readonly port: number };

/**
 * Makes connections to peers. Accepted ones come in by `Member.acceptPeer`. `region` is where the
 * address should lead; a transport with certificates sees to it.
 */
export type Transport = {
  dial(address: Address, handler: LinkHandler, region: string): Link;
};

/** Messages for people: constant sentence, facts as fields (style rule 29). */
export type Journal = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** A journal that keeps nothing. */
export const silentJournal: Journal = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

export type Env = {
  readonly clock: Clock;
  readonly random: Random;
  /** null: keep nothing (`--dir` absent). */
  readonly disk: Disk | null;
  readonly transport: Transport;
  readonly journal: Journal;
  /** Stops the process: going on would risk wrong data. Does not return in the real engine. */
  fatal(reason: string): void;
};
