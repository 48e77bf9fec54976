import { ports, readyLine, regions } from './setup.ts';
import type { Snapshot } from './snapshot.ts';
import { fitRows, renderView } from './view.ts';

const pod = { name: 'carts-0-0', role: 'primary', ready: true, lagOps: 0 };
const proxy = { name: 'carts-proxy-x', role: 'proxy', ready: true, lagOps: 0 };
const behind = { name: 'carts-0-1', role: 'replica', ready: true, lagOps: 7 };
const snapshot: Snapshot = {
  regions: regions.map(({ name, clientPort, zones }) => ({
    ...{ name, port: clientPort, missing: '', cut: name === 'ap' },
    zones: zones.map((zone, index) => ({
      ...{ zone, node: `${zone}-node`, nodeUp: index < 2 },
      pods: index === 0 ? [pod, proxy] : [behind],
    })),
    links: [{ name: 'us', connected: name !== 'ap', lagMs: 12, pendingOps: 3 }],
  })),
  failovers: [
    {
      ...{ region: 'eu', shard: 0, from: 'carts-0-1', to: 'carts-0-0', reason: 'ProcessDied' },
      ...{ decidedAt: '2026-01-01T10:20:30.000Z', gapMs: 74 },
    },
  ],
};

/** What is on the screen, without colours. */
function screen(selected: string, notice = ''): string {
  const codes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
  return renderView(snapshot, selected, notice).join('\n').replace(codes, '');
}

describe('the live view', () => {
  test('shows members by zone and role, what lags, what is down, and links', () => {
    const text = screen('us', 'killed something');
    expect(text).toContain('  eu  127.0.0.1:7001  ready');
    expect(text).toContain('    eu-a   carts-0-0 primary  proxy');
    expect(text).toContain('    eu-b   carts-0-1 replica -7');
    expect(text).toContain('    eu-c   node down');
    expect(text).toContain('    links  us lag 12 ms, 3 pending');
    expect(text).toContain('> us  127.0.0.1:7002');
    expect(text).toContain('  ap  127.0.0.1:7003  cut off');
    expect(text).toContain('us not connected, 3 pending');
    expect(text.endsWith('killed something')).toBe(true);
  });

  test('shows the last failovers with their gap, and lines to try', () => {
    const text = screen('eu');
    const failover =
      '10:20:30  eu shard 0: carts-0-1 → carts-0-0 (ProcessDied, routed after 74 ms)';
    expect(text).toContain(failover);
    expect(text).toContain('redis-cli -p 7001 incr hits');
  });

  test('fits a terminal of 100 columns and 40 lines', () => {
    const lines = screen('eu', 'x').split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

test('a small terminal loses blank lines first', () => {
  expect(fitRows(['a', '', 'b'], 3)).toEqual(['a', '', 'b']);
  expect(fitRows(['a', '', 'b'], 2)).toEqual(['a', 'b']);
  expect(fitRows(['a', '', 'b', 'c'], 2)).toEqual(['a', 'b']);
});

test('the ready line and the ports are those that the README names', () => {
  expect(readyLine).toBe('ready: eu 127.0.0.1:7001, us 127.0.0.1:7002, ap 127.0.0.1:7003');
  const numbers = ports.map((one) => one.port);
  expect(numbers).toEqual([7000, 7001, 7002, 7003, 7101, 7102, 7103]);
});
