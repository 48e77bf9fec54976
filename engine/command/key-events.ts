/**
 * Keyspace notifications: changes of keys as messages, if notify-keyspace-events asks for them.
 *
 *     __keyspace@0__:<key>    message: the event         K
 *     __keyevent@0__:<event>  message: the key           E
 *
 * The database tells which keys a command has changed; the command tells what to call it. As in Redis
 * each process tells of its own keys. Changes that came from elsewhere (another region, the primary)
 * are named after the type: `set`, `hset`, `sadd` …, or `del`. `keymiss` comes of commands that only
 * read. SADD of a member that is there is an event, for it is a write: it makes the member survive.
 */
import type { Db } from '../core/db.ts';
import type { Args } from '../resp/args.ts';
import { findKeys } from './command-describe.ts';
import type { Setting } from './config-store.ts';
import { DATA, type Entry, WRITE } from './dispatch.ts';
import { eventByType, eventsOf, letterOf } from './key-event-names.ts';
import type { PubSub } from './pubsub.ts';
import type { KeyListener, TouchedKeys } from './touched-keys.ts';

/** What `A` stands for. */
const ALL = 'g$lshzxetd';
const KNOWN = `${ALL}KEmn`;

export class KeyEvents implements KeyListener {
  /** Whether anything is to be told: commands ask before they do anything for it. */
  active = false;
  private letters = '';
  private readonly db: Db;
  private readonly pubsub: PubSub;
  private readonly touchedKeys: TouchedKeys;
  private changed = new Set<string>();
  private absent: string[] = [];

  constructor(db: Db, pubsub: PubSub, touchedKeys: TouchedKeys) {
    this.db = db;
    this.pubsub = pubsub;
    this.touchedKeys = touchedKeys;
  }

  /** A command is about to run. Only while `active`. */
  begin(entry: Entry, args: Args): void {
    // What has changed before was not its doing.
    this.turn();
    this.absent = [];
    const wanted = (entry.bits & WRITE) !== 0 ? 'n' : 'm';
    if ((entry.bits & (WRITE | DATA)) === 0 || !this.letters.includes(wanted)) return;
    const keys = (findKeys(entry.command, args) ?? []).map((at) => args.text(at));
    this.absent = keys.filter((key) => !this.exists(key));
    if (wanted === 'm') for (const key of this.absent) this.emit('keymiss', key, 'm');
  }

  /** It has run. */
  end(entry: Entry, args: Args): void {
    const { name, group } = entry.command;
    // Of what a script did only the keys are known.
    if ((group as string) === 'scripting') this.turn();
    const keys = inOrder(this.changed, entry, args);
    this.changed = new Set();
    for (const key of keys) {
      const expires = this.db.expiry(key) !== Number.POSITIVE_INFINITY;
      const now = { exists: this.exists(key), expires };
      if (now.exists && this.absent.includes(key)) this.emit('new', key, 'n');
      for (const event of eventsOf(name, args, key, now)) {
        this.emit(event, key, letterOf(event, group));
      }
    }
  }

  /** The end of a turn: what was changed by no command of a client. */
  turn(): void {
    if (this.changed.size === 0) return;
    const keys = this.changed;
    this.changed = new Set();
    for (const key of keys) {
      const event = eventByType[this.db.type(key)] ?? 'set';
      this.emit(event, key, letterOf(event, ''));
    }
  }

  touched(key: string): void {
    const { cause } = this.db;
    if (cause === null) this.changed.add(key);
    else this.emit(cause, key, letterOf(cause, ''));
  }

  /** FLUSHALL has no events of keys, as in Redis. */
  touchedAll(): void {
    this.changed.clear();
  }

  setting(): Setting {
    return {
      name: 'notify-keyspace-events',
      get: () => canonical(this.letters),
      set: (value) => {
        const known = [...value].every((letter) => letter === 'A' || KNOWN.includes(letter));
        if (!known) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        this.letters = value.replaceAll('A', ALL);
        const somewhere = /[KE]/.test(this.letters);
        this.active = somewhere && /[^KE]/.test(this.letters);
        this.touchedKeys.tell(this, this.active);
        if (!this.active) this.changed.clear();
        return null;
      },
    };
  }

  private exists(key: string): boolean {
    return this.db.type(key) !== 'none';
  }

  private emit(event: string, key: string, letter: string): void {
    const { letters, pubsub } = this;
    if (!letters.includes(letter)) return;
    if (letters.includes('K')) pubsub.deliver(`__keyspace@0__:${key}`, event);
    if (letters.includes('E')) pubsub.deliver(`__keyevent@0__:${event}`, key);
  }
}

/** Several keys in the order in which the command names them: what is taken away comes first. */
function inOrder(keys: ReadonlySet<string>, entry: Entry, args: Args): Iterable<string> {
  if (keys.size < 2) return keys;
  const named = (findKeys(entry.command, args) ?? []).map((at) => args.text(at));
  // Lists are pushed to before they are popped from, in these words.
  if (/^(B?LMOVE|B?RPOPLPUSH)$/.test(entry.command.name)) named.reverse();
  return new Set([...named.filter((key) => keys.has(key)), ...keys]);
}

/** The letters in Redis' order, with `A` for all that it stands for. */
function canonical(letters: string): string {
  const all = [...ALL].every((letter) => letters.includes(letter));
  const kinds = all ? 'A' : [...ALL].filter((letter) => letters.includes(letter)).join('');
  return kinds + [...'KEmn'].filter((letter) => letters.includes(letter)).join('');
}
