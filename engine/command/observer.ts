/**
 * What is seen of commands from outside: how long they took, which errors they gave, and who watches
 * them by MONITOR. Asked for every command, so what is off must cost next to nothing.
 */
import type { Args } from '../resp/args.ts';
import type { Setting } from './config-store.ts';
import { ADMIN, type Entry, FAST } from './dispatch.ts';
import { LatencyEvents } from './latency-events.ts';
import { publicWords } from './redaction.ts';
import type { ClientSession } from './session.ts';
import { numberSetting, switchSetting } from './setting-kinds.ts';
import { SlowLog } from './slow-log.ts';

/** Kinds of errors that are counted apart. */
const ERROR_KINDS_MAX = 128;
/** Faster than this no command can be that is not timed anyway. */
const SMALL_COMMAND_MICROSECONDS = 1000;

export class Observer {
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyEvents();
  /** By code: ERR, WRONGTYPE … */
  readonly errors = new Map<string, number>();
  errorCount = 0;
  /** Clients that want to see every command. */
  readonly monitors = new Set<ClientSession>();
  /** Every command is timed. */
  timesAll = false;
  private keepsHistograms = true;

  /** A command took so long. */
  ran(session: ClientSession, entry: Entry, args: Args, milliseconds: number): void {
    const microseconds = milliseconds * 1000;
    entry.stats.time(microseconds, this.keepsHistograms);
    const { thresholdMs } = this.latency;
    const isLate = thresholdMs !== 0 && milliseconds >= thresholdMs;
    // EXEC is what it ran: that is in the log already.
    const isSlow = this.slowLog.isSlow(microseconds) && entry.name !== 'exec';
    if (!isLate && !isSlow) return;
    const atMs = session.server.clockMs();
    if (isLate) {
      const name = (entry.bits & FAST) !== 0 ? 'fast-command' : 'command';
      this.latency.note(name, milliseconds, atMs);
    }
    if (!isSlow) return;
    const { remote, name } = session;
    const words = publicWords(entry, args);
    this.slowLog.add({ atMs, microseconds: Math.floor(microseconds), words, remote, name });
  }

  /** Counts an error reply by its first word. */
  failed(text: string): void {
    this.errorCount++;
    const code = text.split(' ', 1)[0];
    const count = this.errors.get(code);
    if (count === undefined && this.errors.size >= ERROR_KINDS_MAX) return;
    this.errors.set(code, (count ?? 0) + 1);
  }

  /** Shows a command to those who monitor. */
  show(session: ClientSession, entry: Entry, args: Args): void {
    if ((entry.bits & ADMIN) !== 0) return;
    const now = session.server.clockMs();
    const time = `${Math.floor(now / 1000)}.${String(Math.floor((now % 1000) * 1000)).padStart(6, '0')}`;
    const words = publicWords(entry, args).map((word) => `"${quoted(word)}"`);
    const line = Buffer.from(
      `+${time} [0 ${session.remote || 'lua'}] ${words.join(' ')}\r\n`,
      'latin1',
    );
    for (const monitor of this.monitors) if (!monitor.closing) monitor.push(line);
  }

  reset(): void {
    this.errors.clear();
    this.errorCount = 0;
  }

  settings(): Setting[] {
    const watched = (setting: Setting): Setting => ({
      ...setting,
      set: (value) => {
        const wrong = setting.set!(value);
        const { slowerThan } = this.slowLog;
        const short = slowerThan >= 0 && slowerThan < SMALL_COMMAND_MICROSECONDS;
        this.timesAll = short || this.latency.thresholdMs > 0;
        return wrong;
      },
    });
    const threshold = numberSetting('latency-monitor-threshold', 0, 2n ** 63n - 1n, {
      get: () => this.latency.thresholdMs,
      set: (value) => {
        this.latency.thresholdMs = value;
      },
    });
    return [
      ...[...this.slowLog.settings(), threshold].map(watched),
      switchSetting('latency-tracking', {
        get: () => this.keepsHistograms,
        set: (value) => {
          this.keepsHistograms = value;
        },
      }),
      { name: 'latency-tracking-info-percentiles', get: () => '50 99 99.9' },
    ];
  }
}

const NAMED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

/** As Redis writes arguments in one line of printable ASCII. */
function quoted(text: string): string {
  return text.replace(/[^ -~]|["\\]/g, (one) => {
    return NAMED[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
