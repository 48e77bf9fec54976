/** Field TTLs where random histories seldom come: data that goes and comes again beside an HEXPIRE. */
import { mergeKey } from './key-state.ts';
import { canonical, type Intent, newWorld, pull, read, write } from './laws-history.ts';
import { spec } from './laws-spec.ts';

const hset: Intent = { kind: 'hset', pairs: [['f', '5']] };
const hincr: Intent = { kind: 'hincr', field: 'f', delta: 3 };
const hdel: Intent = { kind: 'hdel', fields: ['f'] };
const hexpire: Intent = { kind: 'hexpire', fields: ['f'], expiry: 1000 };

test.each<[string, Intent[], Intent[], Intent[], Record<string, number>]>([
  ['a counter made anew has no old TTL', [hset], [hdel, hincr], [hexpire], {}],
  ['a value made anew has no old TTL', [hset], [hdel, hset], [hexpire], {}],
  ['a counter that goes on after a reset has no old TTL', [hincr], [hdel], [hexpire, hincr], {}],
  ['an increment keeps the TTL', [hset], [hincr], [hexpire], { f: 1000 }],
  ['a value set at the same time stays', [hset], [hset], [hexpire], {}],
  ['a counter has a TTL too', [hincr], [hincr], [hexpire], { f: 1000 }],
])('%s', (_, given, a, b, expiries) => {
  const { roster, replicas } = newWorld();
  const world = { roster, replicas };
  const [left, right] = replicas;
  for (const intent of given) write(world, left, intent);
  pull(left, right);
  for (const intent of a) write(world, left, intent, 1);
  for (const intent of b) write(world, right, intent, 2);
  const merged = mergeKey(
    structuredClone(left.state),
    left.vector,
    structuredClone(right.state),
    right.vector,
  );
  pull(left, right);
  pull(right, left);
  expect(canonical(right.state)).toEqual(canonical(left.state));
  expect(canonical(merged)).toEqual(canonical(left.state));
  expect(read(left.state, roster)).toEqual(spec(left.log, roster));
  expect(read(left.state, roster).fieldExpiry).toEqual(expiries);
});
