/** The part of the catalogue of errors.ts that is about sorted sets and geo. */
import type { ErrorEntry } from './errors.ts';

export const zsetErrors = {
  zaddNxXx: {
    text: 'ERR XX and NX options at the same time are not compatible',
    meaning: 'ZADD: a member cannot be both there and not there.',
  },
  zaddGtLtNx: {
    text: 'ERR GT, LT, and/or NX options at the same time are not compatible',
    meaning: 'ZADD takes one of them.',
  },
  zaddIncrPairs: {
    text: 'ERR INCR option supports a single increment-element pair',
    meaning: 'ZADD INCR takes one increment and one member.',
  },
  scoreNotANumber: {
    text: 'ERR resulting score is not a number (NaN)',
    meaning: 'ZINCRBY of one infinity to the other; nothing was changed.',
  },
  scoreRange: {
    text: 'ERR min or max is not a float',
    meaning:
      'A range by score takes numbers, `-inf` and `+inf`, with `(` in front to leave them out.',
  },
  nameRange: {
    text: 'ERR min or max not valid string range item',
    meaning: 'A range by name takes `-`, `+`, and names with `[` or `(` in front.',
  },
  limitByRank: {
    text: 'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    meaning: 'A range by rank is limited by its ranks.',
  },
  scoresByLex: {
    text: 'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
    meaning: 'In a range by name all scores are equal.',
  },
  countPositive: {
    text: 'ERR count should be greater than 0',
    meaning: 'ZMPOP takes out one member or more.',
  },
  noInputKeys: {
    text: "ERR at least 1 input key is needed for '%s' command",
    meaning: 'The number of keys must be 1 or more.',
  },
  weightNotFloat: {
    text: 'ERR weight value is not a float',
    meaning: 'Each weight is a number.',
  },
  badPosition: {
    text: 'ERR invalid longitude,latitude pair %s,%s',
    meaning: 'Longitudes go from -180 to 180, latitudes from -85.05112878 to 85.05112878.',
  },
  geoUnit: {
    text: 'ERR unsupported unit provided. please use M, KM, FT, MI',
    meaning: 'Distances are in metres, kilometres, feet or miles.',
  },
  geoRadius: {
    text: 'ERR need numeric radius',
    meaning: 'A radius is a number with its unit.',
  },
  geoRadiusNegative: {
    text: 'ERR radius cannot be negative',
    meaning: 'A radius is 0 or more.',
  },
  geoWidth: {
    text: 'ERR need numeric width',
    meaning: 'BYBOX takes width, height and their unit.',
  },
  geoHeight: {
    text: 'ERR need numeric height',
    meaning: 'BYBOX takes width, height and their unit.',
  },
  geoBoxNegative: {
    text: 'ERR height or width cannot be negative',
    meaning: 'Both are 0 or more.',
  },
  geoCount: {
    text: 'ERR COUNT must be > 0',
    meaning: 'A search returns one member or more.',
  },
  geoStoreShows: {
    text: 'ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
    meaning: 'What is stored is a sorted set, which has no room for them.',
  },
  geoFrom: {
    text: 'ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %s',
    meaning: 'A search has one centre.',
  },
  geoBy: {
    text: 'ERR exactly one of BYRADIUS and BYBOX can be specified for %s',
    meaning: 'A search has one shape.',
  },
  geoAny: {
    text: 'ERR the ANY argument requires COUNT argument',
    meaning: 'ANY says that any members will do, COUNT how many.',
  },
  geoMember: {
    text: 'ERR could not decode requested zset member',
    meaning: 'The member around which to search is not there.',
  },
} as const satisfies Record<string, ErrorEntry>;
