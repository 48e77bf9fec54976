import { readConfig } from '../config.ts';
import { type Reply, ReplyParser } from '../resp/reply-parser.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import { Network } from './network.ts';
import { SimOperator } from './operator.ts';
import { Prng } from './prng.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

/** A primary and its replica, in the simulator's time and network. */
function startPair() {
  const random = new Prng(1);
  const world = new World(0);
  const network = new Network(world, random.fork());
  const processes = ['eu-0-0', 'eu-0-1'].map((member) => {
    const names = ['--region', 'eu', '--region-number', '1', '--member', member];
    const flags = [...names, '--database', 'sim', '--managed', '--min-replicas', '1'];
    const result = readConfig(flags, {});
    if ('errors' in result) throw new Error(result.errors.join('\n'));
    const sizes = { segmentBytesMax: 20_000, imageAfterBytes: 60_000 };
    const broken = (problem: string): void => {
      throw new Error(problem);
    };
    const { config } = result;
    return new SimProcess({ world, network, random: random.fork(), config, sizes, broken });
  });
  for (const process of processes) process.start();
  new SimOperator(world, random.fork(), { name: 'eu', number: 1 }, [], processes).run();
  world.runUntil(2000);
  return { world, network, processes };
}

function connect(process: SimProcess): { replies: Reply[]; say: (...words: string[]) => void } {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  const client = process.member!.connectClient('client', process.name, {
    send: (bytes, length) => {
      parser.push(bytes.slice(0, length));
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
        replies.push(reply);
      }
    },
    bufferedBytes: () => 0,
    close: () => replies.push('closed'),
  });
  const say = (...words: string[]): void => {
    process.guard(process.life, () => {
      process.member!.clients.receive(client, encodeRequest(words));
    });
  };
  return { replies, say };
}

describe('min-replicas', () => {
  test('a write is answered when a replica has confirmed it, and not before', () => {
    const { world, network, processes } = startPair();
    const [primary, replica] = processes as [SimProcess, SimProcess];
    const client = connect(primary);
    client.say('SET', 'k', 'v');
    world.runUntil(world.nowMs + 1000);
    expect(client.replies).toEqual(['OK']);
    expect(replica.member!.db.getString('k')).toBe('v');

    // The primary still hears the replica, but nothing that it sends arrives.
    network.cut(primary.name, replica.name);
    client.say('SET', 'k', 'w');
    world.runUntil(world.nowMs + 2000);
    expect(replica.member!.db.getString('k')).toBe('v');
    expect(client.replies).toEqual(['OK']);

    network.heal(primary.name, replica.name);
    world.runUntil(world.nowMs + 3000);
    expect(replica.member!.db.getString('k')).toBe('w');
    expect(client.replies).toEqual(['OK', 'OK']);
  });

  test('reads are answered meanwhile; a write that no replica confirms for 10 s closes its client', () => {
    const { world, network, processes } = startPair();
    const [primary, replica] = processes as [SimProcess, SimProcess];
    network.cut(primary.name, replica.name);
    network.cut(replica.name, primary.name);
    const [writer, reader] = [connect(primary), connect(primary)];
    writer.say('SET', 'k', 'v');
    reader.say('GET', 'other');
    world.runUntil(world.nowMs + 9000);
    expect(reader.replies).toEqual([null]);
    expect(writer.replies).toEqual([]);
    world.runUntil(world.nowMs + 2000);
    expect(writer.replies).toEqual(['closed']);
  });
});
