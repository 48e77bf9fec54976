/**
 * The settings that CONFIG GET shows and CONFIG SET changes.
 *
 * Most are fixed: they come from flags or from the resource, or are Redis settings that clients and
 * benchmarks ask for and whose answer is always the same here. The few that may change at run time
 * (memory limit and eviction; what other parts add) say how a value is checked and put into force.
 */
import type { Db } from '../core/db.ts';
import {
  EVICTION_POLICIES,
  EVICTION_SAMPLES_MAX,
  EVICTIONS_PER_COMMAND_MAX,
  type EvictionPolicy,
} from '../core/eviction.ts';
import { LFU_DECAY_MINUTES, LFU_LOG_FACTOR } from '../keyspace/access.ts';
import { limits } from '../limits.ts';
import { parseMemory } from './setting-kinds.ts';

export type Setting = {
  readonly name: string;
  get(): string;
  /** Absent: fixed. Returns what is wrong with the value, or null once it holds. */
  readonly set?: (value: string) => string | null;
};

/** What a process starts with. */
export type ConfigStart = {
  /** The default user's password; users are kept by `Acl`. */
  readonly requirepass?: string;
  readonly maxMemoryBytes?: number;
  readonly maxMemoryPolicy?: EvictionPolicy;
  readonly port?: number;
  readonly tlsPort?: number;
  readonly bind?: string;
  readonly dir?: string;
  readonly fsync?: 'always' | 'everysec' | 'no';
};

/** Redis settings that are always the same here, for clients that ask. */
const FIXED: Readonly<Record<string, string>> = {
  databases: '1',
  'maxmemory-eviction-tenacity': '10',
  save: '',
  'cluster-enabled': 'no',
  'replica-read-only': 'yes',
  'slave-read-only': 'yes',
  'lua-time-limit': String(limits.scriptTimeMax.value),
  'busy-reply-threshold': String(limits.scriptTimeMax.value),
  'set-max-intset-entries': '512',
  'hash-max-listpack-entries': '128',
  'hash-max-listpack-value': '64',
  'lfu-decay-time': String(LFU_DECAY_MINUTES),
  'lfu-log-factor': String(LFU_LOG_FACTOR),
};

export class ConfigStore {
  /**
   * Bytes; 0: no limit. It is kept here and not in the database, because it is asked once, before a
   * command begins: no command with several writes (MSET, SMOVE, EXEC) is refused half-way.
   */
  maxMemoryBytes: number;
  private readonly settings = new Map<string, Setting>();

  constructor(db: Db, start: ConfigStart = {}) {
    this.maxMemoryBytes = start.maxMemoryBytes ?? db.maxMemoryBytes;
    db.maxMemoryBytes = 0;
    db.evictor.policy = start.maxMemoryPolicy ?? 'noeviction';
    for (const [name, value] of Object.entries(FIXED)) this.add({ name, get: () => value });
    const fixed: [string, string][] = [
      ['port', String(start.port ?? 0)],
      ['tls-port', String(start.tlsPort ?? 0)],
      ['bind', start.bind ?? '127.0.0.1'],
      ['dir', start.dir ?? ''],
      ['appendonly', start.dir ? 'yes' : 'no'],
      ['appendfsync', start.fsync ?? 'everysec'],
    ];
    for (const [name, value] of fixed) this.add({ name, get: () => value });
    this.add({
      name: 'maxmemory',
      get: () => String(this.maxMemoryBytes),
      set: (value) => {
        const bytes = parseMemory(value);
        if (bytes === null) return 'argument must be a memory value';
        this.maxMemoryBytes = bytes;
        return null;
      },
    });
    this.addEviction(db);
  }

  /** Whether the keyspace takes more than it may. */
  isFull(db: Db): boolean {
    return this.maxMemoryBytes !== 0 && db.memoryBytes > this.maxMemoryBytes;
  }

  /** Evicts by the policy, a bounded number of keys; false: growing commands must be refused. */
  makeRoom(db: Db): boolean {
    return db.evictor.makeRoom(this.maxMemoryBytes, EVICTIONS_PER_COMMAND_MAX);
  }

  private addEviction({ evictor }: Db): void {
    this.add({
      name: 'maxmemory-policy',
      get: () => evictor.policy,
      set: (value) => {
        const policy = EVICTION_POLICIES.find((known) => known === value.toLowerCase());
        if (policy === undefined) {
          return `argument(s) must be one of the following: ${EVICTION_POLICIES.join(', ')}`;
        }
        if (policy !== evictor.policy) evictor.policy = policy;
        return null;
      },
    });
    this.add({
      name: 'maxmemory-samples',
      get: () => String(evictor.samples),
      set: (value) => {
        if (!/^-?\d+$/.test(value)) return "argument couldn't be parsed into an integer";
        const samples = Number(value);
        if (samples < 1 || samples > EVICTION_SAMPLES_MAX) {
          return `argument must be between 1 and ${EVICTION_SAMPLES_MAX} inclusive`;
        }
        evictor.samples = samples;
        return null;
      },
    });
  }

  /** Adds a setting, or replaces the one of that name. */
  add(setting: Setting): void {
    this.settings.set(setting.name, setting);
  }

  find(name: string): Setting | null {
    return this.settings.get(name.toLowerCase()) ?? null;
  }

  /** All settings by name. */
  list(): Setting[] {
    return [...this.settings.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
