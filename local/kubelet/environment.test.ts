import type { KubeObject, Open } from '../api-server/resource.ts';
import { expand, resolveContainer, rewritePath } from './environment.ts';
import { findImage } from './image-table.ts';

const pod = {
  metadata: { name: 'carts-0-1', namespace: 'shop', labels: { 'meridian.dev/shard': '0' } },
  spec: { nodeName: 'n1' },
  status: { podIP: '127.16.1.2' },
} as unknown as KubeObject;

const data = { password: Buffer.from('open').toString('base64') };
const secret = { kind: 'Secret', metadata: { name: 's' }, data } as unknown as KubeObject;
const mounts = [
  { mountPath: '/data', hostPath: '/host/a' },
  { mountPath: '/data/inner', hostPath: '/host/b' },
];

function resolve(container: Open, withSecret = true) {
  return resolveContainer(pod, container, mounts, (_, name) =>
    withSecret && name === 's' ? secret : null,
  );
}

const field = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

describe('a container', () => {
  test('gets what the downward API and secrets say, and uses it in its arguments', () => {
    const secretKeyRef = { name: 's', key: 'password' };
    const resolved = resolve({
      args: [
        '--member',
        '$(POD_NAME)',
        '--bind',
        '$(POD_IP)',
        '--dir',
        '/data',
        '--x=/data/inner/y',
      ],
      env: [
        field('POD_NAME', 'metadata.name'),
        field('POD_IP', 'status.podIP'),
        field('NODE', 'spec.nodeName'),
        field('SHARD', "metadata.labels['meridian.dev/shard']"),
        { name: 'PASSWORD', valueFrom: { secretKeyRef } },
        { name: 'URL', value: 'redis://$(POD_IP):6379' },
      ],
    });
    expect(resolved).toEqual({
      kind: 'ready',
      args: [
        ...['--member', 'carts-0-1', '--bind', '127.16.1.2', '--dir', '/host/a'],
        '--x=/host/b/y',
      ],
      env: {
        ...{ POD_NAME: 'carts-0-1', POD_IP: '127.16.1.2', NODE: 'n1', SHARD: '0' },
        ...{ PASSWORD: 'open', URL: 'redis://127.16.1.2:6379' },
      },
    });
  });

  test('waits for a secret, unless it is optional', () => {
    const wanted = (optional?: boolean) => ({
      env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 's', key: 'password', optional } } }],
    });
    const missing = { kind: 'missing', message: 'secret "s" not found' };
    expect(resolve(wanted(), false)).toEqual(missing);
    expect(resolve(wanted(true), false)).toEqual({ kind: 'ready', env: {}, args: [] });
  });
});

test('$(NAME) is expanded, $$(NAME) and unknown names are not', () => {
  expect(expand('a $(X) $$(X) $(Y)', { X: '1' })).toBe('a 1 $(X) $(Y)');
});

test('only paths under a mount are rewritten', () => {
  expect(rewritePath('/database', mounts)).toBe('/database');
  expect(rewritePath('/data', mounts)).toBe('/host/a');
  expect(rewritePath('text /data', mounts)).toBe('text /data');
});

test('images are found by name, whatever registry and tag', () => {
  const table = [{ image: 'meridian-engine', command: ['bun'] }];
  for (const image of ['meridian-engine', 'meridian-engine:dev', 'ghcr.io/x/meridian-engine:1']) {
    expect(findImage(table, image)).toBe(table[0]);
  }
  expect(findImage(table, 'redis:7')).toBeNull();
});
