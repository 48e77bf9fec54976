/** A user: whether and how they may come in, and what they may do. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AclCommands } from './commands.ts';
import { type RuleError, Selector } from './selector.ts';

/** What is wrong with a rule, in Redis' words. */
export const ruleErrors: Readonly<Record<RuleError, string>> = {
  unknown: 'Unknown command or category name in ACL',
  syntax: 'Syntax error',
  afterAllKeys:
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have " +
    "any effect. Try 'resetkeys' to start with an empty list of patterns",
  afterAllChannels:
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not " +
    "have any effect. Try 'resetchannels' to start with an empty list of channels",
  noSuchPassword: 'The password you are trying to remove from the user does not exist',
  badHash:
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal ' +
    'characters',
  firstArgument: 'Allowing first-arg of a subcommand is not supported',
};

const HASH = /^[0-9a-f]{64}$/;

export class User {
  readonly name: string;
  enabled = false;
  /** Any password will do. */
  nopass = false;
  sanitizePayload: boolean | null = null;
  /** SHA-256 in lower case hexadecimal. */
  passwords: string[] = [];
  root: Selector;
  selectors: Selector[] = [];
  /** Nothing is refused: kept beside the selectors, because every command asks. */
  unrestricted = false;
  private readonly known: AclCommands;

  constructor(name: string, known: AclCommands) {
    this.name = name;
    this.known = known;
    this.root = new Selector(known);
  }

  /** The root selector and the others. */
  get allSelectors(): readonly Selector[] {
    return [this.root, ...this.selectors];
  }

  /** Takes over everything of another user but the name. */
  take(other: User): void {
    this.enabled = other.enabled;
    this.nopass = other.nopass;
    this.sanitizePayload = other.sanitizePayload;
    this.passwords = [...other.passwords];
    this.root = other.root.copy();
    this.selectors = other.selectors.map((selector) => selector.copy());
    this.unrestricted = other.unrestricted;
  }

  /** Applies one rule of ACL SETUSER; returns why it cannot, or null. Empty rules do nothing. */
  apply(rule: string): RuleError | null {
    const wrong = this.applyOne(rule);
    this.unrestricted = this.allSelectors.some((selector) => selector.unrestricted);
    return wrong;
  }

  /** Whether the password lets this user in. */
  accepts(password: string): boolean {
    if (!this.enabled) return false;
    if (this.nopass) return true;
    const given = Buffer.from(hashPassword(password), 'latin1');
    let right = false;
    for (const hash of this.passwords) {
      if (timingSafeEqual(given, Buffer.from(hash, 'latin1'))) right = true;
    }
    return right;
  }

  flags(): string[] {
    const flags = [this.enabled ? 'on' : 'off'];
    if (this.nopass) flags.push('nopass');
    if (this.sanitizePayload === true) flags.push('sanitize-payload');
    if (this.sanitizePayload === false) flags.push('skip-sanitize-payload');
    return flags;
  }

  /** The rules that make this user, as in an ACL file. */
  describe(): string {
    const parts = [...this.flags(), ...this.passwords.map((hash) => `#${hash}`)];
    parts.push(this.root.describe(), ...this.selectors.map((one) => `(${one.describe()})`));
    return parts.join(' ');
  }

  private applyOne(rule: string): RuleError | null {
    switch (rule.toLowerCase()) {
      case '':
        return null;
      case 'on':
      case 'off':
        this.enabled = rule.toLowerCase() === 'on';
        return null;
      case 'nopass':
      case 'resetpass':
        this.nopass = rule.toLowerCase() === 'nopass';
        this.passwords = [];
        return null;
      case 'sanitize-payload':
      case 'skip-sanitize-payload':
        this.sanitizePayload = rule.toLowerCase() === 'sanitize-payload';
        return null;
      case 'clearselectors':
        this.selectors = [];
        return null;
      case 'reset':
        this.reset();
        return null;
    }
    if (/^[>#<!]/.test(rule)) return this.changePassword(rule[0], rule.slice(1));
    if (rule.startsWith('(') && rule.endsWith(')')) return this.addSelector(rule.slice(1, -1));
    return this.root.apply(rule);
  }

  private reset(): void {
    this.enabled = false;
    this.nopass = false;
    this.sanitizePayload = true;
    this.passwords = [];
    this.selectors = [];
    this.root = new Selector(this.known);
  }

  private changePassword(sign: string, text: string): RuleError | null {
    const isHash = sign === '#' || sign === '!';
    if (isHash && !HASH.test(text)) return 'badHash';
    const hash = isHash ? text : hashPassword(text);
    const at = this.passwords.indexOf(hash);
    if (sign === '>' || sign === '#') {
      if (at < 0) this.passwords.push(hash);
      this.nopass = false;
      return null;
    }
    if (at < 0) return 'noSuchPassword';
    this.passwords.splice(at, 1);
    return null;
  }

  private addSelector(rules: string): RuleError | null {
    const selector = new Selector(this.known);
    for (const rule of rules.split(' ').filter((word) => word !== '')) {
      const wrong = selector.apply(rule);
      if (wrong !== null) return wrong;
    }
    this.selectors.push(selector);
    return null;
  }
}

/** Passwords are latin1 text here, one character per byte. */
function hashPassword(password: string): string {
  return createHash('sha256').update(Buffer.from(password, 'latin1')).digest('hex');
}

/**
 * Joins the words of selectors, `(+get` `~x)` to `(+get ~x)`; an object with the word at which a
 * selector begins that never ends.
 */
export function joinSelectors(words: readonly string[]): string[] | { readonly unmatched: string } {
  const joined: string[] = [];
  let open: string[] | null = null;
  for (const word of words) {
    if (open !== null) {
      open.push(word);
    } else if (word.startsWith('(') && !word.endsWith(')')) {
      open = [word];
    } else {
      joined.push(word);
    }
    if (open !== null && word.endsWith(')')) {
      joined.push(open.join(' '));
      open = null;
    }
  }
  return open === null ? joined : { unmatched: open[0] };
}
