/**
 * CRDT.*: what Redis has no command for. The map and the state of this member for operators, waits
 * for other regions, the exchange with a region, and what lies behind a key.
 */

import {
  overlaps,
  readToken,
  slotsOf,
  type TokenPart,
  writeToken,
} from '../replication/session-token.ts';
import type { VerifyReport } from '../replication/verify-report.ts';
import type { Args } from '../resp/args.ts';
import type { ReplyWriter } from '../resp/reply-writer.ts';
import { commandError, errorText } from './errors.ts';
import { writeJson } from './json-reply.ts';
import { readInteger } from './numbers.ts';
import { any, anyMap, bulk, bulkOrNull, count, either, flag, nil, ok } from './reply-shape.ts';
import { waitFor } from './server.ts';
import type { ClientSession } from './session.ts';
import type { Command } from './table.ts';

export const crdtCommands: readonly Command[] = [
  {
    name: 'CRDT.STATUS',
    arity: -1,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'Says who this member is, what it has applied and how its links are.',
    complexity: 'O(1)',
    reply: either(bulk, anyMap),
    run: crdtStatus,
  },
  {
    name: 'CRDT.MAP',
    arity: -2,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'A container for commands about the map.',
    complexity: 'Depends on subcommand',
    reply: any,
    subcommands: [
      {
        name: 'CRDT.MAP|SET',
        arity: 3,
        group: 'crdt',
        flags: ['admin', 'loading', 'stale'],
        keys: null,
        since: '0.1.0',
        summary: 'Hands a newer map to this member or proxy.',
        complexity: 'O(N) for N members',
        reply: ok,
        run: crdtMapSet,
      },
      {
        name: 'CRDT.MAP|GET',
        arity: 2,
        group: 'crdt',
        flags: ['admin', 'loading', 'stale'],
        keys: null,
        since: '0.1.0',
        summary: 'Returns the map this member or proxy holds.',
        complexity: 'O(N) for N members',
        reply: bulkOrNull,
        run: crdtMapGet,
      },
    ],
  },
  {
    name: 'CRDT.WAIT',
    arity: -3,
    group: 'crdt',
    flags: ['noscript', 'blocking'],
    keys: null,
    since: '0.1.0',
    summary: "Waits until other regions have applied this connection's writes.",
    complexity: 'O(1)',
    reply: count,
    run: crdtWait,
  },
  {
    name: 'CRDT.TOKEN',
    arity: 1,
    group: 'crdt',
    flags: ['noscript', 'readonly'],
    keys: null,
    since: '0.1.0',
    summary: 'Gives a token for what this connection has written and seen here.',
    complexity: 'O(N) for N actors',
    reply: bulk,
    run: crdtToken,
  },
  {
    name: 'CRDT.AFTER',
    arity: 3,
    group: 'crdt',
    flags: ['noscript', 'readonly', 'blocking'],
    keys: null,
    since: '0.1.0',
    summary: 'Waits until what a token names has been applied here.',
    complexity: 'O(N) for N actors',
    reply: flag,
    run: crdtAfter,
  },
  {
    name: 'CRDT.VERIFY',
    arity: -1,
    group: 'crdt',
    flags: ['admin', 'noscript', 'readonly', 'blocking', 'no_multi'],
    keys: null,
    since: '0.1.0',
    summary: 'Compares slots with other regions while all take writes; names what differs.',
    complexity: 'O(N) for N keys, a thousand in a turn',
    reply: either(bulk, anyMap),
    run: crdtVerify,
  },
  {
    name: 'CRDT.LINK',
    arity: 3,
    group: 'crdt',
    flags: ['admin', 'loading', 'stale'],
    keys: null,
    since: '0.1.0',
    summary: 'Stops or restarts the exchange with a region, both ways.',
    complexity: 'O(1)',
    reply: ok,
    run: crdtLink,
  },
  {
    name: 'CRDT.EXPLAIN',
    arity: 2,
    group: 'crdt',
    flags: ['readonly'],
    keys: { first: 1, last: 1, step: 1 },
    since: '0.1.0',
    summary: 'Shows all states of a key, also those that lost a conflict.',
    complexity: 'O(N) for N parts of the value',
    reply: either(anyMap, nil),
    run: crdtExplain,
  },
];

function crdtStatus(session: ClientSession, args: Args): void {
  const status = session.server.member.status();
  if (args.count === 2 && args.equalsIgnoreCase(1, 'JSON')) {
    session.output.bulkUtf8(JSON.stringify(status));
    return;
  }
  if (args.count > 1) throw commandError('syntax');
  writeJson(session.output, status);
}

function crdtMapSet(session: ClientSession, args: Args): void {
  const refused = session.server.member.setMap(args.utf8(2));
  if (refused?.kind === 'stale') throw commandError('staleMap', refused.held, refused.given);
  if (refused?.kind === 'invalid') throw commandError('invalidMap', refused.reason);
  session.output.ok();
}

function crdtMapGet(session: ClientSession): void {
  const map = session.server.member.getMap();
  if (map === null) session.output.nullBulk();
  else session.output.bulkUtf8(map);
}

function crdtWait(session: ClientSession, args: Args): void {
  const { member } = session.server;
  waitFor(session, args, (...wanted) => member.waitRegions(session, ...wanted));
}

function crdtToken(session: ClientSession): void {
  const { member, process } = session.server;
  session.output.bulk(writeToken({ database: process.database, parts: member.tokenParts() }));
}

function crdtAfter(session: ClientSession, args: Args): void {
  const { member, process } = session.server;
  const parts = tokenPartsFor(args.text(1), process.database, member.slots());
  const timeoutMs = readInteger(args, 2, 'timeoutNotInteger');
  if (timeoutMs < 0) throw commandError('timeoutNegative');
  const now = (): void => {
    let reached = 0;
    const giveUp = member.waitToken(parts, 1, (count) => {
      reached = count;
    });
    giveUp();
    session.output.integer(reached);
  };
  // Inside EXEC nothing blocks: it says how things stand and goes on.
  if (session.executing) now();
  else session.blockOn((done) => member.waitToken(parts, timeoutMs, done), now);
}

/** CRDT.VERIFY [region | *] [JSON] */
function crdtVerify(session: ClientSession, args: Args): void {
  const { region, asJson } = verifyWords(args);
  const { member } = session.server;
  if (member.role() !== 'primary') throw commandError('verifyElsewhere');
  const giveUp = (): void => session.output.error(errorText('verifyStopped'));
  session.blockFor(
    (done: (report: VerifyReport) => void) => {
      const begun = member.verify(region, done);
      if (begun === 'no such region') throw commandError('noSuchRegion', region ?? '');
      if (begun === 'busy') throw commandError('verifyBusy');
      return begun;
    },
    (report) => writeReport(session.output, report, asJson),
    giveUp,
  );
}

/** What CRDT.VERIFY asks for; region null: all of them. Throws a syntax error. */
export function verifyWords(args: Args): { region: string | null; asJson: boolean } {
  const asJson = args.count > 1 && args.equalsIgnoreCase(args.count - 1, 'JSON');
  const words = args.count - (asJson ? 1 : 0);
  if (words > 2) throw commandError('syntax');
  return { region: words === 2 && args.text(1) !== '*' ? args.utf8(1) : null, asJson };
}

export function writeReport(output: ReplyWriter, report: VerifyReport, asJson: boolean): void {
  if (asJson) output.bulkUtf8(JSON.stringify(report));
  else writeJson(output, report);
}

/** The parts of a token that concern these slots; throws what is wrong with it. */
export function tokenPartsFor(
  text: string,
  database: string,
  slots: { readonly firstSlot: number; readonly lastSlot: number },
): readonly TokenPart[] {
  const token = readToken(text);
  if (typeof token === 'string') throw commandError('badToken', token);
  if (token.database !== database) {
    throw commandError('tokenOfOtherDatabase', printable(token.database), database);
  }
  const { firstSlot, lastSlot } = slots;
  const parts = token.parts.filter((part) => overlaps(part, firstSlot, lastSlot));
  if (parts.length === 0) {
    throw commandError('tokenOfOtherSlots', slotsOf(token), `${firstSlot}-${lastSlot}`);
  }
  return parts;
}

/** A name that a client gave, fit for an error's line. */
function printable(name: string): string {
  return JSON.stringify(name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64));
}

function crdtLink(session: ClientSession, args: Args): void {
  const pause = args.equalsIgnoreCase(2, 'PAUSE');
  if (!pause && !args.equalsIgnoreCase(2, 'RESUME')) throw commandError('linkMode', args.text(2));
  const region = args.utf8(1);
  if (!session.server.member.link(region, pause)) throw commandError('noSuchRegion', region);
  session.output.ok();
}

function crdtExplain(session: ClientSession, args: Args): void {
  const explained = session.server.db.explain(args.text(1));
  if (explained === null) session.output.nullBulk();
  else writeJson(session.output, explained);
}
