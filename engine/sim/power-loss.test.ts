import { measurePowerLoss } from './power-loss.ts';

const CUTS = 40;

describe('a machine that loses power', () => {
  test('with fsync always nothing acknowledged is lost', () => {
    const { acknowledged, lost, holes } = measurePowerLoss('always', CUTS);
    expect(acknowledged).toBeGreaterThan(CUTS * 50);
    expect({ lost, holes }).toEqual({ lost: 0, holes: 0 });
  });

  test('with fsync everysec the last second at most is lost, and no write before one that is kept', () => {
    const { lost, windowMsMax, holes } = measurePowerLoss('everysec', CUTS);
    expect(lost).toBeGreaterThan(0); // else the cut takes nothing and this test proves nothing
    expect(windowMsMax).toBeLessThanOrEqual(1100); // a second, a tick and the sync itself
    expect(holes).toBe(0);
  });

  test('with fsync no what is kept is still a beginning without holes', () => {
    const { lost, holes } = measurePowerLoss('no', CUTS);
    expect(lost).toBeGreaterThan(0);
    expect(holes).toBe(0);
  });
});
