/**
 * All client sessions of the process: CLIENT LIST, KILL and PAUSE, and the counts for INFO.
 *
 * A pause holds back only commands that touch data (or write data): an operator that probes the
 * member, and CLIENT UNPAUSE itself, must get through.
 */
import { DATA, type Entry, EXEC, WRITE } from './dispatch.ts';
import type { ClientSession } from './session.ts';

export type PauseMode = 'none' | 'write' | 'all';

export class ClientRegistry {
  readonly sessions = new Map<number, ClientSession>();
  /** Sessions whose next command waits for the end of the pause. */
  readonly postponed = new Set<ClientSession>();
  commandsProcessed = 0;
  connectionsReceived = 0;
  inputBytes = 0;
  private pauseMode: PauseMode = 'none';
  private pausedUntilMs = 0;

  add(session: ClientSession): void {
    this.sessions.set(session.id, session);
    this.connectionsReceived++;
  }

  remove(session: ClientSession): void {
    this.sessions.delete(session.id);
    this.postponed.delete(session);
  }

  /** Sessions by id, oldest first. */
  list(): ClientSession[] {
    return [...this.sessions.values()].sort((a, b) => a.id - b.id);
  }

  /** Closes a session from outside: its output is flushed, its commands are not run any more. */
  kill(session: ClientSession): void {
    session.closing = true;
    session.wake(session);
  }

  /** Pauses until `untilMs`; a longer or stricter pause in force stays, as in Redis. */
  pause(mode: 'write' | 'all', untilMs: number): void {
    if (this.pauseMode !== 'all') this.pauseMode = mode;
    this.pausedUntilMs = Math.max(this.pausedUntilMs, untilMs);
  }

  /** Ends the pause and runs what it held back. */
  unpause(): void {
    this.pauseMode = 'none';
    this.pausedUntilMs = 0;
    const waiting = [...this.postponed];
    this.postponed.clear();
    for (const session of waiting) session.unblock();
  }

  /** To be called by the shell several times a second: ends a pause whose time is over. */
  tick(nowMs: number): void {
    if (this.pauseMode !== 'none' && nowMs >= this.pausedUntilMs) this.unpause();
  }

  /** CLIENT PAUSE is in force, so nothing may be written. */
  get pausesWrites(): boolean {
    return this.pauseMode !== 'none';
  }

  /** Whether the command must wait for the end of a pause. */
  postpones(session: ClientSession, entry: Entry): boolean {
    if (this.pauseMode === 'none') return false;
    const { transaction } = session;
    const held = this.pauseMode === 'all' ? WRITE | DATA : WRITE;
    const publishes = entry.command.name === 'PUBLISH' || entry.command.name === 'SPUBLISH';
    if ((entry.bits & EXEC) !== 0) return transaction !== null && (transaction.bits & held) !== 0;
    if (transaction !== null) return false;
    return (entry.bits & held) !== 0 || publishes;
  }
}
