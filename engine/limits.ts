/** The fixed limits of the engine: what each is called, what it is, and what happens when it is reached. */

import { ACL_LOG_MAX_LEN } from './acl/log.ts';
import { UNAUTHENTICATED_UNREAD_BYTES } from './command/client-limits.ts';
import { SLOWLOG_MAX_LEN } from './command/slow-log.ts';
import { TRACKED_KEYS_MAX } from './command/tracking.ts';
import {
  EVICTION_SAMPLES_MAX,
  EVICTIONS_PER_COMMAND_MAX,
  EVICTIONS_PER_TICK_MAX,
} from './core/eviction.ts';
import { ACTORS_MAX } from './crdt/roster.ts';
import { ELEMENTS_MAX } from './keyspace/element-index.ts';
import { PACKED_BYTES_MAX, PACKED_ELEMENTS_MAX } from './keyspace/packed-block.ts';

export type Limit = {
  readonly unit: string;
  readonly value: number;
  /** What happens when it is reached. */
  readonly reached: string;
};

/** Every fixed limit of log, replication, member and packed values; flags change those that are theirs. */
export const limits = {
  frameBytesMax: {
    unit: 'bytes',
    value: 512 * 1024 * 1024 + 65_536,
    reached: 'the peer link is closed; a log with such a frame is damaged',
  },
  handshakeFrameBytesMax: {
    unit: 'bytes',
    value: 65_536,
    reached: 'the peer link is closed before anybody has proved anything',
  },
  backlogBytes: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'the oldest ops are forgotten; a peer that lacks them gets the whole state',
  },
  unackedBytesMax: {
    unit: 'bytes',
    value: 16 * 1024 * 1024,
    reached: 'the server of a session sends no more until the puller has confirmed some',
  },
  linkBufferBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'the server of a session sends no more until the network took some',
  },
  compressedBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'frames are sent as they are; who sends more in one compressed frame is cut off',
  },
  atomicStateBytesMax: {
    unit: 'bytes',
    value: 8 * 1024 * 1024,
    reached: 'a larger state is merged over many turns; causality holds within each slot only',
  },
  stateTurnBytes: {
    unit: 'bytes',
    value: 1024 * 1024,
    reached: 'the rest of a state is captured in later turns; these slots are ahead of its vector',
  },
  replayBytesMax: {
    unit: 'bytes',
    value: 256 * 1024 * 1024,
    reached: 'own ops since a state began to come: the rest of it is merged instead of replayed on',
  },
  aheadPatience: {
    unit: 'ms',
    value: 10_000,
    reached: 'ops that only slots have seen, and no peer has: what slots hold of them is kept',
  },
  segmentBytesMax: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'the log goes on in a new file',
  },
  imageAfterBytes: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'log beyond the last image: a new image is written, older segments are removed',
  },
  imageRetryAfter: {
    unit: 'ms',
    value: 30_000,
    reached: 'an image that was given up (full or broken disk) is begun again',
  },
  actorsMax: {
    unit: 'writers',
    value: ACTORS_MAX,
    reached:
      'starts of members that wrote, of all regions and for ever: a new writer does not start',
  },
  actorsWarned: {
    unit: 'writers',
    value: 5000,
    reached: 'each start warns: vectors of 20 bytes a writer cost links and CPU',
  },
  relayAfter: {
    unit: 'ms',
    value: 1000,
    reached: 'what a mark names has not come: the sender is asked to relay all it has',
  },
  directAgainAfter: {
    unit: 'ms',
    value: 3000,
    reached: 'relaying: the own stream is tried again if all direct links stand',
  },
  peerSilence: {
    unit: 'ms',
    value: 3000,
    reached: 'no byte came: the link is dead, it is closed and dialled again',
  },
  upstreamSilence: {
    unit: 'ms',
    value: 1200,
    reached: 'two heartbeats are missing: a replica reports that its primary does not answer',
  },
  heartbeatInterval: { unit: 'ms', value: 500, reached: 'a heartbeat or confirmation is sent' },
  ackInterval: { unit: 'ms', value: 50, reached: 'what was applied is confirmed' },
  dialBackoffMin: { unit: 'ms', value: 100, reached: 'the link is dialled again; doubles' },
  dialBackoffMax: { unit: 'ms', value: 2000, reached: 'the backoff does not grow further' },
  acceptedPeersMax: { unit: 'links', value: 256, reached: 'further peers are refused' },
  packedElementsMax: {
    unit: 'elements',
    value: PACKED_ELEMENTS_MAX,
    reached: 'a set or hash becomes a table: a few times the memory for each element',
  },
  tableElementsMax: {
    unit: 'elements',
    value: ELEMENTS_MAX,
    reached: 'the process ends: a set or hash can count no more, split it by key before',
  },
  packedBytesMax: {
    unit: 'bytes',
    value: PACKED_BYTES_MAX,
    reached: 'as above, whatever the number of elements',
  },
  evictionsPerCommandMax: {
    unit: 'keys',
    value: EVICTIONS_PER_COMMAND_MAX,
    reached: 'the command runs, the tick evicts on; refused when memory is 1.125 × maxmemory',
  },
  evictionsPerTickMax: {
    unit: 'keys',
    value: EVICTIONS_PER_TICK_MAX,
    reached: 'the next tick evicts on',
  },
  evictionSamplesMax: {
    unit: 'keys',
    value: EVICTION_SAMPLES_MAX,
    reached: 'CONFIG SET maxmemory-samples refuses more',
  },
  clientHeldBytesMax: {
    unit: 'bytes',
    value: 64 * 1024 * 1024,
    reached: 'nothing more is read from a client that does not read its replies',
  },
  clientUnauthenticatedUnreadBytesMax: {
    unit: 'bytes',
    value: UNAUTHENTICATED_UNREAD_BYTES,
    reached: 'a client that has yet to say who it is, and does not read, is closed',
  },
  trackedKeysMax: {
    unit: 'keys',
    value: TRACKED_KEYS_MAX,
    reached: 'the keys tracked longest are told as changed (tracking-table-max-keys)',
  },
  aclLogEntriesMax: {
    unit: 'entries',
    value: ACL_LOG_MAX_LEN,
    reached: 'the oldest refusals are forgotten (acllog-max-len)',
  },
  slowLogEntriesMax: {
    unit: 'entries',
    value: SLOWLOG_MAX_LEN,
    reached: 'the oldest slow commands are forgotten (slowlog-max-len)',
  },
  tlsReloadInterval: {
    unit: 'ms',
    value: 5000,
    reached: 'the files of certificates are read again; SIGHUP does it at once',
  },
  verifySilence: {
    unit: 'ms',
    value: 5000,
    reached: 'a region that does not answer CRDT.VERIFY counts as unreachable',
  },
  verificationsMax: {
    unit: 'regions',
    value: 16,
    reached: 'further CRDT.VERIFY are refused until one of those that run has ended',
  },
  repairRound: {
    unit: 'ms',
    value: 600_000,
    reached: 'all slots are compared with a peer again, and what differs is mended',
  },
  repairInterval: {
    unit: 'ms',
    value: 500,
    reached: 'the next slots are compared in the background',
  },
  repairIntervalUrgent: {
    unit: 'ms',
    value: 100,
    reached: 'the same at the start and after a state merge; below 1 % of a core with what follows',
  },
  repairQuestionKeys: {
    unit: 'keys',
    value: 500,
    reached: 'no more are compared at once in the background: 0.6 ms of each side',
  },
  repairSlotBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'a larger slot is not compared in the background, only by CRDT.VERIFY',
  },
  repairRetry: {
    unit: 'ms',
    value: 2000,
    reached: 'slots that were busy or were mended are compared again',
  },
  repairTriesMax: {
    unit: 'times',
    value: 30,
    reached: 'slots that are always busy wait for the next round',
  },
  repairLagMax: {
    unit: 'ops',
    value: 10_000,
    reached: 'a peer so far behind or ahead is not compared until it has caught up',
  },
  tokenBytesMax: {
    unit: 'bytes',
    value: 4 * 1024 * 1024,
    reached: 'CRDT.AFTER refuses the token; one actor takes 27 bytes of it',
  },
  scriptTimeMax: {
    unit: 'ms',
    value: 5000,
    reached: 'a script that has not written is ended with an error',
  },
  scriptWriteTimeMax: {
    unit: 'ms',
    value: 10_000,
    reached: 'a script that has written is ended too; what it has written stays',
  },
  scriptMemoryMax: {
    unit: 'bytes',
    value: 128 * 1024 * 1024,
    reached: 'the script gets "not enough memory"; of it 4 MB are its stack',
  },
  scriptReplyMax: {
    unit: 'bytes',
    value: 128 * 1024 * 1024,
    reached: 'the script ends with an error instead of that reply',
  },
  scriptMemoryKept: {
    unit: 'bytes',
    value: 32 * 1024 * 1024,
    reached: 'a machine that uses less than half of its memory is made anew after the script',
  },
  scriptsMax: {
    unit: 'scripts',
    value: 10_000,
    reached: 'the oldest scripts are forgotten: EVALSHA of them gets NOSCRIPT',
  },
  scriptSourcesMax: {
    unit: 'bytes',
    value: 32 * 1024 * 1024,
    reached: 'as above: the oldest scripts are forgotten',
  },
  functionSourcesMax: {
    unit: 'bytes',
    value: 16 * 1024 * 1024,
    reached: 'FUNCTION LOAD is refused until libraries are deleted',
  },
  functionLoadTimeMax: {
    unit: 'ms',
    value: 500,
    reached: 'the code of a library that is being loaded is ended with an error',
  },
  tlsHandshake: {
    unit: 'ms',
    value: 5000,
    reached: 'a TLS handshake that is not over is given up',
  },
  tlsHandshakesMax: {
    unit: 'handshakes',
    value: 1024,
    reached: 'under way at once on one port: further connections are closed unread',
  },
  tlsFarewell: {
    unit: 'ms',
    value: 1000,
    reached: 'who was refused by its certificate has not taken the last words: it is cut off',
  },
  replicaWaitMax: {
    unit: 'ms',
    value: 10_000,
    reached: 'min-replicas is not met: the client is closed, its outcome unknown',
  },
} as const satisfies Record<string, Limit>;
