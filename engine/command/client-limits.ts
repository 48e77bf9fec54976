/**
 * What one client may take, by Redis' names and defaults: bytes of a request, unread replies by class,
 * idle time, and how many clients there may be. CONFIG SET changes it for clients that are there, too.
 *
 * The class `normal` has no limit on unread replies, as in Redis. It needs none: while more than
 * `clientHeldBytesMax` of them wait, nothing more is read from that client.
 */
import { defaultRequestLimits } from '../resp/request-parser.ts';
import { clientType } from './client-describe.ts';
import type { Setting } from './config-store.ts';
import { type OutputClass, outputLimitSetting } from './output-limit.ts';
import type { ClientSession } from './session.ts';
import { memorySetting, numberSetting, parseMemory } from './setting-kinds.ts';
import { STRING_BYTES_MAX } from './string-range.ts';

const MB = 1024 * 1024;
/** What Redis allows at most where any number of bytes may be given. */
const ANY_BYTES = 9_223_372_036_854_775_807n;
/** As in Redis: a client that has yet to say who it is may leave so much unread. */
export const UNAUTHENTICATED_UNREAD_BYTES = 1024;

/** Unread replies of a class: closed beyond `hardBytes`, or beyond `softBytes` for so long; 0: never. */
export type OutputLimit = {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
};

export class ClientLimits {
  /** Handed to every parser: a change holds from the next command on. */
  readonly request = { ...defaultRequestLimits, bulkBytesMax: STRING_BYTES_MAX };
  protoMaxBulkBytes = 512 * MB;
  clientsMax = 10_000;
  /** Seconds without a command until a client is closed; 0: never. */
  timeoutSeconds = 0;
  /** Seconds until the kernel asks whether the other side is there; 0: it does not. */
  keepAliveSeconds = 300;
  /** Bytes of all clients together (percent: of maxmemory); 0: no limit. */
  clientsMemory: { readonly bytes: number } | { readonly percent: number } = { bytes: 0 };
  readonly output: Record<OutputClass, OutputLimit> = {
    normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
    slave: { hardBytes: 256 * MB, softBytes: 64 * MB, softSeconds: 60 },
    pubsub: { hardBytes: 32 * MB, softBytes: 8 * MB, softSeconds: 60 },
  };
  /** Clients that were closed because all of them together took too much. */
  evicted = 0;

  /** Longest string that a command may make. */
  get stringBytesMax(): number {
    return Math.min(this.protoMaxBulkBytes, STRING_BYTES_MAX);
  }

  /**
   * Whether the client leaves too much unread. To be asked whenever `unread` has changed, and now and
   * then while `softSinceMs` of the session is set.
   */
  exceedsOutput(session: ClientSession, unread: number, nowMs: number): boolean {
    if (!session.authenticated && session.server.acl.authRequired) {
      return unread > UNAUTHENTICATED_UNREAD_BYTES;
    }
    const { hardBytes, softBytes, softSeconds } = this.output[clientType(session)];
    if (hardBytes !== 0 && unread > hardBytes) return true;
    if (softBytes === 0 || unread <= softBytes) {
      session.softSinceMs = 0;
      return false;
    }
    if (session.softSinceMs === 0) session.softSinceMs = nowMs;
    return nowMs - session.softSinceMs >= softSeconds * 1000;
  }

  /** Whether the client has been idle for too long. Who listens or waits may be silent. */
  isIdle(session: ClientSession, nowMs: number): boolean {
    if (this.timeoutSeconds === 0 || session.isWaiting() || session.subscribed) return false;
    return nowMs - session.lastCommandAtMs > this.timeoutSeconds * 1000;
  }

  /** Bytes that all clients may take together; 0: any. */
  clientsMemoryMax(maxMemoryBytes: number): number {
    const { clientsMemory } = this;
    if ('bytes' in clientsMemory) return clientsMemory.bytes;
    return Math.floor((maxMemoryBytes * clientsMemory.percent) / 100);
  }

  settings(): Setting[] {
    return [
      memorySetting('proto-max-bulk-len', BigInt(MB), BigInt(512 * MB), {
        get: () => this.protoMaxBulkBytes,
        set: (bytes) => {
          this.protoMaxBulkBytes = bytes;
          this.request.bulkBytesMax = this.stringBytesMax;
        },
      }),
      memorySetting('client-query-buffer-limit', BigInt(MB), ANY_BYTES, {
        get: () => this.request.commandBytesMax,
        set: (bytes) => {
          this.request.commandBytesMax = bytes;
        },
      }),
      numberSetting('maxclients', 1, 4_294_967_295, {
        get: () => this.clientsMax,
        set: (value) => {
          this.clientsMax = value;
        },
      }),
      numberSetting('timeout', 0, 2_147_483_647, {
        get: () => this.timeoutSeconds,
        set: (value) => {
          this.timeoutSeconds = value;
        },
      }),
      numberSetting('tcp-keepalive', 0, 2_147_483_647, {
        get: () => this.keepAliveSeconds,
        set: (value) => {
          this.keepAliveSeconds = value;
        },
      }),
      this.clientsMemorySetting(),
      outputLimitSetting(this.output),
    ];
  }

  private clientsMemorySetting(): Setting {
    return {
      name: 'maxmemory-clients',
      get: () => {
        const { clientsMemory } = this;
        return 'bytes' in clientsMemory ? String(clientsMemory.bytes) : `${clientsMemory.percent}%`;
      },
      set: (value) => {
        const percent = /^(\d{1,15})%$/.exec(value);
        if (percent !== null) {
          if (Number(percent[1]) > 100) return 'percentage argument must be less or equal to 100';
          this.clientsMemory = { percent: Number(percent[1]) };
          return null;
        }
        const bytes = parseMemory(value);
        if (bytes === null) return 'argument must be a memory or percent value';
        this.clientsMemory = { bytes };
        return null;
      },
    };
  }
}
