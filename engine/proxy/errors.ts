/**
 * The errors that only a proxy answers, in the form of the engine's catalogue. `%s` is filled in.
 */
import type { ErrorEntry } from '../command/errors.ts';

export const proxyErrorCatalogue = {
  crossSlot: {
    text: "CROSSSLOT Keys in request don't hash to the same slot",
    meaning:
      'The command, or the transaction, needs all of its keys in one slot: give them a common ' +
      'hash tag, as in {user1}:name and {user1}:mail.',
  },
  unknownOutcome: {
    text:
      'UNKNOWNOUTCOME the primary %s was lost while it had this command; it may or may not have ' +
      'been applied, so read before you write again',
    meaning: 'The connection to the primary broke between the command and its reply.',
  },
  connectionLost: {
    text: 'CLUSTERDOWN the connection to the primary %s was lost; the command was not executed',
    meaning: 'WATCH, WAIT or EXEC after WATCH could not be sent. It can safely be tried again.',
  },
  noPrimary: {
    text: 'CLUSTERDOWN slot %s had no reachable primary for %s ms; the command was not executed',
    meaning: 'No failover has happened in time. The command can safely be sent again.',
  },
  tooManyHeld: {
    text:
      'CLUSTERDOWN slot %s has no reachable primary and too many commands wait for it; the ' +
      'command was not executed',
    meaning: 'The queue for a new primary is full. The command can safely be sent again.',
  },
  overtaken: {
    text:
      'TRYAGAIN the primary of slot %s changed while commands were under way; this one was not ' +
      'executed but a later one of this connection was',
    meaning:
      'Sending it after the later command would have turned their order round. Send it again if ' +
      'that order is right, too.',
  },
  tokenUnknown: {
    text:
      'NOTOKEN the primary of slots %s has changed since this connection wrote there and may lack ' +
      'the write: read it back, then write there again or connect anew',
    meaning:
      'CRDT.TOKEN promises what the connection has written. After a failover nobody can promise ' +
      'that the new primary has it.',
  },
  slotNotServed: {
    text: 'CLUSTERDOWN Hash slot not served',
    meaning: 'The map gives this slot to no shard.',
  },
  badUpstream: {
    text: 'ERR the member %s answered what no member answers',
    meaning: 'A defect, or another program listens at the address of a member.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** The reply of an error with its blanks filled in, as RESP. */
export function proxyError(code: keyof typeof proxyErrorCatalogue, ...values: unknown[]): Buffer {
  let i = 0;
  const text = proxyErrorCatalogue[code].text.replace(/%s/g, () => String(values[i++]));
  return Buffer.from(`-${text}\r\n`, 'latin1');
}
