/** All elements of a list as text, for commands that take any type. */
import type { Db } from '../core/db.ts';

/** The elements from left to right; none when there is no such list. */
export function listTexts(db: Db, key: string): string[] {
  const list = db.listAt(key);
  const texts: string[] = [];
  if (list === null) return texts;
  db.eachListValue(list, 0, list.size, (bytes, start, end) => {
    texts.push(bytes.latin1Slice(start, end));
  });
  return texts;
}
