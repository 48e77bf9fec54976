/**
 * Categories and rights on keys, command by command, beside a real redis-server: what is sorted
 * otherwise is listed. Commands that one side does not have are left out.
 */
import { CATEGORIES, categoriesOf } from '../acl/categories.ts';
import { keyFlagsOf } from '../acl/key-rights-table.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { type RedisConnection, RedisProcess, redisVersion } from './redis-process.ts';
import type { ReplyTree } from './reply-tree.ts';
import { show } from './session-fixture.ts';
import { type Command, commandTable } from './table.ts';

const PORT = 21_700;
const withRedis = redisVersion()?.startsWith('7.0.') ? describe : describe.skip;

/** What Redis 7.0 says of a command: categories, and of each key specification the flags. */
type Theirs = { readonly categories: readonly string[]; readonly keys: readonly string[] };

withRedis('rights compared with Redis', () => {
  let redis: RedisProcess;
  const theirs = new Map<string, Theirs>();
  beforeAll(async () => {
    redis = await RedisProcess.start(PORT + Number(process.env.JEST_WORKER_ID ?? 0));
    const connection = await redis.connect();
    collect(await ask(connection, 'COMMAND'), theirs);
    connection.close();
  });
  afterAll(() => redis.stop());

  const ours = [...commandTable.values()].flatMap((command) => [
    command,
    ...(command.subcommands ?? []),
  ]);
  const shared = (): Command[] => ours.filter((one) => theirs.has(one.name));

  test('every command is in the same categories', () => {
    expect(shared().length).toBeGreaterThan(100);
    const differences = shared().flatMap((command) => {
      const mine = categoriesOf(command);
      const other = CATEGORIES.filter((one) =>
        theirs.get(command.name)!.categories.includes(`@${one}`),
      );
      return mine.join() === other.join() ? [] : [`${command.name}: ${mine}, Redis ${other}`];
    });
    expect(differences).toEqual([]);
  });

  test('every command asks for the same rights on its keys', () => {
    const differences = shared().flatMap((command) => {
      const { keys } = theirs.get(command.name)!;
      if (keys.length === 0 || keys[0] === 'not_key') return [];
      const mine = keyFlagsOf(command);
      // A specification of ours may stand for several of theirs.
      const distinct = keys.filter((flags, i) => flags !== keys[i - 1]);
      const same = distinct.every((flags, i) => flags === mine[Math.min(i, mine.length - 1)]);
      return same ? [] : [`${command.name}: ${mine.join(', ')}, Redis ${keys.join(', ')}`];
    });
    expect(differences).toEqual([]);
  });
});

async function ask(connection: RedisConnection, ...words: string[]): Promise<ReplyTree> {
  connection.write(encodeRequest(words));
  return await connection.next();
}

function collect(reply: ReplyTree, into: Map<string, Theirs>): void {
  for (const command of items(reply)) {
    const fields = items(command);
    const keys = items(fields[8]).map((specification) => {
      const parts = items(specification);
      const flags = parts[parts.findIndex((part) => word(part) === 'flags') + 1];
      const known = items(flags).map(word);
      return known.filter((flag) => !['variable_flags', 'incomplete'].includes(flag)).join(' ');
    });
    const categories = items(fields[6]).map(word);
    into.set(word(fields[0]).toUpperCase(), { categories, keys });
    collect(fields[9], into);
  }
}

function items(reply: ReplyTree): readonly ReplyTree[] {
  return reply.kind === 'array' || reply.kind === 'set' || reply.kind === 'map' ? reply.items : [];
}

function word(reply: ReplyTree): string {
  return 'text' in reply ? reply.text : show(reply);
}
