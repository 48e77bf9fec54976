import type { KubeObject, Open } from '../api-server/resource.ts';
import { place } from './placement.ts';

const zones = { n1: 'a', n2: 'a', n3: 'b', n4: 'c' };

function node(name: string, zone: string, taints?: Open[]): KubeObject {
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zone };
  return { metadata: { name, labels }, spec: taints ? { taints } : {} } as unknown as KubeObject;
}

const nodes = Object.entries(zones).map(([name, zone]) => node(name, zone));

function pod(spec: Open = {}, nodeName?: string, app = 'x'): KubeObject {
  return {
    metadata: { name: 'p', namespace: 'default', labels: { app } },
    spec: { ...spec, nodeName },
  } as unknown as KubeObject;
}

function spread(whenUnsatisfiable: string, key = 'topology.kubernetes.io/zone', more: Open = {}) {
  const labelSelector = { matchLabels: { app: 'x' } };
  const constraint = { maxSkew: 1, topologyKey: key, whenUnsatisfiable, labelSelector, ...more };
  return { topologySpreadConstraints: [constraint] };
}

/** The node that is chosen, or the reasons. */
function chosen(one: KubeObject, placed: KubeObject[] = [], more: Open = {}): string {
  const placement = place(one, { nodes, placed, claimNode: null, ...more });
  return 'node' in placement ? placement.node.metadata.name : placement.reasons.join();
}

describe('placement', () => {
  test('takes the emptiest node, then the first by name', () => {
    expect(chosen(pod())).toBe('n1');
    expect(chosen(pod(), [pod({}, 'n1'), pod({}, 'n2'), pod({}, 'n3')])).toBe('n4');
  });

  test('a spread that must hold rules zones out; one that should only ranks them', () => {
    const placed = [pod({}, 'n1'), pod({}, 'n3')];
    expect(chosen(pod(spread('DoNotSchedule')), placed)).toBe('n4');
    const onlyA = { nodes: nodes.slice(0, 2) };
    expect(chosen(pod(spread('DoNotSchedule')), [pod({}, 'n1')], onlyA)).toBe('n2');
    expect(chosen(pod(spread('ScheduleAnyway')), placed)).toBe('n4');
  });

  test('a zone whose node is tainted still counts as empty, unless the constraint says not', () => {
    const taints = [{ key: 'down', effect: 'NoSchedule' }];
    const three = [node('n1', 'a'), node('n3', 'b'), node('n4', 'c', taints)];
    const placed = [pod({}, 'n1'), pod({}, 'n3')];
    expect(chosen(pod(spread('DoNotSchedule')), placed, { nodes: three })).toContain('spread');
    const honour = spread('DoNotSchedule', undefined, { nodeTaintsPolicy: 'Honor' });
    expect(chosen(pod(honour), placed, { nodes: three })).toBe('n1');
  });

  test('required anti-affinity keeps pods off a host', () => {
    const labelSelector = { matchLabels: { app: 'x' } };
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector };
    const required = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
    const apart = pod({ affinity: { podAntiAffinity: required } });
    expect(chosen(apart, [pod({}, 'n1'), pod({}, 'n2')])).toBe('n3');
    const everywhere = nodes.map((one) => pod({}, one.metadata.name));
    expect(chosen(apart, everywhere)).toBe("4 node(s) didn't match pod anti-affinity rules");
  });

  test('a claim holds its pod to its node', () => {
    expect(chosen(pod(), [], { claimNode: 'n3' })).toBe('n3');
    const gone = { claimNode: 'n9' };
    expect(chosen(pod(), [], gone)).toBe('4 node(s) had volume node affinity conflict');
  });

  test('taints need a toleration', () => {
    const taints = [{ key: 'down', effect: 'NoSchedule' }];
    const only = { nodes: [node('n1', 'a', taints)] };
    expect(chosen(pod(), [], only)).toContain('untolerated taint {down: }');
    expect(chosen(pod({ tolerations: [{ operator: 'Exists' }] }), [], only)).toBe('n1');
  });
});
