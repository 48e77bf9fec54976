import fc from 'fast-check';
import {
  type DatabaseMap,
  mapErrorText,
  parseMap,
  primaryOf,
  refuseMap,
  splitEndpoint,
} from './database-map.ts';
import { buildRoutes } from './routes.ts';

const member = (name: string) => ({
  name,
  host: '10.1.2.3',
  port: 6379,
  peerPort: 7380,
  zone: 'eu-a',
});

const example = () => ({
  version: 7,
  database: 'shop/carts',
  region: 'eu',
  regionNumber: 1,
  shards: [
    {
      slots: '0-8191',
      epoch: 3,
      primary: 'carts-0-1',
      members: [member('carts-0-0'), member('carts-0-1')],
    },
    { slots: '8192-16383', epoch: 1, primary: '', members: [member('carts-1-0')] },
  ],
  regions: [{ name: 'us', number: 2, endpoint: 'us.example.com:7443' }],
});

type Example = ReturnType<typeof example>;

function parsed(value: unknown): DatabaseMap {
  const result = parseMap(JSON.stringify(value));
  if ('errors' in result) throw new Error(mapErrorText(result.errors));
  return result.map;
}

function errorsOf(change: (map: Example) => void): string[] {
  const map = example();
  change(map);
  const result = parseMap(JSON.stringify(map));
  return 'errors' in result ? result.errors.map(({ path, rule }) => `${path}: ${rule}`) : [];
}

describe('a valid map', () => {
  test('is read with its slots as numbers', () => {
    const map = parsed(example());
    expect(map.shards[0]).toMatchObject({ slots: '0-8191', firstSlot: 0, lastSlot: 8191 });
    expect(primaryOf(map.shards[0])?.name).toBe('carts-0-1');
    expect(primaryOf(map.shards[1])).toBeNull();
    expect(map.regions).toEqual(example().regions);
  });

  test('may have fields of a newer operator, no zone and no other regions', () => {
    const { regions, ...rest } = example();
    expect(regions).toHaveLength(1);
    const map = parsed({ ...rest, colour: 'red' });
    expect(map.regions).toEqual([]);
    expect(JSON.stringify(map)).not.toContain('red');
  });

  test('routes each slot to its owner', () => {
    const routes = buildRoutes(parsed(example()));
    expect([routes[0], routes[8191], routes[8192], routes[16383]]).toEqual([0, 0, 1, 1]);
    const gap = example();
    gap.shards.pop();
    expect(buildRoutes(parsed(gap))[8192]).toBe(-1);
  });
});

describe('what is wrong is named with its path', () => {
  const cases: [string, (map: Example) => void, string][] = [
    ['version 0', (m) => (m.version = 0), 'version: must be a whole number from 1 to'],
    ['no database', (m) => (m.database = ''), 'database: must be a string that is not empty'],
    [
      'region 17',
      (m) => (m.regionNumber = 17),
      'regionNumber: must be a whole number from 1 to 16',
    ],
    ['no shards', (m) => (m.shards = []), 'shards: must not be empty'],
    ['shards no list', (m) => (m.shards = {} as never), 'shards: must be a list'],
    ['bad slots', (m) => (m.shards[1].slots = '9-8'), 'shards[1].slots: must be A-B within'],
    [
      'slot 16384',
      (m) => (m.shards[1].slots = '8192-16384'),
      'shards[1].slots: must be A-B within',
    ],
    [
      'overlap',
      (m) => (m.shards[1].slots = '8191-9000'),
      'shards[1].slots: overlap those of shards[0]',
    ],
    ['strange primary', (m) => (m.shards[0].primary = 'x'), 'shards[0].primary: "x" is no member'],
    [
      'member twice',
      (m) => (m.shards[1].members[0].name = 'carts-0-0'),
      'shards[1].members[0].name: "carts-0-0" appears twice',
    ],
    [
      'port 0',
      (m) => (m.shards[0].members[0].port = 0),
      'shards[0].members[0].port: must be a whole',
    ],
    [
      'port text',
      (m) => (m.shards[0].members[0].peerPort = '1' as never),
      'shards[0].members[0].peerPort: must be a whole',
    ],
    [
      'endpoint',
      (m) => (m.regions[0].endpoint = 'us'),
      'regions[0].endpoint: "us" must be host:port',
    ],
    ['own region', (m) => (m.regions[0].name = 'eu'), 'regions[0].name: "eu" appears twice'],
    ['number twice', (m) => (m.regions[0].number = 1), 'regions[0].number: 1 appears twice'],
    [
      'member null',
      (m) => (m.shards[0].members[0] = null as never),
      'shards[0].members[0]: must be an object',
    ],
  ];
  test.each(cases)('%s', (_name, change, expected) => {
    expect(errorsOf(change).join('\n')).toContain(expected);
  });

  test('text that is no JSON, and JSON that is no map', () => {
    expect(parseMap('{')).toMatchObject({ errors: [{ path: '' }] });
    for (const json of ['null', '[]', '"x"', '1']) expect(parseMap(json)).toHaveProperty('errors');
  });

  test('any JSON is answered, never thrown at', () => {
    const keys = fc.constantFrom('version', 'shards', 'members', 'slots', 'regions', 'x');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        expect(parseMap(JSON.stringify(value))).toHaveProperty('errors');
      }),
      { numRuns: 300 },
    );
  });
});

describe('which map replaces which', () => {
  const at = (version: number, region = 'eu') => parsed({ ...example(), version, region });

  test('newer does, the same does, older and another of the same version do not', () => {
    expect(refuseMap(null, at(1))).toBeNull();
    expect(refuseMap(at(7), at(8))).toBeNull();
    expect(refuseMap(at(7), at(7))).toBeNull();
    expect(refuseMap(at(8), at(7))).toEqual({ kind: 'stale', held: 8, given: 7 });
    expect(refuseMap(at(7), at(7, 'ap'))).toMatchObject({ kind: 'invalid' });
  });
});

test.each([
  ['a.b:1', { host: 'a.b', port: 1 }],
  ['[::1]:7443', { host: '::1', port: 7443 }],
  ['::1:7443', null],
  ['a', null],
  ['a:0', null],
  ['a:70000', null],
  [':80', null],
])('endpoint %s', (text, expected) => {
  expect(splitEndpoint(text)).toEqual(expected);
});
