/** Positions, distances and units among the arguments of geo commands. */
import type { Args } from '../resp/args.ts';
import { commandError } from './errors.ts';
import { isPosition, type Position } from './geo-hash.ts';
import { readScore } from './zset-args.ts';

/** Metres in each unit. */
const UNITS: Readonly<Record<string, number>> = { M: 1, KM: 1000, FT: 0.3048, MI: 1609.34 };

/** Longitude and latitude at `args` `i` and the next one. */
export function readPosition(args: Args, i: number): Position {
  const position = { lon: readScore(args, i), lat: readScore(args, i + 1) };
  if (!isPosition(position)) {
    throw commandError('badPosition', sixPlaces(position.lon), sixPlaces(position.lat));
  }
  return position;
}

/** Metres in the unit at `args` `i`. */
export function readUnit(args: Args, i: number): number {
  const unit = Object.keys(UNITS).find((word) => args.equalsIgnoreCase(i, word));
  if (unit === undefined) throw commandError('geoUnit');
  return UNITS[unit];
}

/** The radius at `args` `i` and its unit, in metres. */
export function readRadius(args: Args, i: number): { metres: number; unit: number } {
  const radius = readScore(args, i, 'geoRadius');
  if (radius < 0) throw commandError('geoRadiusNegative');
  const unit = readUnit(args, i + 1);
  return { metres: radius * unit, unit };
}

/** Width and height at `args` `i` and the next one, and their unit, in metres. */
export function readBox(args: Args, i: number): { width: number; height: number; unit: number } {
  const width = readScore(args, i, 'geoWidth');
  const height = readScore(args, i + 1, 'geoHeight');
  if (width < 0 || height < 0) throw commandError('geoBoxNegative');
  const unit = readUnit(args, i + 2);
  return { width: width * unit, height: height * unit, unit };
}

/** As printf's %f. */
function sixPlaces(value: number): string {
  if (Number.isFinite(value))
    return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
  return value > 0 ? 'inf' : '-inf';
}
