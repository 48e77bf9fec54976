import { parseReport } from './report.ts';
import { judge } from './verdict.ts';

const failing = (misses: number) => ({ failing: true, misses });

describe('the verdict', () => {
  test('is up while the own probe answers, whatever others see', () => {
    expect(judge({ failing: false, misses: 1 }, [false, false])).toBe('up');
  });

  test.each([
    [[false], 'dead'],
    [[false, false, true], 'dead'],
    [[false, true], 'suspected'],
    [[true, true, false], 'suspected'],
  ])('with views %p is %s', (views, verdict) => {
    expect(judge(failing(2), views)).toBe(verdict);
  });

  test('without any view needs one failure more', () => {
    expect(judge(failing(2), [])).toBe('suspected');
    expect(judge(failing(3), [])).toBe('dead');
  });
});

describe('a report', () => {
  const member = {
    role: 'replica',
    mapVersion: 7,
    epoch: 3,
    appliedOps: 123,
    memoryBytes: 1,
    startedEmpty: false,
    uptimeMs: 5,
    firstWriteAtMs: null,
    upstream: { name: 'carts-0-0', connected: true, answering: false, lagOps: 4 },
    peers: [{ region: 'us', connected: true, paused: false, lagOps: 0, lagMs: 3, pendingOps: 1 }],
  };

  test('of a replica also says what it sees of its primary', () => {
    const parsed = parseReport(JSON.stringify(member));
    expect(parsed?.report).toMatchObject({ role: 'replica', appliedOps: 123 });
    expect(parsed?.sees.get('carts-0-0')).toBe(false);
  });

  test('of a proxy has no data, only what it sees', () => {
    const text = JSON.stringify({
      role: 'proxy',
      mapVersion: 2,
      members: [{ name: 'a', up: true, sinceMs: 4 }],
    });
    const parsed = parseReport(text);
    expect(parsed?.report.appliedOps).toBe(0);
    expect([...(parsed?.sees ?? [])]).toEqual([['a', true]]);
  });

  test.each(['', '{', '[]', '{"role":"king"}', 'null', '"text"'])('%p is refused', (text) => {
    expect(parseReport(text)).toBeNull();
  });

  test('with fields of the wrong type keeps what makes sense', () => {
    const text = JSON.stringify({ ...member, peers: 'none', upstream: 7, epoch: 'x' });
    expect(parseReport(text)?.report).toMatchObject({ peers: [], upstream: null, epoch: 0 });
  });
});
