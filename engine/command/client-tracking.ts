/** CLIENT TRACKING and what belongs to it; how it works is in tracking.ts. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { readInteger } from './numbers.ts';
import { anyMap, integer, ok } from './reply-shape.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';
import { overlapping, type Tracking, type TrackingMode, trackingFlags } from './tracking.ts';

/** Subcommands of CLIENT. */
export const trackingCommands: readonly Command[] = [
  {
    name: 'CLIENT|TRACKING',
    arity: -3,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '6.0.0',
    summary: 'Tells this client, or another one, when keys may have changed.',
    complexity: 'O(1)',
    reply: ok,
    run: tracking,
  },
  {
    name: 'CLIENT|TRACKINGINFO',
    arity: 2,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '6.2.0',
    summary: 'Says how this client tracks.',
    complexity: 'O(1)',
    reply: anyMap,
    run: trackingInfo,
  },
  {
    name: 'CLIENT|CACHING',
    arity: 3,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '6.0.0',
    summary: 'Says whether the next command is to be tracked.',
    complexity: 'O(1)',
    reply: ok,
    run: caching,
  },
  {
    name: 'CLIENT|GETREDIR',
    arity: 2,
    group: 'connection',
    flags: ['noscript', 'loading', 'stale'],
    keys: null,
    since: '6.0.0',
    summary: 'Returns where tracking is redirected to.',
    complexity: 'O(1)',
    reply: integer,
    run: getRedir,
  },
];

function trackingOf(session: ClientSession): Tracking {
  const { tracking } = session.server;
  if (tracking === null) throw commandError('noTracking');
  return tracking;
}

function tracking(session: ClientSession, args: Args): void {
  const mode = readMode(session, args);
  if (args.equalsIgnoreCase(2, 'ON')) {
    checkMode(session, mode);
    trackingOf(session).enable(session, mode);
  } else if (args.equalsIgnoreCase(2, 'OFF')) {
    session.server.tracking?.disable(session);
  } else {
    throw commandError('syntax');
  }
  session.output.ok();
}

function readMode(session: ClientSession, args: Args): TrackingMode {
  const words = new Set<string>();
  const prefixes: string[] = [];
  let redirect = 0;
  for (let i = 3; i < args.count; i++) {
    const word = args.text(i).toUpperCase();
    if (word === 'REDIRECT' && i + 1 < args.count) {
      if (redirect !== 0) throw commandError('trackingRedirectTwice');
      redirect = readInteger(args, ++i);
      if (!session.server.clients.sessions.has(redirect)) throw commandError('trackingRedirect');
    } else if (word === 'PREFIX' && i + 1 < args.count) {
      prefixes.push(args.text(++i));
    } else if (['BCAST', 'OPTIN', 'OPTOUT', 'NOLOOP'].includes(word)) {
      words.add(word);
    } else {
      throw commandError('syntax');
    }
  }
  return {
    broadcast: words.has('BCAST'),
    optIn: words.has('OPTIN'),
    optOut: words.has('OPTOUT'),
    noLoop: words.has('NOLOOP'),
    redirect,
    prefixes,
  };
}

/** In the order of Redis. */
function checkMode({ tracker }: ClientSession, mode: TrackingMode): void {
  const { broadcast, optIn, optOut, prefixes } = mode;
  if (!broadcast && prefixes.length > 0) throw commandError('trackingPrefix');
  if (tracker !== null && tracker.broadcast !== broadcast) throw commandError('trackingBroadcast');
  if (broadcast && (optIn || optOut)) throw commandError('trackingOptBroadcast');
  if (optIn && optOut) throw commandError('trackingOptBoth');
  if (tracker !== null && ((optIn && tracker.optOut) || (optOut && tracker.optIn))) {
    throw commandError('trackingOptSwitch');
  }
  prefixes.forEach((prefix, i) => {
    const existing = overlapping(prefix, tracker?.prefixes ?? []);
    if (existing !== null) throw commandError('trackingOverlap', prefix, 'an existing', existing);
    const other = overlapping(prefix, prefixes.slice(i + 1));
    if (other !== null) throw commandError('trackingOverlap', prefix, 'another provided', other);
  });
}

function trackingInfo({ output, tracker }: ClientSession): void {
  const flags = trackingFlags(tracker);
  output.map(3);
  output.bulk('flags');
  output.set(flags.length);
  for (const flag of flags) output.bulk(flag);
  output.bulk('redirect');
  output.integer(tracker === null ? -1 : tracker.redirect);
  output.bulk('prefixes');
  const prefixes = [...(tracker?.prefixes ?? [])].sort();
  output.array(prefixes.length);
  for (const prefix of prefixes) output.bulk(prefix);
}

function caching({ tracker, output }: ClientSession, args: Args): void {
  if (tracker === null || (!tracker.optIn && !tracker.optOut)) throw commandError('notCaching');
  if (args.equalsIgnoreCase(2, 'YES')) {
    if (!tracker.optIn) throw commandError('cachingYes');
    tracker.caching = 'yes';
  } else if (args.equalsIgnoreCase(2, 'NO')) {
    if (!tracker.optOut) throw commandError('cachingNo');
    tracker.caching = 'no';
  } else {
    throw commandError('syntax');
  }
  output.ok();
}

function getRedir({ tracker, output }: ClientSession): void {
  output.integer(tracker === null ? -1 : tracker.redirect);
}
