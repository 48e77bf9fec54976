import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CelFailure, CelUnsupported, evaluateCel } from './cel-evaluate.ts';
import { CelSyntaxError, parseCel } from './cel-parse.ts';
import { checkRules } from './cel-rules.ts';
import type { Schema } from './custom-resource.ts';
import type { KubeObject, Open } from './resource.ts';
import { ApiServer } from './server.ts';

function run(text: string, self: Open = {}): Open {
  return evaluateCel(parseCel(text), { self });
}

describe('expressions', () => {
  test.each([
    ['1 + 2 * 3 == 7 && !(4 > 5)', true],
    ['7 / 2 == 3 && 7 % 2 == 1 && -3 < 0', true],
    [`'a' + "b" == 'ab' && r'\\d' == '\\\\d'`, true],
    ['false ? 1 : true ? 2 : 3', 2],
    ['2 in [1, 2] && "k" in {"k": 1} && !("x" in {"k": 1})', true],
    ['[1, 2].map(x, x * 2) == [2, 4] && [1, 2, 3].filter(x, x > 1).size() == 2', true],
    ['[1, 2].exists_one(x, x == 1) && [1, 2].exists(x, x > 1) && ![1, 2].all(x, x > 1)', true],
    ["'eu.example.com:7443'.lastIndexOf(':') == 14 && 'abc'.substring(1) == 'bc'", true],
    ["'carts'.matches('^[a-z]+$') && 'a-b'.split('-') == ['a', 'b']", true],
    ["quantity('1Gi').compareTo(quantity('1024Mi')) == 0", true],
    ["quantity('500m').isLessThan(quantity('1'))", true],
    ["duration('1m30s') >= duration('90s') && duration('5m') > duration('30s')", true],
    ['int("42") == 42 && string(7) == "7" && size("häh") == 3', true],
  ])('%s', (text, value) => {
    expect(run(text)).toEqual(value);
  });

  test('one side of && and || decides even if the other fails', () => {
    expect(run('has(self.a) && self.a.b == 1')).toBe(false);
    expect(run('self.a.b == 1 || true')).toBe(true);
    expect(() => run('self.a.b == 1 || false')).toThrow(CelFailure);
  });

  test('what is not known is told from what is wrong', () => {
    expect(() => run("url('x').getHost()")).toThrow(CelUnsupported);
    expect(() => run('constructor(self)')).toThrow(CelUnsupported);
    expect(() => run('1 < "a"')).toThrow(CelFailure);
    expect(() => parseCel('self. == 1')).toThrow(CelSyntaxError);
    expect(() => parseCel('(1')).toThrow(CelSyntaxError);
  });
});

describe('rules', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: {
            type: 'integer',
            'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'cannot shrink' }],
          },
          parts: {
            type: 'array',
            ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
            items: {
              type: 'object',
              'x-kubernetes-validations': [
                {
                  rule: 'self.count == oldSelf.count',
                  messageExpression: "self.name + ' is fixed'",
                },
              ],
            },
          },
        },
        'x-kubernetes-validations': [{ rule: "url(self.link).getHost() == 'x'" }],
      },
    },
  };
  const box = (spec: Open) => ({ metadata: { name: 'x' }, spec }) as unknown as KubeObject;

  test('of a change are judged against the old value, items by their key', () => {
    const before = box({ size: 3, parts: [{ name: 'a', count: 1 }] });
    const part = { name: 'a', count: 2 };
    const after = box({ size: 2, parts: [{ name: 'b', count: 9 }, part] });
    expect(checkRules(schema, after, null, [])).toEqual([]);
    expect(checkRules(schema, after, before, [])).toMatchObject([
      { field: 'spec.size', message: 'Invalid value: "integer": cannot shrink' },
      { field: 'spec.parts[1]', message: 'Invalid value: "object": a is fixed' },
    ]);
  });

  test('that cannot be judged are a warning and never a refusal', () => {
    const warnings: string[] = [];
    expect(checkRules(schema, box({ link: 'x' }), null, warnings)).toEqual([]);
    expect(warnings[0]).toContain('function getHost is not known');
  });
});

describe("the repository's own definition and example", () => {
  const root = join(import.meta.dirname, '../..');
  const read = (path: string) => load(readFileSync(join(root, path), 'utf8')) as KubeObject;
  const server = new ApiServer({ host: '127.0.0.1', port: 0, servicePrefix: '127.16.254.' });
  const { registry } = server;
  const definitions = registry.scheme.getStored('customresourcedefinitions');
  registry.create(definitions, '', read('crds/meridian.dev_activeactivedatabases.yaml'));
  const type = registry.scheme.getStored('activeactivedatabases.meridian.dev');
  afterAll(() => server.watches.close());

  test('every rule can be judged, and the example passes', () => {
    const warnings: string[] = [];
    registry.create(type, 'default', read('examples/carts.yaml'), { warnings });
    expect(warnings).toEqual([]);
  });

  test.each([
    [{ shards: 4 }, 'the number of shards cannot change'],
    [{ memory: '1Mi' }, 'memory must be at least 64Mi'],
    [{ minReplicas: 3 }, 'minReplicas'],
    [{ failover: { replaceAfter: '1s' } }, 'replaceAfter must be at least 30s'],
  ])('%j is refused', (spec, message) => {
    expect(() => registry.patch(type, 'default', 'carts', 'merge', { spec })).toThrow(message);
  });
});
