/**
 * All users of this process: who may come in, who may do what, and what was refused.
 *
 * Users belong to a process, member or proxy, not to the data: ACL SETUSER changes the one that it
 * is sent to. What is to hold everywhere stands in the ACL file (or in `--user`) of each.
 */

import { describeClient } from '../command/client-describe.ts';
import type { ClientRegistry } from '../command/client-registry.ts';
import type { Entry } from '../command/dispatch.ts';
import { errorText } from '../command/errors.ts';
import type { ClientSession } from '../command/session.ts';
import type { Command } from '../command/table.ts';
import type { Args } from '../resp/args.ts';
import { checkCommand, type Denied, maySubscribe, refusedSortOption } from './check.ts';
import { AclCommands } from './commands.ts';
import { AclLog, type LogContext } from './log.ts';
import { joinSelectors, ruleErrors, User } from './user.ts';

export const DEFAULT_USER = 'default';

/** Where users are kept between two starts; null is returned when all went well. */
export type AclFile = {
  readonly path: string;
  /** Throws with words for people. */
  read(): string;
  write(text: string): string | null;
};

/** What a process starts with. */
export type AclStart = {
  /** `NAME RULE RULE…` each, as in `--user`. */
  readonly users?: readonly string[];
  readonly file?: AclFile | null;
  readonly requirepass?: string;
  /** A proxy: scripts run at a member, which does not know whose they are. */
  readonly scriptsElsewhere?: boolean;
  /** Chance that nobody can guess; absent: GENPASS draws from `random`, which tests repeat. */
  readonly randomBytes?: (length: number) => Uint8Array;
};

const DENIED = {
  command: 'noPermCommand',
  key: 'noPermKey',
  channel: 'noPermChannel',
} as const;
const DENIED_IN_SCRIPT = {
  command: 'noPermCommandInScript',
  key: 'noPermKeyInScript',
  channel: 'noPermChannelInScript',
} as const;
const DENIED_AT_EXEC = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments to the command',
} as const;

const RUNS_SCRIPT = /^(EVAL|EVALSHA|FCALL)(_RO)?$/;

export class Acl {
  readonly log = new AclLog();
  readonly file: AclFile | null;
  readonly commands: AclCommands;
  readonly randomBytes: ((length: number) => Uint8Array) | null;
  /** Clients without a name are this user; it cannot be removed. */
  readonly defaultUser: User;
  private readonly scriptsElsewhere: boolean;
  /** What CONFIG GET requirepass shows: the password last set by that name. */
  requirepass = '';
  private readonly users = new Map<string, User>();
  private readonly clients: ClientRegistry;

  /** Throws when file or users are wrong, with words for people. */
  constructor(table: Iterable<Command>, clients: ClientRegistry, start: AclStart = {}) {
    this.commands = new AclCommands(table);
    this.clients = clients;
    this.file = start.file ?? null;
    this.randomBytes = start.randomBytes ?? null;
    this.scriptsElsewhere = start.scriptsElsewhere ?? false;
    this.defaultUser = this.unlisted(DEFAULT_USER);
    for (const rule of ['on', 'nopass', '~*', '&*', '+@all']) this.defaultUser.apply(rule);
    this.users.set(DEFAULT_USER, this.defaultUser);
    if (start.requirepass) this.setRequirepass(start.requirepass);
    for (const line of start.users ?? []) this.addAtStart(line);
    if (this.file !== null) {
      const wrong = this.load();
      if (wrong !== null) throw new Error(wrong);
    }
  }

  /** Whether a client that has not authenticated may only do so. */
  get authRequired(): boolean {
    return !this.defaultUser.nopass || !this.defaultUser.enabled;
  }

  find(name: string): User | null {
    return this.users.get(name) ?? null;
  }

  /** All users by name. */
  list(): User[] {
    return [...this.users.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The password of the default user; empty: none is asked for. */
  setRequirepass(password: string): void {
    this.requirepass = password;
    this.defaultUser.apply('resetpass');
    this.defaultUser.apply(password === '' ? 'nopass' : `>${password}`);
  }

  /** A client gives name and password. False: they are wrong, or the user is off. */
  authenticate(session: ClientSession, name: string, password: string, verb: string): boolean {
    const user = this.users.get(name);
    if (user?.accepts(password)) {
      session.user = user;
      session.authenticated = true;
      return true;
    }
    this.note(session, 'auth', 'toplevel', verb, name);
    return false;
  }

  /** Why the client may not run the command, as the text of the reply; null: it may. */
  refusal(
    session: ClientSession,
    entry: Entry,
    args: Args,
    context: LogContext = session.transaction === null ? 'toplevel' : 'multi',
  ): string | null {
    const denied = checkCommand(session.user, entry, args);
    if (denied === null && this.scriptsElsewhere && RUNS_SCRIPT.test(entry.command.name)) {
      return errorText('noPermScript');
    }
    if (denied === null) {
      const option = refusedSortOption(session.user, entry, args);
      return option === null ? null : errorText('sortByDenied', option);
    }
    this.note(session, denied.reason, context, denied.object, session.user.name);
    if (context === 'lua') return errorText(DENIED_IN_SCRIPT[denied.reason]);
    return errorText(DENIED[denied.reason], entry.name);
  }

  /** The same at EXEC, for a command that was allowed when it was queued. */
  refusalAtExec(session: ClientSession, entry: Entry, args: Args): string | null {
    const denied: Denied | null = checkCommand(session.user, entry, args);
    if (denied === null) return null;
    this.note(session, denied.reason, 'multi', denied.object, session.user.name);
    return errorText('noPermAtExec', DENIED_AT_EXEC[denied.reason]);
  }

  /** Makes or changes a user by rules; returns which one is wrong and why, and changes nothing. */
  setUser(name: string, rules: readonly string[]): { rule: string; why: string } | null {
    const known = this.users.get(name);
    const changed = this.unlisted(name);
    if (known !== undefined) changed.take(known);
    for (const rule of rules) {
      const wrong = changed.apply(rule);
      if (wrong !== null) return { rule, why: ruleErrors[wrong] };
    }
    const user = known ?? this.unlisted(name);
    user.take(changed);
    this.users.set(name, user);
    if (known !== undefined) this.closeListeners(user);
    return null;
  }

  /** Removes a user and closes their connections. False: there is none. */
  deleteUser(name: string): boolean {
    const user = this.users.get(name);
    if (user === undefined) return false;
    this.users.delete(name);
    this.closeClients(user);
    return true;
  }

  /**
   * Reads the file: all of it holds, or nothing. Users that are gone or have changed lose their
   * connections. Returns what is wrong.
   */
  load(): string | null {
    const { file } = this;
    if (file === null) return errorText('noAclFile');
    let text: string;
    try {
      text = file.read();
    } catch (error) {
      return (error as Error).message;
    }
    const read = this.readFile(text, file.path);
    if ('wrong' in read) {
      const end = 'WARNING: ACL errors detected, no change to the previously active ACL rules';
      return `${read.wrong.join(' ')} ${end} was performed`;
    }
    const before = [...this.users.values()];
    this.users.clear();
    for (const user of read.users) this.users.set(user.name, user);
    const fresh = this.users.get(DEFAULT_USER) ?? null;
    // Sessions hold the default user: it is changed in place.
    if (fresh !== null) this.defaultUser.take(fresh);
    this.users.set(DEFAULT_USER, this.defaultUser);
    for (const user of before) {
      const now = this.users.get(user.name);
      if (user === this.defaultUser) continue;
      if (now === undefined || now.describe() !== user.describe()) this.closeClients(user);
      else this.adopt(user, now);
    }
    return null;
  }

  /** Writes the file; returns what is wrong. */
  save(): string | null {
    if (this.file === null) return errorText('noAclFile');
    return this.file.write(this.render());
  }

  /** All users as lines of an ACL file. */
  render(): string {
    return this.list()
      .map((user) => `user ${user.name} ${user.describe()}\n`)
      .join('');
  }

  /** A user that nobody can be yet. */
  private unlisted(name: string): User {
    return new User(name, this.commands);
  }

  private addAtStart(line: string): void {
    const [name, ...words] = line.split(/\s+/).filter((word) => word !== '');
    const rules = joinSelectors(words);
    if (!Array.isArray(rules)) {
      throw new Error(
        `--user: ${name}: the selector that begins at '${rules.unmatched}' has no end`,
      );
    }
    const wrong = this.setUser(name, rules);
    if (wrong !== null) throw new Error(`--user: ${name}: '${wrong.rule}': ${wrong.why}`);
  }

  private readFile(text: string, path: string): { users: User[] } | { wrong: string[] } {
    const users = new Map<string, User>();
    const wrong: string[] = [];
    for (const [i, line] of text.split('\n').entries()) {
      const words = line.trim().split(/\s+/);
      if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
      const why = this.readLine(words, users);
      if (why !== null) wrong.push(`${path}:${i + 1}: ${why}.`);
    }
    return wrong.length > 0 ? { wrong } : { users: [...users.values()] };
  }

  private readLine(words: readonly string[], users: Map<string, User>): string | null {
    const [keyword, name, ...rest] = words;
    if (keyword !== 'user' || name === undefined) {
      return 'line should start with user keyword followed by the username';
    }
    if (users.has(name)) return `'${name}'. Duplicate user found`;
    const rules = joinSelectors(rest);
    if (!Array.isArray(rules)) return `Unmatched parenthesis in selector '${rules.unmatched}'`;
    const user = this.unlisted(name);
    for (const rule of rules) {
      const error = user.apply(rule);
      if (error !== null) return `'${rule}'. ${ruleErrors[error]}`;
    }
    users.set(name, user);
    return null;
  }

  private note(
    session: ClientSession,
    reason: Denied['reason'] | 'auth',
    context: LogContext,
    object: string,
    username: string,
  ): void {
    const nowMs = session.server.clockMs();
    const client = describeClient(session, nowMs);
    this.log.add({ reason, context, object, username, client }, nowMs);
  }

  private closeClients(user: User): void {
    for (const session of this.clients.list()) {
      if (session.user !== user) continue;
      session.user = this.defaultUser;
      session.authenticated = false;
      this.clients.kill(session);
    }
  }

  /** The user is another object now, with the same rights. */
  private adopt(before: User, now: User): void {
    for (const session of this.clients.sessions.values()) {
      if (session.user === before) session.user = now;
    }
  }

  /** Closes those who listen to what they may not listen to any more. */
  private closeListeners(user: User): void {
    if (user.allSelectors.some((selector) => selector.allChannels)) return;
    for (const session of this.clients.list()) {
      if (session.user !== user || !session.subscribed) continue;
      const listens = [
        ...[...session.channels, ...session.shardChannels].map((name) => [name, false] as const),
        ...[...session.patterns].map((name) => [name, true] as const),
      ];
      if (!listens.every(([name, isPattern]) => maySubscribe(user, name, isPattern))) {
        this.clients.kill(session);
      }
    }
  }
}
