/**
 * Shell: Kubernetes Events about a database. The same event again within ten minutes raises a
 * count instead of making another object. Events are a courtesy: what fails is only logged.
 */
import type { Logger } from 'pino';
import { API_VERSION, KIND } from '../api/schema.ts';
import type { Owner } from '../specs/names.ts';
import { FIELD_MANAGER } from '../specs/names.ts';
import { mergePatch } from './apply.ts';
import { type Client, call } from './client.ts';

const AGGREGATE_MS = 600_000;
const REMEMBERED_MAX = 500;
const MESSAGE_LENGTH_MAX = 1_000;

type Remembered = { name: string; count: number; firstAtMs: number };

export type EventRecorder = (
  owner: Owner,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) => void;

/** A recorder for one cluster; `component` says who reports. */
export function eventRecorder(
  client: Pick<Client, 'core'>,
  identity: string,
  log: Logger,
): EventRecorder {
  const remembered = new Map<string, Remembered>();

  const write = async (
    owner: Owner,
    type: string,
    reason: string,
    message: string,
  ): Promise<void> => {
    const key = [owner.uid, type, reason, message].join('|');
    const known = remembered.get(key);
    const now = new Date();
    if (known && now.getTime() - known.firstAtMs < AGGREGATE_MS) {
      known.count++;
      const body = { count: known.count, lastTimestamp: now };
      const at = { namespace: owner.namespace, name: known.name };
      await call(() => client.core.patchNamespacedEvent({ ...at, body }, mergePatch()));
      return;
    }
    const name = `${owner.name}.${now.getTime().toString(16)}${remembered.size.toString(16)}`;
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, { name, count: 1, firstAtMs: now.getTime() });
    const { namespace, uid } = owner;
    await call(() =>
      client.core.createNamespacedEvent({
        namespace,
        body: {
          metadata: { name, namespace },
          involvedObject: {
            apiVersion: API_VERSION,
            kind: KIND,
            name: owner.name,
            namespace,
            uid,
          },
          type,
          reason,
          message: message.slice(0, MESSAGE_LENGTH_MAX),
          count: 1,
          firstTimestamp: now,
          lastTimestamp: now,
          source: { component: FIELD_MANAGER },
          reportingComponent: FIELD_MANAGER,
          reportingInstance: identity,
        },
      }),
    );
  };

  return (owner, type, reason, message) => {
    write(owner, type, reason, message).catch((error: unknown) =>
      log.debug({ reason, error: String(error) }, 'event not written'),
    );
  };
}
