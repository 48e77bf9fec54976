/**
 * Scripts as a client of their own: the session that runs their commands, and the gates before each.
 *
 * The gates come in the order of Redis' scriptCall, and their words are Redis' own. Blocking commands
 * find a session inside EXEC, so they answer at once.
 */
import { checkCommand } from '../acl/check.ts';
import { SLOT_COUNT, slotOf } from '../keyspace/slot.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import type { ScriptHost } from '../script/redis-api.ts';
import type { ScriptFlags } from '../script/shebang.ts';
import { findKeys } from './command-describe.ts';
import type { ServerContext } from './context.ts';
import { arityFits, DATA, DENY_OOM, type Entry, LOADING, NO_SCRIPT, WRITE } from './dispatch.ts';
import { errorText } from './errors.ts';
import { ClientSession } from './session.ts';

/** The id of the session of scripts; those of clients begin at 1. */
const SCRIPT_SESSION_ID = 0;

export class ScriptClient implements ScriptHost {
  readonly reply: ReplyWriter;
  private readonly server: ServerContext;
  private readonly session: ClientSession;
  private caller: ClientSession | null = null;
  private readOnly = false;
  private allowOom = false;
  private hasAllSlots = true;
  /** Whether memory was full when the script began: asked once. */
  private full: boolean | null = null;

  constructor(server: ServerContext) {
    this.server = server;
    this.session = new ClientSession(server, SCRIPT_SESSION_ID, '');
    server.clients.remove(this.session);
    server.clients.connectionsReceived--;
    this.session.authenticated = true;
    this.session.executing = true;
    this.reply = this.session.output;
  }

  /** Before each script: `flags` null are the rules of scripts without `#!` line. */
  begin(caller: ClientSession, flags: ScriptFlags | null, readOnly: boolean): void {
    this.caller = caller;
    this.session.user = caller.user;
    this.readOnly = readOnly || (flags?.has('no-writes') ?? false);
    this.allowOom = flags?.has('allow-oom') ?? false;
    this.full = null;
    const { firstSlot, lastSlot } = this.server.member.slots();
    this.hasAllSlots = lastSlot - firstSlot === SLOT_COUNT - 1;
    this.reply.protocol = 2;
    this.session.replyMode = 'on';
  }

  /** Why a script with these flags may not run now; null: it may. */
  refusal(flags: ScriptFlags | null, readOnly: boolean): string | null {
    if (flags === null) return null;
    if (!flags.has('no-writes')) {
      if (this.server.member.role() === 'replica') return errorText('scriptOnReplica');
      if (readOnly) return errorText('scriptMayWrite');
      if (!flags.has('allow-oom') && this.isFull()) return errorText('scriptOutOfMemory');
    }
    return null;
  }

  call(args: Args): void {
    const { session, server } = this;
    const entry = server.commands.resolve(args);
    server.clients.commandsProcessed++;
    const refused = this.refuses(entry, args);
    if (refused !== null) {
      this.reply.error(refused);
      return;
    }
    session.call(entry!, args);
    if (this.caller!.tracker !== null) server.tracking?.noteReads(this.caller!, entry!, args);
  }

  allows(args: Args): boolean | null {
    const entry = this.server.commands.resolve(args);
    return entry === null ? null : checkCommand(this.session.user, entry, args) === null;
  }

  log(_level: number, _text: string): void {}

  monotonicMs(): number {
    return this.server.monotonicMs();
  }

  private refuses(entry: Entry | null, args: Args): string | null {
    if (entry === null) return errorText('scriptUnknownCommand');
    if (!arityFits(entry, args.count)) return errorText('scriptArity');
    const { bits } = entry;
    if ((bits & NO_SCRIPT) !== 0) return errorText('scriptRefused');
    const caller = this.caller!;
    if (!caller.user.unrestricted) {
      const denied = this.server.acl.refusal(caller, entry, args, 'lua');
      if (denied !== null) return denied;
    }
    const role = this.server.member.role();
    if (role === 'starting' && (bits & (WRITE | DATA)) !== 0 && (bits & LOADING) === 0) {
      return errorText('loading', this.server.member.startingReason());
    }
    if ((bits & WRITE) !== 0) {
      if (this.readOnly) return errorText('scriptReadOnly');
      if (role === 'replica') return errorText('readOnly');
    }
    if (this.isElsewhere(entry, args)) return errorText('scriptNonLocalKey');
    if ((bits & DENY_OOM) !== 0 && !this.allowOom && this.isFull()) return errorText('outOfMemory');
    return null;
  }

  /** Whether one of the keys lies in a slot of another shard: a script made its name. */
  private isElsewhere({ command }: Entry, args: Args): boolean {
    if (this.hasAllSlots) return false;
    const { firstSlot, lastSlot } = this.server.member.slots();
    for (const i of findKeys(command, args) ?? []) {
      const slot = slotOf(args.buffer, args.start[i], args.end[i]);
      if (slot < firstSlot || slot > lastSlot) return true;
    }
    return false;
  }

  private isFull(): boolean {
    const { db, config, member } = this.server;
    this.full ??= member.role() === 'primary' && config.isFull(db) && !config.makeRoom(db);
    return this.full;
  }
}
