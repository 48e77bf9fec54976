/**
 * Shell: plays commands on a session of ours and on a real redis-server and finds the first reply that
 * differs without being allowed to.
 *
 * Both get the same bytes, pipelined in bursts. Ours come in chunks cut at random, sometimes byte by
 * byte. Our clock is set before each burst and stands still during it.
 */
import type { RedisConnection } from '../command/redis-process.ts';
import { replyFits } from '../command/reply-fits.ts';
import type { ReplyTree } from '../command/reply-tree.ts';
import { makeFixture, show, type TestClient } from '../command/session-fixture.ts';
import type { Command } from '../command/table.ts';
import { commandTable } from '../command/table.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { allowedFor } from './allowed-table.ts';
import type { Draw } from './kinds.ts';

export type Difference = {
  /** Index of the command. */
  readonly at: number;
  readonly words: readonly string[];
  readonly ours: string;
  readonly theirs: string;
};

/** What our side gets instead of a command: for the test of the comparison itself. */
export type Fault = (words: readonly string[]) => readonly string[];

const BURST = 100;
const SILENCE_MS = 20_000;
/** One burst in so many comes byte by byte. */
const BYTEWISE = 20;
const CUTS_MAX = 30;

/** Plays all commands from an empty database; null: no reply differed. */
export async function play(
  redis: RedisConnection,
  protocol: 2 | 3,
  commands: readonly (readonly string[])[],
  draw: Draw,
  fault: Fault = (words) => words,
): Promise<Difference | null> {
  const fixture = makeFixture({}, Date.now());
  const client = fixture.connect();
  const judge = new Judge(protocol);
  for (const words of [['RESET'], ['HELLO', String(protocol)], ['FLUSHALL']]) {
    redis.write(encode(words));
    await redis.next();
  }
  client.send('HELLO', protocol);
  for (let from = 0; from < commands.length; from += BURST) {
    const burst = commands.slice(from, from + BURST);
    fixture.advance(Date.now() - fixture.server.clockMs());
    redis.write(Buffer.concat(burst.map(encode)));
    const ours = sendInChunks(client, Buffer.concat(burst.map((w) => encode(fault(w)))), draw);
    const theirs: ReplyTree[] = [];
    for (let i = 0; i < burst.length; i++) theirs.push(await next(redis, burst));
    for (const [i, words] of burst.entries()) {
      const mine = ours[i] ?? null;
      if (mine !== null && judge.accepts(words, mine, theirs[i])) continue;
      return { at: from + i, words, ours: show(mine), theirs: show(theirs[i]) };
    }
  }
  client.session.closed();
  return null;
}

/** The next reply; a server that blocks must not block the comparison for ever. */
async function next(
  redis: RedisConnection,
  burst: readonly (readonly string[])[],
): Promise<ReplyTree> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const sent = burst.map((words) => words.join(' ')).join('\n');
      reject(new Error(`Redis did not answer for ${SILENCE_MS} ms to one of:\n${sent}`));
    }, SILENCE_MS);
  });
  const reply = await Promise.race([redis.next(), late]);
  clearTimeout(timer);
  return reply;
}

function sendInChunks(client: TestClient, bytes: Buffer, draw: Draw): ReplyTree[] {
  const replies: ReplyTree[] = [];
  const bytewise = draw.below(BYTEWISE) === 0;
  const cuts = bytewise
    ? Array.from(bytes, (_, i) => i)
    : Array.from({ length: draw.below(CUTS_MAX) }, () => draw.below(bytes.length));
  cuts.push(bytes.length);
  let from = 0;
  for (const cut of cuts.sort((a, b) => a - b)) {
    // A chunk of its own: the session must not keep what the shell uses again.
    const chunk = Buffer.from(bytes.subarray(from, cut));
    replies.push(...client.sendBytes(chunk));
    chunk.fill(0x2a);
    from = cut;
  }
  return replies;
}

/** Compares reply by reply; within EXEC by the commands that were queued. */
class Judge {
  private readonly protocol: 2 | 3;
  private queued: (readonly string[])[] = [];

  constructor(protocol: 2 | 3) {
    this.protocol = protocol;
  }

  accepts(words: readonly string[], ours: ReplyTree, theirs: ReplyTree): boolean {
    if (theirs.kind === 'status' && theirs.text === 'QUEUED') {
      this.queued.push(words);
      return show(ours) === show(theirs);
    }
    const name = words[0].toUpperCase();
    const { queued } = this;
    if (/^(MULTI|EXEC|DISCARD)$/.test(name) && theirs.kind !== 'error') this.queued = [];
    if (name !== 'EXEC' || theirs.kind !== 'array' || ours.kind !== 'array') {
      return this.one(words, ours, theirs);
    }
    const items = theirs.items;
    return (
      ours.items.length === items.length &&
      items.every((item, i) => this.one(queued[i], ours.items[i], item))
    );
  }

  private one(words: readonly string[], ours: ReplyTree, theirs: ReplyTree): boolean {
    const command = commandOf(words);
    if (command !== null && !fits(command, ours, this.protocol)) return false;
    if (show(ours) === show(theirs)) return true;
    const allows = command === null ? undefined : allowedFor(command.name)?.allows;
    return allows?.(ours, theirs) ?? false;
  }
}

function fits(command: Command, reply: ReplyTree, protocol: 2 | 3): boolean {
  return command.name === 'EXEC' || replyFits(command.reply, reply, protocol);
}

function commandOf(words: readonly string[]): Command | null {
  const command = commandTable.get(words[0].toUpperCase());
  if (command?.subcommands === undefined) return command ?? null;
  const name = `${command.name}|${words[1]?.toUpperCase()}`;
  return command.subcommands.find((one) => one.name === name) ?? null;
}

export function encode(words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word, 'latin1')));
}
