/**
 * Shell: Services as addresses. Every service with a cluster address is forwarded there, and a
 * service can be put on a port of this machine besides, which is how clients and other regions reach
 * it.
 */
import type { Registry } from '../api-server/registry.ts';
import type { KubeObject, Open } from '../api-server/resource.ts';
import { Forwarder, type Target } from './forwarder.ts';
import type { RegionLinks } from './links.ts';

export interface Exposure {
  readonly namespace: string;
  readonly service: string;
  /** The service's port, by number or name. */
  readonly servicePort: number | string;
  readonly host: string;
  readonly port: number;
}

export class Services {
  private readonly registry: Registry;
  private readonly links: RegionLinks;
  private readonly region: string;
  private readonly report: (message: string) => void;
  private readonly forwarders = new Map<string, Forwarder>();
  private readonly unsubscribe: () => void;

  constructor(
    registry: Registry,
    links: RegionLinks,
    region: string,
    report: (message: string) => void,
  ) {
    this.registry = registry;
    this.links = links;
    this.region = region;
    this.report = report;
    this.unsubscribe = registry.store.subscribe(({ storage }) => {
      if (storage === 'services') this.sync();
    });
  }

  /** Puts a service on a port of this machine; resolves with the port. */
  async expose({ namespace, service, servicePort, host, port }: Exposure): Promise<number> {
    return this.forward(`${namespace}/${service}:${servicePort}`, host, port, () =>
      this.targets(namespace, service, servicePort),
    );
  }

  async close(): Promise<void> {
    this.unsubscribe();
    const closing = [...this.forwarders.keys()].map((key) => this.stop(key));
    await Promise.all(closing);
  }

  /** The ready endpoints of a service's port. */
  targets(namespace: string, service: string, servicePort: number | string): Target[] {
    const object = this.registry.store.get('services', namespace, service);
    const ports: Open[] = object?.spec.ports ?? [];
    const port = ports.find((one) => one.port === servicePort || one.name === servicePort);
    if (port === undefined) return [];
    const slices = this.registry.store
      .list('endpointslices', namespace)
      .filter((one) => one.metadata.labels?.['kubernetes.io/service-name'] === service);
    return slices.flatMap((slice) => {
      const number = slice.ports.find((one: Open) => (one.name ?? '') === (port.name ?? ''))?.port;
      return slice.endpoints
        .filter((one: Open) => one.conditions.ready)
        .map((one: Open) => ({ host: one.addresses[0], port: number }));
    });
  }

  private sync(): void {
    const wanted = new Map<string, KubeObject>();
    for (const service of this.registry.store.list('services')) {
      const { clusterIP, ports = [] } = service.spec;
      if (!clusterIP || clusterIP === 'None') continue;
      for (const port of ports) wanted.set(`cluster/${clusterIP}:${port.port}`, service);
    }
    for (const key of this.forwarders.keys()) {
      if (key.startsWith('cluster/') && !wanted.has(key)) void this.stop(key);
    }
    for (const [key, service] of wanted) {
      if (this.forwarders.has(key)) continue;
      const { name, namespace = '' } = service.metadata;
      const port = Number(key.slice(key.lastIndexOf(':') + 1));
      const targets = () => this.targets(namespace, name, port);
      this.forward(key, service.spec.clusterIP, port, targets).catch((error: Error) =>
        this.report(`service ${namespace}/${name}: ${error.message}`),
      );
    }
  }

  private async forward(
    key: string,
    host: string,
    port: number,
    targets: () => Target[],
  ): Promise<number> {
    if (this.forwarders.has(key)) throw new Error(`${key} is forwarded already`);
    const forwarder = new Forwarder({
      ...{ host, port, targets },
      linkFrom: (source) => this.links.state(source, this.region),
    });
    this.forwarders.set(key, forwarder);
    this.links.add(forwarder);
    try {
      return await forwarder.listen();
    } catch (error) {
      this.forwarders.delete(key);
      this.links.remove(forwarder);
      throw error;
    }
  }

  private async stop(key: string): Promise<void> {
    const forwarder = this.forwarders.get(key);
    if (forwarder === undefined) return;
    this.forwarders.delete(key);
    this.links.remove(forwarder);
    await forwarder.close();
  }
}
