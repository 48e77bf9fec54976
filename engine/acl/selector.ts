/**
 * A set of rights: which commands, on which keys, on which channels. A user has a root selector and
 * any number of others; a command may run if one of them allows all of it.
 *
 * Commands are kept twice: as the set that may run, which decides, and as the rules in the order in
 * which they were given, which ACL LIST prints and ACL SAVE stores.
 */

import { globMatches } from '../command/glob.ts';
import type { Command } from '../command/table.ts';
import { CATEGORIES, type Category, categoriesOf } from './categories.ts';
import type { AclCommands } from './commands.ts';

export const READ = 1;
export const WRITE = 2;

/** Why a rule was not taken; the sentences are in `ruleErrors`. */
export type RuleError =
  | 'unknown'
  | 'syntax'
  | 'afterAllKeys'
  | 'afterAllChannels'
  | 'noSuchPassword'
  | 'badHash'
  | 'firstArgument';

/** A pattern of keys, and for what it holds. */
export type KeyPattern = { readonly pattern: string; rights: number };

const BLANK = /[\s\0]/;

export class Selector {
  /** Every command, also such as come later. */
  allCommands = false;
  allKeys = false;
  allChannels = false;
  keyPatterns: KeyPattern[] = [];
  channelPatterns: string[] = [];
  /** Commands that may run whatever their arguments. */
  readonly commands = new Set<Command>();
  /** Commands that may run with one of these first arguments (lower case). */
  readonly firstArguments = new Map<Command, Set<string>>();
  /** `+get`, `-@dangerous`: in order, after `-@all` or `+@all`. */
  private rules: string[] = [];
  private base: '+@all' | '-@all' = '-@all';
  private readonly known: AclCommands;

  constructor(known: AclCommands) {
    this.known = known;
    this.allChannels = known.allChannelsByDefault;
  }

  /** Whether nothing at all is refused. */
  get unrestricted(): boolean {
    return this.allCommands && this.allKeys && this.allChannels;
  }

  copy(): Selector {
    const copy = new Selector(this.known);
    copy.allCommands = this.allCommands;
    copy.allKeys = this.allKeys;
    copy.allChannels = this.allChannels;
    copy.keyPatterns = this.keyPatterns.map((pattern) => ({ ...pattern }));
    copy.channelPatterns = [...this.channelPatterns];
    for (const command of this.commands) copy.commands.add(command);
    for (const [command, words] of this.firstArguments) {
      copy.firstArguments.set(command, new Set(words));
    }
    copy.rules = [...this.rules];
    copy.base = this.base;
    return copy;
  }

  /** Applies one rule of ACL SETUSER; returns why it cannot, or null. */
  apply(rule: string): RuleError | null {
    switch (rule.toLowerCase()) {
      case '~*':
      case 'allkeys':
        return this.setKeys(true);
      case 'resetkeys':
        return this.setKeys(false);
      case '&*':
      case 'allchannels':
        return this.setChannels(true);
      case 'resetchannels':
        return this.setChannels(false);
      case '+@all':
      case 'allcommands':
        return this.setAll(true);
      case '-@all':
      case 'nocommands':
        return this.setAll(false);
    }
    switch (rule[0]) {
      case '~':
        return this.addKeys(rule.slice(1), READ | WRITE);
      case '%':
        return this.addKeysFor(rule);
      case '&':
        return this.addChannels(rule.slice(1));
      case '+':
        return rule[1] === '@' ? this.setCategory(rule, true) : this.allow(rule.slice(1));
      case '-':
        return rule[1] === '@' ? this.setCategory(rule, false) : this.forbid(rule.slice(1));
    }
    return 'syntax';
  }

  /** Whether a pattern allows the key for all of `rights`. */
  allowsKey(key: string, rights: number): boolean {
    if (this.allKeys) return true;
    return this.keyPatterns.some(
      (one) => (one.rights & rights) === rights && globMatches(one.pattern, key),
    );
  }

  /** Whether the channel is allowed; a pattern to listen to must be allowed literally. */
  allowsChannel(channel: string, isPattern: boolean): boolean {
    if (this.allChannels) return true;
    return this.channelPatterns.some(
      (pattern) => pattern === channel || (!isPattern && globMatches(pattern, channel)),
    );
  }

  describeCommands(): string {
    return [this.base, ...this.rules].join(' ');
  }

  describeKeys(): string {
    if (this.allKeys) return '~*';
    const prefix = ['', '%R~', '%W~', '~'];
    return this.keyPatterns.map(({ pattern, rights }) => prefix[rights] + pattern).join(' ');
  }

  describeChannels(): string {
    return this.allChannels ? '&*' : this.channelPatterns.map((one) => `&${one}`).join(' ');
  }

  /** All of it, as rules that make the same selector. */
  describe(): string {
    const parts = [this.describeKeys()];
    if (!this.allChannels) parts.push('resetchannels');
    parts.push(this.describeChannels(), this.describeCommands());
    return parts.filter((part) => part !== '').join(' ');
  }

  private setKeys(all: boolean): null {
    this.allKeys = all;
    this.keyPatterns = [];
    return null;
  }

  private setChannels(all: boolean): null {
    this.allChannels = all;
    this.channelPatterns = [];
    return null;
  }

  private setAll(allowed: boolean): null {
    this.allCommands = allowed;
    this.base = allowed ? '+@all' : '-@all';
    this.rules = [];
    this.firstArguments.clear();
    this.commands.clear();
    if (allowed) for (const command of this.known.all) this.commands.add(command);
    return null;
  }

  private addKeysFor(rule: string): RuleError | null {
    const match = /^%([rw]+)~?/i.exec(rule);
    if (match === null) return 'syntax';
    const letters = match[1].toUpperCase();
    if (/R.*R|W.*W/.test(letters)) return 'syntax';
    // As Redis reads it, `%R` without `~` is the empty pattern.
    if (!match[0].endsWith('~') && match[0].length < rule.length) return 'syntax';
    const rights = (letters.includes('R') ? READ : 0) | (letters.includes('W') ? WRITE : 0);
    return this.addKeys(rule.slice(match[0].length), rights);
  }

  private addKeys(pattern: string, rights: number): RuleError | null {
    if (this.allKeys) return 'afterAllKeys';
    if (BLANK.test(pattern)) return 'syntax';
    const same = this.keyPatterns.find((one) => one.pattern === pattern);
    if (same !== undefined) same.rights |= rights;
    else this.keyPatterns.push({ pattern, rights });
    return null;
  }

  private addChannels(pattern: string): RuleError | null {
    if (this.allChannels) return 'afterAllChannels';
    if (BLANK.test(pattern)) return 'syntax';
    if (!this.channelPatterns.includes(pattern)) this.channelPatterns.push(pattern);
    return null;
  }

  private setCategory(rule: string, allowed: boolean): RuleError | null {
    const name = rule.slice(2).toLowerCase() as Category;
    if (!CATEGORIES.includes(name)) return 'unknown';
    for (const command of this.known.all) {
      if (categoriesOf(command).includes(name)) this.set(command, allowed);
    }
    this.note(`@${name}`, allowed);
    return null;
  }

  /** `get`, `config`, `config|get`, or `select|0`: a command with only that first argument. */
  private allow(name: string): RuleError | null {
    const bar = name.lastIndexOf('|');
    if (bar < 0) return this.setCommand(name, true);
    const outer = this.known.find(name.slice(0, bar));
    if (outer === null) return 'unknown';
    if (outer.name.includes('|')) return 'firstArgument';
    if (bar === name.length - 1) return 'syntax';
    if (outer.subcommands) return this.setCommand(name, true);
    const words = this.firstArguments.get(outer) ?? new Set();
    this.firstArguments.set(outer, words.add(name.slice(bar + 1).toLowerCase()));
    this.note(name.toLowerCase(), true);
    return null;
  }

  private forbid(name: string): RuleError | null {
    return this.setCommand(name, false);
  }

  private setCommand(name: string, allowed: boolean): RuleError | null {
    const command = this.known.find(name);
    if (command === null) return 'unknown';
    this.set(command, allowed);
    for (const inner of command.subcommands ?? []) this.set(inner, allowed);
    this.note(command.name.toLowerCase(), allowed);
    return null;
  }

  private set(command: Command, allowed: boolean): void {
    this.firstArguments.delete(command);
    if (allowed) this.commands.add(command);
    else {
      this.commands.delete(command);
      this.allCommands = false;
    }
  }

  /** Appends a rule, in place of an earlier one about the same command or parts of it. */
  private note(name: string, allowed: boolean): void {
    this.rules = this.rules.filter((rule) => {
      const subject = rule.slice(1);
      return subject !== name && !subject.startsWith(`${name}|`);
    });
    this.rules.push(`${allowed ? '+' : '-'}${name}`);
  }
}
