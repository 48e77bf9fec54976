/**
 * Positions as 52-bit geohashes, which are the scores of the sorted set that a geo key is.
 *
 * Latitude and longitude, each as 26 bits of its share of the range, interleaved: latitude in the even
 * bits. Cells of `step` bits each way are runs of scores, so a search looks at the cell of its centre and the
 * eight around it, at the finest step at which these cover the shape (Redis' geohash.c and
 * geohash_helper.c; the distances are theirs to the digit).
 */

export type Position = { readonly lon: number; readonly lat: number };

/** A cell: `lat` and `lon` count cells of its size from the south-west. */
type Cell = { readonly lat: number; readonly lon: number; readonly step: number };

/** A circle, or a box around a centre; in metres. */
export type Shape = { readonly centre: Position } & (
  | { readonly kind: 'circle'; readonly radius: number }
  | { readonly kind: 'box'; readonly width: number; readonly height: number }
);

/** Scores from `from` to below `to`. */
export type ScoreRun = { readonly from: number; readonly to: number };

export const LON_MAX = 180;
export const LAT_MAX = 85.05112878;
const STEP_MAX = 26;
const EARTH_RADIUS_METRES = 6372797.560856;
const MERCATOR_MAX = 20037726.37;
const RADIANS = Math.PI / 180;
const HALF = 2 ** 26;
const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz';

export function isPosition({ lon, lat }: Position): boolean {
  return lon >= -LON_MAX && lon <= LON_MAX && lat >= -LAT_MAX && lat <= LAT_MAX;
}

/** The score of a position. */
export function scoreOfPosition(position: Position): number {
  return scoreOfCell(cellOf(position, STEP_MAX, LAT_MAX));
}

/** The middle of the cell that a score names. */
export function positionOfScore(score: number): Position {
  const { south, north, west, east } = edges(cellOfScore(score));
  return {
    lon: Math.max(-LON_MAX, Math.min(LON_MAX, (west + east) / 2)),
    lat: Math.max(-LAT_MAX, Math.min(LAT_MAX, (south + north) / 2)),
  };
}

/** The eleven characters of the standard geohash, whose latitudes go to 90; the last is always 0. */
export function geohashText(score: number): string {
  const { lat, lon } = cellOf(positionOfScore(score), STEP_MAX, 90);
  const bits = BigInt(scoreOfCell({ lat, lon, step: STEP_MAX }));
  let text = '';
  for (let i = 1; i <= 10; i++) text += ALPHABET[Number((bits >> BigInt(52 - i * 5)) & 31n)];
  return `${text}0`;
}

/** Metres between two positions, along a great circle. */
export function distance(a: Position, b: Position): number {
  const v = Math.sin((b.lon * RADIANS - a.lon * RADIANS) / 2);
  if (v === 0) return latDistance(a.lat, b.lat);
  const [aLat, bLat] = [a.lat * RADIANS, b.lat * RADIANS];
  const u = Math.sin((bLat - aLat) / 2);
  const share = u * u + Math.cos(aLat) * Math.cos(bLat) * v * v;
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.sqrt(share));
}

/** Metres from the centre of a shape; NaN: the position is not in it. */
export function distanceWithin(shape: Shape, position: Position): number {
  const { centre } = shape;
  const metres = distance(centre, position);
  if (shape.kind === 'circle') return metres > shape.radius ? Number.NaN : metres;
  if (latDistance(position.lat, centre.lat) > shape.height / 2) return Number.NaN;
  const across = distance(position, { lon: centre.lon, lat: position.lat });
  return across > shape.width / 2 ? Number.NaN : metres;
}

/** The scores of all positions of the shape, and of others near it. */
export function runsOf(shape: Shape): ScoreRun[] {
  const box = boundsOf(shape);
  let step = stepFor(shape);
  if (step > 1 && isTooSmall(cellOf(shape.centre, step, LAT_MAX), box)) step--;
  const centre = cellOf(shape.centre, step, LAT_MAX);
  const area = edges(centre);
  const useless = (north: number, east: number): boolean => {
    if (step < 2) return false;
    if (north < 0 && area.south < box.south) return true;
    if (north > 0 && area.north > box.north) return true;
    return (east < 0 && area.west < box.west) || (east > 0 && area.east > box.east);
  };
  const runs: ScoreRun[] = [];
  for (const [north, east] of AROUND) {
    if (useless(north, east)) continue;
    const from = scoreOfCell(moved(centre, north, east));
    const last = runs.at(-1);
    // Of a huge shape two cells beside each other are the same one.
    if (last === undefined || last.from !== from) runs.push({ from, to: from + 4 ** (26 - step) });
  }
  return runs;
}

/** The cell itself, N, S, E, W, NE, NW, SE, SW: the order in which Redis looks. */
const AROUND: readonly (readonly [north: number, east: number])[] = [
  [0, 0],
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
];

type Edges = {
  readonly south: number;
  readonly north: number;
  readonly west: number;
  readonly east: number;
};

function latDistance(a: number, b: number): number {
  return EARTH_RADIUS_METRES * Math.abs(b * RADIANS - a * RADIANS);
}

function cellOf({ lon, lat }: Position, step: number, latMax: number): Cell {
  const cells = 2 ** step;
  const share = (value: number, most: number): number =>
    Math.trunc(((value + most) / (most + most)) * cells);
  return { lat: share(lat, latMax), lon: share(lon, LON_MAX), step };
}

function edges({ lat, lon, step }: Cell): Edges {
  const cells = 2 ** step;
  return {
    south: -LAT_MAX + (lat / cells) * (2 * LAT_MAX),
    north: -LAT_MAX + ((lat + 1) / cells) * (2 * LAT_MAX),
    west: -LON_MAX + (lon / cells) * (2 * LON_MAX),
    east: -LON_MAX + ((lon + 1) / cells) * (2 * LON_MAX),
  };
}

function moved({ lat, lon, step }: Cell, north: number, east: number): Cell {
  const cells = 2 ** step;
  return { lat: (lat + north + cells) % cells, lon: (lon + east + cells) % cells, step };
}

/** The first score of a cell. */
function scoreOfCell({ lat, lon, step }: Cell): number {
  let score = 0;
  let value = 4 ** (STEP_MAX - step);
  // The very ends, 180 degrees and the greatest latitude, have one bit more, as in Redis.
  for (let bit = 0; bit <= step; bit++, value *= 4) {
    score += ((lat >>> bit) & 1) * value + ((lon >>> bit) & 1) * 2 * value;
  }
  return score;
}

function cellOfScore(score: number): Cell {
  const whole = Math.min(Math.max(Math.trunc(score), 0), 2 ** 54 - 1);
  const [low, high] = [whole % HALF, Math.floor(whole / HALF)];
  let lat = 0;
  let lon = 0;
  for (let bit = 0; bit < 14; bit++) {
    lat |= (((low >>> (2 * bit)) & 1) << bit) | (((high >>> (2 * bit)) & 1) << (bit + 13));
    lon |= (((low >>> (2 * bit + 1)) & 1) << bit) | (((high >>> (2 * bit + 1)) & 1) << (bit + 13));
  }
  return { lat, lon, step: STEP_MAX };
}

function boundsOf(shape: Shape): Edges {
  const { lon, lat } = shape.centre;
  const height = shape.kind === 'circle' ? shape.radius : shape.height / 2;
  const width = shape.kind === 'circle' ? shape.radius : shape.width / 2;
  const up = height / EARTH_RADIUS_METRES / RADIANS;
  // Where the shape is farthest from the equator its width takes the most degrees.
  const widest = (lat < 0 ? lat - up : lat + up) * RADIANS;
  const across = width / EARTH_RADIUS_METRES / Math.cos(widest) / RADIANS;
  return { south: lat - up, north: lat + up, west: lon - across, east: lon + across };
}

/** The finest step at which a cell and those around it cover the shape, nearly always. */
function stepFor(shape: Shape): number {
  const { lat } = shape.centre;
  let metres =
    shape.kind === 'circle' ? shape.radius : Math.hypot(shape.width / 2, shape.height / 2);
  if (metres === 0) return STEP_MAX;
  let step = 1;
  for (; metres < MERCATOR_MAX; metres *= 2) step++;
  step -= 2;
  if (Math.abs(lat) > 66) step--;
  if (Math.abs(lat) > 80) step--;
  return Math.min(STEP_MAX, Math.max(1, step));
}

function isTooSmall(cell: Cell, box: Edges): boolean {
  return (
    edges(moved(cell, 1, 0)).north < box.north ||
    edges(moved(cell, -1, 0)).south > box.south ||
    edges(moved(cell, 0, 1)).east < box.east ||
    edges(moved(cell, 0, -1)).west > box.west
  );
}
