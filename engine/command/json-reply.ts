/** Plain data as a reply for people: objects as maps, arrays as arrays, the rest as strings. */
import type { ReplyWriter } from '../resp/reply-writer.ts';

/** Writes `value` (what JSON can hold, and bigints); whole numbers become integers. */
export function writeJson(output: ReplyWriter, value: unknown): void {
  if (value === null || value === undefined) output.nullBulk();
  else if (typeof value === 'number' && Number.isSafeInteger(value)) output.integer(value);
  else if (typeof value === 'boolean') output.integer(value ? 1 : 0);
  else if (Array.isArray(value)) {
    output.array(value.length);
    for (const element of value) writeJson(output, element);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    output.map(entries.length);
    for (const [name, part] of entries) {
      output.bulkUtf8(name);
      writeJson(output, part);
    }
  } else {
    writeText(output, String(value));
  }
}

/** Values of keys are latin1 bytes already; other text may have characters beyond. */
function writeText(output: ReplyWriter, text: string): void {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      output.bulkUtf8(text);
      return;
    }
  }
  output.bulk(text);
}
