/**
 * Pub/sub. Subscribing answers once per channel, as a push in RESP3. A message goes to the
 * listeners of this process at once, and through the member to those everywhere else.
 */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { writeHelp } from './help.ts';
import { ownNames, type SubscriptionKind } from './pubsub.ts';
import { any, arrayOf, bulks, count, push } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const pubsubCommands: readonly Command[] = [
  {
    name: 'SUBSCRIBE',
    arity: -2,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '2.0.0',
    summary: 'Listens to channels.',
    complexity: 'O(N) for N channels to subscribe to',
    reply: push,
    run: subscribe,
  },
  {
    name: 'UNSUBSCRIBE',
    arity: -1,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '2.0.0',
    summary: 'Stops listening to channels.',
    complexity: 'O(N) for N channels',
    reply: push,
    run: unsubscribe,
  },
  {
    name: 'PSUBSCRIBE',
    arity: -2,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '2.0.0',
    summary: 'Listens to all channels that fit patterns.',
    complexity: 'O(N) for N patterns',
    reply: push,
    run: psubscribe,
  },
  {
    name: 'PUNSUBSCRIBE',
    arity: -1,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: null,
    since: '2.0.0',
    summary: 'Stops listening to patterns.',
    complexity: 'O(N+M)',
    reply: push,
    run: punsubscribe,
  },
  {
    name: 'PUBLISH',
    arity: 3,
    group: 'pubsub',
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    keys: null,
    since: '2.0.0',
    summary: 'Sends a message to all listeners, in every region.',
    complexity: 'O(N+M)',
    reply: count,
    run: publish,
  },
  {
    name: 'SSUBSCRIBE',
    arity: -2,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: { first: 1, last: -1, step: 1 },
    since: '7.0.0',
    summary: 'Listens to shard channels.',
    complexity: 'O(N) for N shard channels to subscribe to',
    reply: push,
    run: ssubscribe,
  },
  {
    name: 'SUNSUBSCRIBE',
    arity: -1,
    group: 'pubsub',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    keys: { first: 1, last: -1, step: 1 },
    since: '7.0.0',
    summary: 'Stops listening to shard channels.',
    complexity: 'O(N) for N channels',
    reply: push,
    run: sunsubscribe,
  },
  {
    name: 'SPUBLISH',
    arity: 3,
    group: 'pubsub',
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    keys: { first: 1, last: 1, step: 1 },
    since: '7.0.0',
    summary: 'Sends a message to the listeners of a shard channel at this member.',
    complexity: 'O(N) for N clients subscribed to the receiving shard channel',
    reply: count,
    run: spublish,
  },
  {
    name: 'PUBSUB',
    arity: -2,
    group: 'pubsub',
    flags: [],
    keys: null,
    since: '2.8.0',
    summary: 'Shows who listens at this member.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'PUBSUB|CHANNELS',
        arity: -2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '2.8.0',
        summary: 'Lists channels with listeners.',
        complexity: 'O(N) for N active channels',
        reply: bulks,
        run: pubsubChannels,
      },
      {
        name: 'PUBSUB|NUMSUB',
        arity: -2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '2.8.0',
        summary: 'Counts the listeners of channels.',
        complexity: 'O(N) for N channels',
        reply: arrayOf(any),
        run: pubsubNumSub,
      },
      {
        name: 'PUBSUB|NUMPAT',
        arity: 2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '2.8.0',
        summary: 'Counts the patterns listened to.',
        complexity: 'O(1)',
        reply: count,
        run: pubsubNumPat,
      },
      {
        name: 'PUBSUB|SHARDCHANNELS',
        arity: -2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Lists shard channels with listeners.',
        complexity: 'O(N) for N active shard channels',
        reply: bulks,
        run: pubsubShardChannels,
      },
      {
        name: 'PUBSUB|SHARDNUMSUB',
        arity: -2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '7.0.0',
        summary: 'Counts the listeners of shard channels.',
        complexity: 'O(N) for N channels',
        reply: arrayOf(any),
        run: pubsubShardNumSub,
      },
      {
        name: 'PUBSUB|HELP',
        arity: 2,
        group: 'pubsub',
        flags: ['loading', 'stale'],
        keys: null,
        since: '6.2.0',
        summary: 'Lists the subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: pubsubHelp,
      },
    ],
  },
];

function subscribe(session: ClientSession, args: Args): void {
  join(session, args, 'channel', 'subscribe');
}

function psubscribe(session: ClientSession, args: Args): void {
  join(session, args, 'pattern', 'psubscribe');
}

function ssubscribe(session: ClientSession, args: Args): void {
  join(session, args, 'shard', 'ssubscribe');
}

function unsubscribe(session: ClientSession, args: Args): void {
  leave(session, args, 'channel', 'unsubscribe');
}

function punsubscribe(session: ClientSession, args: Args): void {
  leave(session, args, 'pattern', 'punsubscribe');
}

function sunsubscribe(session: ClientSession, args: Args): void {
  leave(session, args, 'shard', 'sunsubscribe');
}

function join(session: ClientSession, args: Args, kind: SubscriptionKind, word: string): void {
  for (let i = 1; i < args.count; i++) {
    const name = args.text(i);
    session.server.pubsub.subscribe(session, kind, name);
    writeCount(session, word, name, kind);
  }
}

function leave(session: ClientSession, args: Args, kind: SubscriptionKind, word: string): void {
  const names: string[] = [];
  for (let i = 1; i < args.count; i++) names.push(args.text(i));
  if (args.count === 1) names.push(...ownNames(session, kind));
  for (const name of names) {
    session.server.pubsub.unsubscribe(session, kind, name);
    writeCount(session, word, name, kind);
  }
  if (names.length === 0) writeCount(session, word, null, kind);
}

/** Shard channels are counted apart from the others, as in Redis. */
function writeCount(
  session: ClientSession,
  word: string,
  name: string | null,
  kind: SubscriptionKind,
): void {
  const { output } = session;
  output.push(3);
  output.bulk(word);
  if (name === null) output.nullBulk();
  else output.bulk(name);
  const others = session.channels.size + session.patterns.size;
  output.integer(kind === 'shard' ? session.shardChannels.size : others);
}

function publish(session: ClientSession, args: Args): void {
  const channel = args.text(1);
  const message = args.text(2);
  const listeners = session.server.pubsub.deliver(channel, message);
  session.server.member.publish(channel, message);
  session.output.integer(listeners);
}

/** Shard channels stay within the member that owns their slot. */
function spublish(session: ClientSession, args: Args): void {
  session.output.integer(session.server.pubsub.deliverShard(args.text(1), args.text(2)));
}

function pubsubChannels(session: ClientSession, args: Args): void {
  writeNames(session, args, 'channel');
}

function pubsubShardChannels(session: ClientSession, args: Args): void {
  writeNames(session, args, 'shard');
}

function writeNames(session: ClientSession, args: Args, kind: SubscriptionKind): void {
  if (args.count > 3) throw commandError('pubsubArity', args.text(1));
  const pattern = args.count === 3 ? args.text(2) : null;
  const names = session.server.pubsub.names(kind, pattern);
  session.output.array(names.length);
  for (const name of names) session.output.bulk(name);
}

function pubsubNumSub(session: ClientSession, args: Args): void {
  writeListeners(session, args, 'channel');
}

function pubsubShardNumSub(session: ClientSession, args: Args): void {
  writeListeners(session, args, 'shard');
}

function writeListeners(session: ClientSession, args: Args, kind: SubscriptionKind): void {
  session.output.array((args.count - 2) * 2);
  for (let i = 2; i < args.count; i++) {
    const name = args.text(i);
    session.output.bulk(name);
    session.output.integer(session.server.pubsub.listenersOf(kind, name));
  }
}

function pubsubNumPat(session: ClientSession): void {
  session.output.integer(session.server.pubsub.names('pattern', null).length);
}

function pubsubHelp(session: ClientSession): void {
  writeHelp(session, 'PUBSUB');
}
