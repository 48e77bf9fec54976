/**
 * CRDT.VERIFY by way of a proxy: every shard compares its own slots with the other regions, all at
 * once; their reports become one. A shard that cannot be asked is an error: half a proof is none.
 */
import { verifyWords, writeReport } from '../command/crdt.ts';
import { CommandError, errorText } from '../command/errors.ts';
import { joinReports, type VerifyReport } from '../replication/verify-report.ts';
import type { Args } from '../resp/args.ts';
import { ReplyWriter } from '../resp/reply-writer.ts';
import { encodeRequest } from '../resp/request-writer.ts';
import type { ProxyClient } from './client.ts';
import { LentConnection } from './dedicated.ts';
import { proxyError } from './errors.ts';
import { Gather } from './gather.ts';

const MINUS = 0x2d;

export function verify(client: ProxyClient, args: Args): void {
  const { router, context } = client.core;
  const shards = router.map?.shards ?? [];
  if (shards.length === 0) {
    client.fail(errorText('loading', context.member.startingReason()));
    return;
  }
  const words = wordsOf(client, args);
  if (words === null) return;
  const whole = client.core.request(client, -1, false);
  client.enqueue(whole);
  const { protocol } = client.session.output;
  const gather = new Gather(client, whole, shards.length, (replies) =>
    joinReplies(replies, words.asJson, protocol),
  );
  const command = encodeRequest(['CRDT.VERIFY', words.region ?? '*', 'JSON']);
  for (const [part, shard] of shards.entries()) {
    const request = client.core.request(client, shard.firstSlot, false, gather);
    request.part = part;
    const member = router.primary(part);
    if (member === null) {
      request.answer(proxyError('noPrimary', shard.firstSlot, 0));
      continue;
    }
    const lent = new LentConnection(member, request.protocol);
    lent.send(request, command, () => lent.giveBack());
  }
}

function wordsOf(client: ProxyClient, args: Args): ReturnType<typeof verifyWords> | null {
  try {
    return verifyWords(args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    client.fail(error.message);
    return null;
  }
}

function joinReplies(replies: readonly Buffer[], asJson: boolean, protocol: 2 | 3): Buffer {
  const reports: VerifyReport[] = [];
  for (const reply of replies) {
    if (reply[0] === MINUS) return reply;
    const json = reply.subarray(reply.indexOf('\r\n') + 2, reply.length - 2).toString('utf8');
    const report = readReport(json);
    if (report === null) return proxyError('badUpstream', 'asked to compare');
    reports.push(report);
  }
  const output = new ReplyWriter();
  output.protocol = protocol;
  writeReport(output, joinReports(reports), asJson);
  return Buffer.from(output.take());
}

function readReport(json: string): VerifyReport | null {
  try {
    const report = JSON.parse(json) as VerifyReport;
    return Array.isArray(report.regions) ? report : null;
  } catch {
    return null;
  }
}
