/** ACL: users and their rights, seen and changed. */

import { DEFAULT_USER } from '../acl/acl.ts';
import { CATEGORIES, type Category, categoriesOf } from '../acl/categories.ts';
import { checkCommand } from '../acl/check.ts';
import type { LogEntry } from '../acl/log.ts';
import type { Selector } from '../acl/selector.ts';
import { joinSelectors } from '../acl/user.ts';
import { Args } from '../resp/args.ts';
import { arityFits } from './dispatch.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { readInteger } from './numbers.ts';
import type { ReplyShape } from './reply-shape.ts';
import { any, arrayOf, bulk, bulks, count, either, nil, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command, CommandFlag } from './table.ts';

const ADMIN: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale'];
const OPEN: readonly CommandFlag[] = ['noscript', 'loading', 'stale'];

function subcommand(
  word: string,
  arity: number,
  flags: readonly CommandFlag[],
  summary: string,
  complexity: string,
  reply: ReplyShape,
  run: NonNullable<Command['run']>,
): Command {
  const name = `ACL|${word}`;
  const since = word === 'DRYRUN' ? '7.0.0' : '6.0.0';
  return {
    name,
    arity,
    group: 'server',
    flags,
    keys: null,
    since,
    summary,
    complexity,
    reply,
    run,
  };
}

const USERS = 'O(N) for N users';

export const aclCommands: readonly Command[] = [
  {
    name: 'ACL',
    arity: -2,
    group: 'server',
    flags: [],
    keys: null,
    since: '6.0.0',
    summary: 'Users and their rights, in the process that is asked.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      subcommand('CAT', -2, OPEN, 'Lists categories, or the commands of one.', 'O(1)', bulks, cat),
      subcommand(
        'DELUSER',
        -3,
        ADMIN,
        'Removes users, closes their connections.',
        USERS,
        count,
        delUser,
      ),
      subcommand(
        'DRYRUN',
        -4,
        ADMIN,
        'Says whether a user may run a command.',
        'O(1)',
        either(ok, bulk),
        dryRun,
      ),
      subcommand(
        'GENPASS',
        -2,
        OPEN,
        'Makes a password that nobody can guess.',
        'O(1)',
        bulk,
        genPass,
      ),
      subcommand(
        'GETUSER',
        3,
        ADMIN,
        'Shows the rights of a user.',
        USERS,
        either(any, nil),
        getUser,
      ),
      subcommand('LIST', 2, ADMIN, 'Lists users as rules.', USERS, bulks, list),
      subcommand('LOAD', 2, ADMIN, 'Reads the ACL file: all of it, or nothing.', USERS, ok, load),
      subcommand(
        'LOG',
        -2,
        ADMIN,
        'Shows what was refused lately.',
        'O(N) for N entries',
        either(arrayOf(any), ok),
        log,
      ),
      subcommand('SAVE', 2, ADMIN, 'Writes the ACL file.', USERS, ok, save),
      subcommand('SETUSER', -3, ADMIN, 'Makes or changes a user.', 'O(N) for N rules', ok, setUser),
      subcommand('USERS', 2, ADMIN, 'Lists the names of users.', USERS, bulks, users),
      subcommand('WHOAMI', 2, OPEN, 'Says which user this connection is.', 'O(1)', bulk, whoAmI),
      subcommand(
        'HELP',
        2,
        ['loading', 'stale'],
        'Lists the subcommands.',
        'O(1)',
        arrayOf(any),
        help,
      ),
    ],
  },
];

const GENPASS_BITS_MAX = 4096;
const GENPASS_BITS = 256;
const LOG_ENTRIES = 10;

function cat(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('subcommandArity', args.text(1), 'ACL');
  const { output, server } = session;
  if (args.count === 2) {
    output.array(CATEGORIES.length);
    for (const category of CATEGORIES) output.bulk(category);
    return;
  }
  const wanted = args.text(2).toLowerCase() as Category;
  if (!CATEGORIES.includes(wanted)) throw commandError('unknownCategory', args.text(2));
  const found = server.acl.commands.all.filter((one) => categoriesOf(one).includes(wanted));
  output.array(found.length);
  for (const { name } of found) output.bulk(name.toLowerCase());
}

function delUser(session: ClientSession, args: Args): void {
  let removed = 0;
  for (let i = 2; i < args.count; i++) {
    if (args.text(i) === DEFAULT_USER) throw commandError('defaultUserStays');
  }
  for (let i = 2; i < args.count; i++) if (session.server.acl.deleteUser(args.text(i))) removed++;
  session.output.integer(removed);
}

function dryRun(session: ClientSession, args: Args): void {
  const { acl, commands } = session.server;
  const user = acl.find(args.text(2));
  if (user === null) throw commandError('aclUserNotFound', args.text(2));
  const inner = new Args();
  inner.buffer = args.buffer;
  for (let i = 3; i < args.count; i++) inner.add(args.start[i], args.end[i]);
  const entry = commands.resolve(inner);
  if (entry === null) throw commandError('aclCommandNotFound', args.text(3));
  if (!arityFits(entry, inner.count)) throw commandError('arity', entry.name);
  const denied = checkCommand(user, entry, inner);
  if (denied === null) session.output.ok();
  else if (denied.reason === 'command') {
    session.output.bulk(`This user has no permissions to run the '${entry.name}' command`);
  } else {
    const what = `the '${denied.object}' ${denied.reason}`;
    session.output.bulk(`This user has no permissions to access ${what}`);
  }
}

function genPass(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('subcommandArity', args.text(1), 'ACL');
  const bits = args.count === 3 ? readInteger(args, 2) : GENPASS_BITS;
  if (bits <= 0 || bits > GENPASS_BITS_MAX) throw commandError('genPassBits', GENPASS_BITS_MAX);
  const digits = Math.ceil(bits / 4);
  const { acl, random } = session.server;
  const bytes =
    acl.randomBytes?.(Math.ceil(digits / 2)) ??
    Uint8Array.from({ length: Math.ceil(digits / 2) }, () => Math.floor(random() * 256));
  session.output.bulk(Buffer.from(bytes).toString('hex').slice(0, digits));
}

function getUser(session: ClientSession, args: Args): void {
  const { output, server } = session;
  const user = server.acl.find(args.text(2));
  if (user === null) {
    output.nullBulk();
    return;
  }
  output.map(6);
  output.bulk('flags');
  const flags = user.flags();
  output.set(flags.length);
  for (const flag of flags) output.bulk(flag);
  output.bulk('passwords');
  output.array(user.passwords.length);
  for (const hash of user.passwords) output.bulk(hash);
  writeSelector(session, user.root);
  output.bulk('selectors');
  output.array(user.selectors.length);
  for (const selector of user.selectors) {
    output.map(3);
    writeSelector(session, selector);
  }
}

function writeSelector({ output }: ClientSession, selector: Selector): void {
  output.bulk('commands');
  output.bulk(selector.describeCommands());
  output.bulk('keys');
  output.bulk(selector.describeKeys());
  output.bulk('channels');
  output.bulk(selector.describeChannels());
}

function list(session: ClientSession): void {
  const all = session.server.acl.list();
  session.output.array(all.length);
  for (const user of all) session.output.bulk(`user ${user.name} ${user.describe()}`);
}

function users(session: ClientSession): void {
  const all = session.server.acl.list();
  session.output.array(all.length);
  for (const { name } of all) session.output.bulk(name);
}

function load(session: ClientSession): void {
  const { acl } = session.server;
  if (acl.file === null) throw commandError('noAclFile');
  const wrong = acl.load();
  if (wrong !== null) throw commandError('aclFileWrong', wrong);
  session.output.ok();
}

function save(session: ClientSession): void {
  const { acl } = session.server;
  if (acl.file === null) throw commandError('noAclFile');
  const wrong = acl.save();
  if (wrong !== null) throw commandError('aclNotSaved', wrong);
  session.output.ok();
}

function log(session: ClientSession, args: Args): void {
  if (args.count > 3) throw commandError('subcommandArity', args.text(1), 'ACL');
  const { acl, clockMs } = session.server;
  if (args.count === 3 && args.equalsIgnoreCase(2, 'RESET')) {
    acl.log.reset();
    session.output.ok();
    return;
  }
  const wanted = args.count === 3 ? Math.max(0, readInteger(args, 2)) : LOG_ENTRIES;
  const entries = acl.log.list(wanted);
  const now = clockMs.call(session.server);
  session.output.array(entries.length);
  for (const entry of entries) writeLogEntry(session, entry, now);
}

function writeLogEntry({ output }: ClientSession, entry: LogEntry, nowMs: number): void {
  output.map(10);
  output.bulk('count');
  output.integer(entry.count);
  for (const name of ['reason', 'context', 'object', 'username'] as const) {
    output.bulk(name);
    output.bulk(entry[name]);
  }
  output.bulk('age-seconds');
  output.double((nowMs - entry.createdAtMs) / 1000);
  output.bulk('client-info');
  output.bulk(entry.client);
  output.bulk('entry-id');
  output.integer(entry.id);
  output.bulk('timestamp-created');
  output.integer(entry.createdAtMs);
  output.bulk('timestamp-last-updated');
  output.integer(entry.updatedAtMs);
}

function setUser(session: ClientSession, args: Args): void {
  const name = args.text(2);
  if (/[\s\0]/.test(name)) throw commandError('userNameBlank');
  const words: string[] = [];
  for (let i = 3; i < args.count; i++) words.push(args.text(i));
  const rules = joinSelectors(words);
  if (!Array.isArray(rules)) throw commandError('selectorUnmatched', rules.unmatched);
  const wrong = session.server.acl.setUser(name, rules);
  if (wrong !== null) throw commandError('aclRule', wrong.rule, wrong.why);
  session.output.ok();
}

function whoAmI(session: ClientSession): void {
  session.output.bulk(session.user.name);
}

function help(session: ClientSession): void {
  writeHelp(session, 'ACL');
}
