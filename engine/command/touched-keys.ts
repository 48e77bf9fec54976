/**
 * Who wants to hear of changed keys: WATCH and the clients that are blocked on keys.
 *
 * The database has one hook, called for every change by local and remote ops; it is set only while
 * somebody listens, so that a write costs nothing otherwise.
 */
import type { Db } from '../core/db.ts';

export type KeyListener = {
  touched(key: string): void;
  /** All keys may have changed: FLUSHALL, an imported slot. */
  touchedAll(): void;
};

export class TouchedKeys {
  private readonly db: Db;
  private readonly listeners = new Set<KeyListener>();

  constructor(db: Db) {
    this.db = db;
  }

  /** Begins or ends to tell the listener; asking again for the same changes nothing. */
  tell(listener: KeyListener, wanted: boolean): void {
    if (this.listeners.has(listener) === wanted) return;
    if (wanted) this.listeners.add(listener);
    else this.listeners.delete(listener);
    const [first, ...others] = this.listeners;
    const { db } = this;
    if (first === undefined) {
      db.touched = null;
      db.touchedAll = null;
    } else if (others.length === 0) {
      db.touched = (key) => first.touched(key);
      db.touchedAll = () => first.touchedAll();
    } else {
      db.touched = (key) => {
        for (const each of this.listeners) each.touched(key);
      };
      db.touchedAll = () => {
        for (const each of this.listeners) each.touchedAll();
      };
    }
  }
}
