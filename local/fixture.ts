/** Shell: a small cluster for one test file, with a program that stands for an image. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppsV1Api, CoreV1Api } from '@kubernetes/client-node';
import { clientConfig } from './api-server/fixture.ts';
import type { KubeObject, Open } from './api-server/resource.ts';
import type { Cluster } from './cluster.ts';
import { type Local, type LocalOptions, startLocal } from './start-local.ts';

/**
 * Listens on POD_IP:6379 and answers every line with its pod's name, how often it has been started
 * on this volume, and the line. "exit" ends it.
 */
const program = `
const { createServer } = require('node:net');
const { readFileSync, writeFileSync } = require('node:fs');
const file = process.argv[1] ? process.argv[1] + '/starts' : null;
let starts = 1;
try { if (file) starts = Number(readFileSync(file, 'utf8')) + 1; } catch {}
if (file) writeFileSync(file, String(starts));
createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (line) => {
    if (String(line).startsWith('exit')) process.exit(3);
    socket.write(process.env.POD_NAME + ' ' + starts + ' ' + line);
  });
}).listen(6379, process.env.POD_IP);
console.info('started', starts);
`;

export const testImages = [{ image: 'echo', command: [process.execPath, '-e', program] }];

export interface LocalFixture {
  local: Local;
  cluster: Cluster;
  core: CoreV1Api;
  apps: AppsV1Api;
  stateDir: string;
  stop(): Promise<void>;
}

export async function startLocalFixture(
  options: Partial<LocalOptions> = {},
): Promise<LocalFixture> {
  const stateDir = mkdtempSync(join(tmpdir(), 'meridian-local-'));
  const nodes = ['a', 'b', 'c'].map((letter) => ({ name: `n-${letter}`, zone: `z-${letter}` }));
  const local = await startLocal({
    ...{ clusters: [{ name: 'eu', nodes }], stateDir, images: testImages, definitions: null },
    ...options,
  });
  const cluster = local.cluster(options.clusters?.[0].name ?? 'eu');
  const config = clientConfig(cluster.url);
  return {
    ...{ local, cluster, stateDir },
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    stop: async () => {
      await local.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A StatefulSet of the echo program, with a claim per pod. */
export function echoSet(name: string, spec: Open = {}): KubeObject {
  const labels = { app: name };
  const fieldRef = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      ...{ replicas: 2, serviceName: name, selector: { matchLabels: labels } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              ...{ name: 'echo', image: 'echo:1', args: ['/data'] },
              env: [
                { name: 'POD_NAME', ...fieldRef('metadata.name') },
                { name: 'POD_IP', ...fieldRef('status.podIP') },
              ],
              ports: [{ name: 'client', containerPort: 6379 }],
              readinessProbe: { tcpSocket: { port: 'client' }, periodSeconds: 1 },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
        },
      ],
      ...spec,
    },
  } as unknown as KubeObject;
}

/** Sends a line and resolves with the answer; null when there was none. */
export function ask(
  host: string,
  port: number,
  line: string,
  localAddress?: string,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress });
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('connect', () => socket.write(line));
    socket.on('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(null));
  });
}
