/**
 * Shell: a lock file that keeps two engines out of one directory.
 *
 * The runtimes have no flock(2), so the file holds the process id and the time that process began
 * (from /proc): an id that the system has given to somebody else meanwhile does not hold the lock.
 * The lock of a dead process is taken over. The file appears whole or not at all (it is linked into
 * place), and of two that find it stale at once, only one can rename it away.
 */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { DiskError } from '../env.ts';

const ATTEMPTS_MAX = 5;

/** Takes the lock at `path`; returns what gives it back. Throws `DiskError` when it is held. */
export function lockDirectory(path: string): () => void {
  const mine = `${path}.${process.pid}.new`;
  writeFileSync(mine, `${process.pid} ${startOf(process.pid)}\n`);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      try {
        linkSync(mine, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = holderOf(path);
      if (holder !== null) {
        throw new DiskError(
          `lock ${path}: process ${holder} uses this directory; stop it or take another --dir`,
        );
      }
      removeStale(path);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new DiskError(`lock ${path}: others take and leave it all the time`);
}

/** The process that holds the lock and is alive; null: nobody does. */
function holderOf(path: string): number | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  const [pid, start] = text.trim().split(' ');
  const alive = startOf(Number(pid));
  // Our own id in an older lock: a container restarted, and everyone in it is process 1.
  if (Number(pid) === process.pid || alive === '') return null;
  return alive === start ? Number(pid) : null;
}

function removeStale(path: string): void {
  const stale = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, stale);
    rmSync(stale, { force: true });
  } catch {
    // Another process was quicker: the next attempt finds its lock.
  }
}

/** When a process began, in ticks since boot; '': it does not live; 'alive' where /proc is absent. */
function startOf(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 0) return '';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : fields[19];
  } catch {
    return isAlive(pid) ? 'alive' : '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
