import type { Args } from '../resp/args.ts';
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
    summary: 'Listen for messages published to the given channels.',
    complexity: 'O(N) where N is the number of channels to subscribe to.',
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
    summary: 'Stop listening for messages posted to the given channels.',
    complexity: 'O(N) where N is the number of clients already subscribed to a channel.',
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
    summary: 'Listen for messages published to channels matching the given patterns.',
    complexity: 'O(N) where N is the number of patterns the client is already subscribed to.',
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
    summary: 'Stop listening for messages posted to channels matching the given patterns.',
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
    summary: 'Post a message to a channel.',
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
    summary: 'Listen for messages published to the given shard channels.',
    complexity: 'O(N) where N is the number of shard channels to subscribe to.',
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
    summary: 'Stop listening for messages posted to the given shard channels.',
    complexity: 'O(N) where N is the number of clients already subscribed to a shard channel.',
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
    summary: 'Post a message to a shard channel.',
    complexity: 'O(N) where N is the number of clients subscribed to the receiving shard channel.',
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
    summary: 'A container for Pub/Sub commands.',
    complexity: 'Depends on subcommand.',
    reply: any,
    subcommands: [
      {
        name: 'PUBSUB|CHANNELS',
        arity: -2,
        group: 'pubsub',
        flags: ['pubsub', 'loading', 'stale'],
        keys: null,
        since: '2.8.0',
        summary: 'List active channels.',
        complexity: 'O(N) where N is the number of active channels',
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
        summary: 'Get the count of subscribers for channels.',
        complexity: 'O(N) for the NUMSUB subcommand, where N is the number of requested channels',
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
        summary: 'Get the count of unique patterns pattern subscriptions.',
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
        summary: 'List active shard channels.',
        complexity: 'O(N) where N is the number of active shard channels',
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
        summary: 'Get the count of subscribers for shard channels.',
        complexity: 'O(N) for the SHARDNUMSUB subcommand',
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
        summary: 'Show helpful text about the different subcommands.',
        complexity: 'O(1)',
        reply: arrayOf(any),
        run: pubsubHelp,
      },
    ],
  },
];

function subscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function unsubscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function psubscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function punsubscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function publish(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function ssubscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function sunsubscribe(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function spublish(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubChannels(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubNumSub(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubNumPat(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubShardChannels(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubShardNumSub(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}

function pubsubHelp(session: ClientSession, _args: Args): void {
  session.output.error('ERR not built yet');
}
