import { measurePowerLoss, type PowerLoss } from './power-loss.ts';

/** With `no`, one of the seeds from 51 to 60 damages the end of a segment that another one follows. */
const CUTS = 60;

/** A disk that keeps what it has synced never holds an image that the log behind it does not reach. */
function checkStarts({ images, refused }: PowerLoss): void {
  expect(images).toBeGreaterThan(CUTS / 4); // else the cuts meet no image and this proves nothing
  expect(refused).toBe(0);
}

describe('a machine that loses power', () => {
  test('with fsync always nothing acknowledged is lost, and it starts', () => {
    const measured = measurePowerLoss('always', CUTS);
    const { acknowledged, lost, holes } = measured;
    expect(acknowledged).toBeGreaterThan(CUTS * 50);
    expect({ lost, holes }).toEqual({ lost: 0, holes: 0 });
    checkStarts(measured);
  });

  test('with fsync everysec the last second at most is lost, and no write before one that is kept', () => {
    const measured = measurePowerLoss('everysec', CUTS);
    const { lost, windowMsMax, holes } = measured;
    expect(lost).toBeGreaterThan(0); // else the cut takes nothing and this test proves nothing
    expect(windowMsMax).toBeLessThanOrEqual(1100); // a second, a tick and the sync itself
    expect(holes).toBe(0);
    checkStarts(measured);
  });

  test('with fsync no what is kept is still a beginning without holes', () => {
    const measured = measurePowerLoss('no', CUTS);
    expect(measured.lost).toBeGreaterThan(0);
    expect(measured.holes).toBe(0);
    checkStarts(measured);
  });

  test('when its disk has lied, a beginning without holes is kept, or the member does not start with it', () => {
    const { refused, lost, holes } = measurePowerLoss('everysec', CUTS, true);
    expect(lost).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(CUTS);
    expect(holes).toBe(0);
  });
});
