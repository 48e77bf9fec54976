/**
 * All client sessions of the process: CLIENT LIST, KILL and PAUSE, and the counts for INFO.
 *
 * A pause holds back only commands that touch data (or write data): an operator that probes the
 * member, and CLIENT UNPAUSE itself, must get through.
 */
import { clientMemory } from './client-describe.ts';
import type { ServerContext } from './context.ts';
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
  private idleCheckedAtMs = 0;

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

  /**
   * Closes the clients that take most until all of them together take `bytesMax` at most. Those that
   * asked not to be (CLIENT NO-EVICT) stay. Returns how many were closed.
   */
  evict(bytesMax: number): number {
    let total = 0;
    const costs: [ClientSession, number][] = [];
    for (const session of this.sessions.values()) {
      const bytes = clientMemory(session);
      total += bytes;
      if (!session.noEvict && !session.closing) costs.push([session, bytes]);
    }
    if (total <= bytesMax) return 0;
    costs.sort(([, a], [, b]) => b - a);
    let closed = 0;
    for (const [session, bytes] of costs) {
      if (total <= bytesMax) break;
      session.drop();
      total -= bytes;
      closed++;
    }
    return closed;
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

  /**
   * To be called by the shell several times a second: ends a pause whose time is over, closes clients
   * that are idle for too long, or take too much together.
   */
  tick(nowMs: number, { limits, config }: ServerContext): void {
    if (this.pauseMode !== 'none' && nowMs >= this.pausedUntilMs) this.unpause();
    const memoryMax = limits.clientsMemoryMax(config.maxMemoryBytes);
    if (memoryMax !== 0) limits.evicted += this.evict(memoryMax);
    if (limits.timeoutSeconds === 0 || Math.abs(nowMs - this.idleCheckedAtMs) < 1000) return;
    this.idleCheckedAtMs = nowMs;
    for (const session of this.list()) if (limits.isIdle(session, nowMs)) this.kill(session);
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
