/** What ACL refused lately, for ACL LOG. Repeated refusals within a minute are one entry. */

export type LogReason = 'command' | 'key' | 'channel' | 'auth';
export type LogContext = 'toplevel' | 'multi' | 'lua';

export type LogEntry = {
  readonly id: number;
  count: number;
  readonly reason: LogReason;
  readonly context: LogContext;
  /** The command, key or channel; AUTH or HELLO as it was written. */
  readonly object: string;
  readonly username: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** The client as in CLIENT LIST, at the last time. */
  client: string;
};

export const ACL_LOG_MAX_LEN = 128;
const GROUPED_MS = 60_000;
/** So many entries are compared with a new one. */
const COMPARED = 10;

export class AclLog {
  maxLength = ACL_LOG_MAX_LEN;
  private entries: LogEntry[] = [];
  private nextId = 0;

  add(what: Omit<LogEntry, 'id' | 'count' | 'createdAtMs' | 'updatedAtMs'>, nowMs: number): void {
    const at = this.entries
      .slice(0, COMPARED)
      .findIndex(
        (entry) =>
          entry.reason === what.reason &&
          entry.context === what.context &&
          entry.object === what.object &&
          entry.username === what.username &&
          nowMs - entry.updatedAtMs <= GROUPED_MS,
      );
    if (at >= 0) {
      const [entry] = this.entries.splice(at, 1);
      entry.count++;
      entry.updatedAtMs = nowMs;
      entry.client = what.client;
      this.entries.unshift(entry);
    } else {
      const id = this.nextId++;
      this.entries.unshift({ ...what, id, count: 1, createdAtMs: nowMs, updatedAtMs: nowMs });
    }
    if (this.entries.length > this.maxLength) this.entries.length = this.maxLength;
  }

  /** The newest first. */
  list(count: number): readonly LogEntry[] {
    return this.entries.slice(0, count);
  }

  reset(): void {
    this.entries = [];
  }
}
