import { BASE, CASES, changed } from './cases.ts';
import { find, resourceSchema } from './crd.ts';
import { staleFiles } from './generate.ts';
import { RULES } from './rule.ts';
import type { Spec } from './schema.ts';
import { checkOwnRegion, explain, validate } from './validate.ts';

const valid = (name: string, raw: unknown): Spec => {
  const { spec, errors } = validate(name, raw, null);
  if (spec === null) throw new Error(`${name}: ${errors.map(explain).join('\n')}`);
  return spec;
};

describe('validation', () => {
  test.each(CASES)('judges $name as the table says', (entry) => {
    const name = entry.resourceName ?? 'carts';
    const before = entry.before ? changed(entry.before) : null;
    const old = before === null ? null : valid(name, before);
    const { errors } = validate(name, changed(entry.change, before ?? BASE), old);
    const paths = errors.map(({ path }) => path);
    if (entry.refused.length === 0) expect(errors.map(explain)).toEqual([]);
    for (const expected of entry.refused) {
      expect(paths.some((path) => path.startsWith(expected))).toBe(true);
    }
  });

  test('every rule refuses some case', () => {
    const refusedBy = new Set<string>();
    for (const entry of CASES) {
      const name = entry.resourceName ?? 'carts';
      const before = entry.before ? changed(entry.before) : null;
      const old = before === null ? null : valid(name, before);
      const { errors } = validate(name, changed(entry.change, before ?? BASE), old);
      for (const { id, rule } of RULES) {
        if (errors.some((error) => error.rule === rule)) refusedBy.add(id);
      }
    }
    expect(RULES.map(({ id }) => id).filter((id) => !refusedBy.has(id))).toEqual([]);
  });

  test('fills in the defaults and leaves its input alone', () => {
    const raw = Object.freeze({ regions: [{ name: 'eu', number: 1 }] });
    const spec = valid('carts', raw);
    expect(spec.proxies.service.type).toBe('ClusterIP');
    expect(spec.placement.zoneKey).toBe('topology.kubernetes.io/zone');
    expect(spec.failover.replaceAfter).toBe('5m');
    expect(Object.keys(raw)).toEqual(['regions']);
  });

  test('an error names the path, the value, the rule and the cure', () => {
    const { errors } = validate('carts', changed({ memory: '1Mi' }), null);
    expect(errors.map(explain)).toEqual([
      'spec.memory: has "1Mi"; memory must be at least 64Mi; set it to 64Mi or more',
    ]);
  });

  test.each([null, 7, 'text', [], {}])('refuses %p without throwing', (raw) => {
    expect(validate('carts', raw, null).errors.length).toBeGreaterThan(0);
  });

  test('the own region must be listed', () => {
    const spec = valid('carts', BASE);
    expect(checkOwnRegion(spec, 'us')).toEqual([]);
    expect(checkOwnRegion(spec, 'mars')[0].path).toBe('spec.regions');
  });
});

describe('the generated files', () => {
  test('are current', () => {
    expect(staleFiles()).toEqual([]);
  });

  test('limit every list and every free string, so that CEL stays affordable', () => {
    const unlimited: string[] = [];
    const visit = (node: ReturnType<typeof resourceSchema>, path: string): void => {
      if (node.type === 'array' && node.maxItems === undefined) unlimited.push(path);
      if (node.type === 'string' && !node.enum && !node.maxLength && !node.format) {
        unlimited.push(path);
      }
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        visit(child, `${path}.${name}`);
      }
      if (node.items) visit(node.items, `${path}[]`);
    };
    visit(find(resourceSchema(), 'spec'), 'spec');
    visit(find(resourceSchema(), 'status'), 'status');
    expect(unlimited).toEqual([]);
  });

  test('give each field of the spec a description', () => {
    const silent: string[] = [];
    const visit = (node: ReturnType<typeof resourceSchema>, path: string): void => {
      if (!node.description) silent.push(path);
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        visit(child, `${path}.${name}`);
      }
    };
    visit(find(resourceSchema(), 'spec'), 'spec');
    expect(silent).toEqual([]);
  });
});
