/**
 * WATCH: which sessions want to know whether a key changed.
 *
 * The database calls `touched` for every changed key, by local and remote ops, but only while
 * somebody watches. A key that was there at WATCH and has expired since counts as changed even if
 * nothing has deleted it yet; that is asked at EXEC.
 */
import type { Db } from '../core/db.ts';
import type { ClientSession } from './session.ts';
import type { KeyListener, TouchedKeys } from './touched-keys.ts';

export type WatchedKey = { readonly existed: boolean };

export class WatchRegistry implements KeyListener {
  private readonly db: Db;
  private readonly touchedKeys: TouchedKeys;
  private readonly watchers = new Map<string, Set<ClientSession>>();

  constructor(db: Db, touchedKeys: TouchedKeys) {
    this.db = db;
    this.touchedKeys = touchedKeys;
  }

  /** Watches one key for the session; a key watched already stays as it was first seen. */
  watch(session: ClientSession, key: string): void {
    if (session.watched.has(key)) return;
    session.watched.set(key, { existed: this.db.type(key) !== 'none' });
    const sessions = this.watchers.get(key);
    if (sessions) sessions.add(session);
    else this.watchers.set(key, new Set([session]));
    this.listen();
  }

  /** Forgets everything the session watches. */
  unwatch(session: ClientSession): void {
    for (const key of session.watched.keys()) {
      const sessions = this.watchers.get(key);
      sessions?.delete(session);
      if (sessions?.size === 0) this.watchers.delete(key);
    }
    session.watched.clear();
    session.watchBroken = false;
    this.listen();
  }

  /** Whether EXEC must refuse. */
  broken(session: ClientSession): boolean {
    if (session.watchBroken) return true;
    for (const [key, seen] of session.watched) {
      if (seen.existed !== (this.db.type(key) !== 'none')) return true;
    }
    return false;
  }

  private listen(): void {
    this.touchedKeys.tell(this, this.watchers.size > 0);
  }

  touched(key: string): void {
    const sessions = this.watchers.get(key);
    if (sessions) for (const session of sessions) session.watchBroken = true;
  }

  /** A key that did not exist is judged at EXEC: it has changed only if it exists then. */
  touchedAll(): void {
    for (const [key, sessions] of this.watchers) {
      for (const session of sessions) {
        if (session.watched.get(key)?.existed) session.watchBroken = true;
      }
    }
  }
}
