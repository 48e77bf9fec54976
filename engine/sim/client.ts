/**
 * A client of one region: connects to whom it takes for the primary, sends one command (or one
 * MULTI) at a time and notes what it is told. After two seconds without an answer it gives up, and
 * never knows what became of the write.
 */

import { type Reply, ReplyParser, RespError } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import {
  ANSWERS,
  GROUP,
  type History,
  KEPT_KEYS,
  QUESTIONS,
  STREAM_KEY,
  TALLY_KEYS,
} from './history.ts';
import type { Prng } from './prng.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 2000;
const KEYS = ['k0', 'k1', 'k2', 'k3', 'k4'];
const FIELDS = ['f0', 'f1', 'f2'];

/** One thing to do: commands sent together, and what the last reply means. */
type Errand = {
  readonly commands: readonly (readonly string[])[];
  /** Told the last reply when it was not an error. */
  readonly done?: (reply: Reply, process: SimProcess, saidAtMs: number) => void;
};

export type ClientOptions = {
  readonly world: World;
  readonly random: Prng;
  readonly history: History;
  readonly name: string;
  /** The process that this client takes for the primary; null: it knows none. */
  readonly primary: () => SimProcess | null;
  /** FLUSHALL and the like, for seeds that do not count. */
  readonly flushes: boolean;
  readonly thinkMs: number;
};

export class SimClient {
  private readonly options: ClientOptions;
  private process: SimProcess | null = null;
  private receive: ((bytes: Uint8Array) => void) | null = null;
  private close: (() => void) | null = null;
  private parser = new ReplyParser();
  private errand: Errand | null = null;
  private missing = 0;
  private errandNumber = 0;
  private serial = 0;
  private readonly seenQuestions: string[] = [];
  private readonly readEntries: { id: string; value: string }[] = [];
  private stopped = false;

  constructor(options: ClientOptions) {
    this.options = options;
    options.world.after(options.random.between(1, 100), () => this.next());
  }

  stop(): void {
    this.stopped = true;
  }

  private next(): void {
    const { world, random, history, thinkMs } = this.options;
    if (this.stopped) return;
    if (this.receive === null && !this.connect()) {
      world.after(random.between(20, 150), () => this.next());
      return;
    }
    const errand = this.choose();
    this.errand = errand;
    this.missing = errand.commands.length;
    const number = ++this.errandNumber;
    const bytes = Buffer.concat(errand.commands.map((command) => encodeRequest(command)));
    const { receive } = this;
    world.after(random.between(0, 4), () => receive!(bytes));
    world.after(TIMEOUT_MS, () => {
      if (number !== this.errandNumber || this.errand === null) return;
      history.unknown++;
      this.disconnect();
      world.after(random.between(1, thinkMs), () => this.next());
    });
  }

  private connect(): boolean {
    const { world, primary, name, random } = this.options;
    const process = primary();
    if (process === null || process.member === null) return false;
    const { life } = process;
    let open = true;
    const client = process.member.connectClient(name, process.name, {
      send: (bytes, length) => {
        const copy = new Uint8Array(bytes.subarray(0, length));
        const saidAtMs = world.nowMs;
        world.after(random.between(0, 4), () => {
          if (open) this.answered(copy, saidAtMs);
        });
      },
      bufferedBytes: () => 0,
      close: () => {
        world.after(5, () => {
          if (open) this.lost();
        });
      },
    });
    client.session.routed = true;
    process.ended.push(() => {
      world.after(5, () => {
        if (open) this.lost();
      });
    });
    this.process = process;
    this.parser = new ReplyParser();
    this.receive = (bytes) => {
      process.guard(life, () => process.member!.clients.receive(client, bytes));
    };
    this.close = () => {
      open = false;
      process.guard(life, () => process.member!.clients.closed(client));
    };
    return true;
  }

  private disconnect(): void {
    this.close?.();
    this.close = null;
    this.receive = null;
    this.errand = null;
    // What was seen elsewhere binds only the member that showed it.
    this.seenQuestions.length = 0;
  }

  /** The connection ended under us: an errand under way has an unknown outcome. */
  private lost(): void {
    const { world, random, history, thinkMs } = this.options;
    const busy = this.errand !== null;
    if (busy) history.unknown++;
    this.disconnect();
    if (busy) world.after(random.between(1, thinkMs), () => this.next());
  }

  private answered(bytes: Uint8Array, saidAtMs: number): void {
    const { world, random, history, thinkMs } = this.options;
    this.parser.push(bytes);
    for (;;) {
      const reply = this.parser.next();
      if (reply === undefined) return;
      this.missing--;
      if (this.errand === null || this.missing > 0) continue;
      const { errand } = this;
      this.errand = null;
      if (reply instanceof RespError) {
        history.refused++;
        if (reply.code === 'READONLY' || reply.code === 'LOADING') this.disconnect();
      } else {
        history.acknowledged++;
        errand.done?.(reply, this.process!, saidAtMs);
      }
      world.after(random.between(1, thinkMs), () => this.next());
      return;
    }
  }

  private choose(): Errand {
    const { random, history, name } = this.options;
    const unique = `${name}.${++this.serial}`;
    const dice = random.unit();
    if (dice < 0.25) {
      const key = random.pick(KEPT_KEYS);
      const done = (_: Reply, by: SimProcess, saidAtMs: number): void => {
        history.keep(key, unique, by.name, saidAtMs);
      };
      return { commands: [['SADD', key, unique]], done };
    }
    if (dice < 0.45) {
      const key = random.pick(TALLY_KEYS);
      const inner = [
        ['INCRBY', key, '1'],
        ['SADD', `${key}:log`, unique],
        // The same sum as the score of a member, and the log in its order.
        ['ZINCRBY', `${key}:zset`, '1', 'sum'],
        ['ZADD', `${key}:order`, String(this.serial), unique],
      ];
      if (random.chance(0.5)) inner.reverse();
      return { commands: [['MULTI'], ...inner, ['EXEC']] };
    }
    if (dice < 0.65) return this.converse(unique);
    if (dice < 0.78) return this.work(unique);
    return { commands: [this.scramble(unique)] };
  }

  /** Adds entries to a stream, and consumes them in a group. */
  private work(unique: string): Errand {
    const { random, history, name } = this.options;
    const dice = random.unit();
    if (dice < 0.4) {
      const done = (_: Reply, by: SimProcess, saidAtMs: number): void => {
        history.keep(STREAM_KEY, unique, by.name, saidAtMs);
      };
      return { commands: [['XADD', STREAM_KEY, '*', 'f', unique]], done };
    }
    if (dice < 0.45) {
      return { commands: [['XGROUP', 'CREATE', STREAM_KEY, GROUP, '0', 'MKSTREAM']] };
    }
    const read = this.readEntries.splice(0, 3);
    if (read.length > 0 && dice < 0.75) {
      for (const { value } of read) history.acked.add(value);
      return { commands: [['XACK', STREAM_KEY, GROUP, ...read.map(({ id }) => id)]] };
    }
    const done = (reply: Reply): void => {
      const [[, entries]] = (reply ?? [['', []]]) as [[string, [string, string[] | null][]]];
      for (const [id, fields] of entries) {
        if (fields !== null) this.readEntries.push({ id, value: fields[1] });
      }
    };
    const from = random.chance(0.7) ? '>' : '0';
    const words = ['GROUP', GROUP, name, 'COUNT', '3', 'STREAMS', STREAM_KEY, from];
    return { commands: [['XREADGROUP', ...words]], done };
  }

  /** Asks, looks for questions, or answers one that was seen. */
  private converse(unique: string): Errand {
    const { random } = this.options;
    if (random.chance(0.3)) return { commands: [['SADD', QUESTIONS, unique]] };
    const question = this.seenQuestions.pop();
    if (question !== undefined) return { commands: [['SADD', ANSWERS, question]] };
    const done = (reply: Reply): void => {
      if (Array.isArray(reply)) this.seenQuestions.push(...(reply as string[]));
    };
    return { commands: [['SRANDMEMBER', QUESTIONS, '2']], done };
  }

  /** Any command on a key that all clients fight over. */
  private scramble(unique: string): string[] {
    const { random, flushes } = this.options;
    const key = random.pick(KEYS);
    const field = random.pick(FIELDS);
    const number = String(random.between(-5, 20));
    const commands: string[][] = [
      ['SET', key, unique],
      ['SET', key, number],
      ['SET', key, number, 'PX', String(random.between(50, 4000))],
      ['INCRBY', key, number],
      ['INCRBYFLOAT', key, '0.5'],
      ['APPEND', key, 'x'],
      ['DEL', key],
      ['DEL', key],
      ['HSET', key, field, unique],
      ['HINCRBY', key, field, number],
      ['HDEL', key, field],
      ['HPEXPIRE', key, String(random.between(50, 4000)), 'FIELDS', '1', field],
      ['HPERSIST', key, 'FIELDS', '1', field],
      ['SADD', key, field, unique],
      ['SREM', key, field],
      ['SPOP', key],
      ['ZADD', key, number, field, '1.5', unique],
      ['ZADD', key, 'GT', number, field],
      ['ZINCRBY', key, number, field],
      ['ZINCRBY', key, '0.1', field],
      ['ZINCRBY', key, 'inf', field],
      ['ZREM', key, field, unique],
      ['ZPOPMIN', key, '2'],
      ['ZREMRANGEBYRANK', key, '1', '2'],
      ['PEXPIRE', key, String(random.between(50, 4000))],
      ['PERSIST', key],
      ['GETDEL', key],
      ['GET', key],
      ['RENAME', key, random.pick(KEYS)],
      ['RPUSH', key, unique, field],
      ['LPUSH', key, unique],
      ['LINSERT', key, 'BEFORE', field, unique],
      ['LSET', key, '0', unique],
      ['LREM', key, '1', field],
      ['RPOP', key],
      ['LTRIM', key, '0', '4'],
      ['LMOVE', key, random.pick(KEYS), 'LEFT', 'RIGHT'],
      ['PFADD', key, unique, field],
      ['PFMERGE', key, random.pick(KEYS)],
      ['XADD', key, random.chance(0.5) ? '*' : `${random.between(1, 9)}-*`, field, unique],
      ['XADD', key, 'MAXLEN', '2', '*', field, unique],
      ['XTRIM', key, 'MAXLEN', '1'],
      ['XSETID', key, `${random.between(1, 99)}-1`],
      ['XGROUP', 'CREATE', key, field, random.chance(0.5) ? '0' : '$', 'MKSTREAM'],
      ['XGROUP', 'DESTROY', key, field],
      ['XREADGROUP', 'GROUP', field, unique, 'COUNT', '1', 'STREAMS', key, '>'],
      ['XAUTOCLAIM', key, field, 'other', '0', '0', 'COUNT', '1'],
    ];
    if (flushes && random.chance(0.05)) return ['FLUSHALL'];
    return random.pick(commands);
  }
}
