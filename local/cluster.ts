/**
 * Shell: one cluster: its API server, controllers, nodes and services, and, if wanted, the operator
 * that is installed in it. Its addresses are 127.<octet>.*:
 *
 *   127.<octet>.<node>.1 … .250   pods           127.<octet>.254.*   services
 *   127.<octet>.<node>.254        the node       127.<octet>.255.1   API server
 *                                                127.<octet>.255.2   operator
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { KubeObject, Open } from './api-server/resource.ts';
import { ApiServer } from './api-server/server.ts';
import { deploymentController } from './controllers/deployment.ts';
import { endpointsController } from './controllers/endpoints.ts';
import { eventExpiry, garbageCollector } from './controllers/garbage-collector.ts';
import { runControllers } from './controllers/manager.ts';
import { nodeLifecycleController } from './controllers/node-lifecycle.ts';
import { schedulerController } from './controllers/scheduler.ts';
import { statefulSetController } from './controllers/stateful-set.ts';
import { Container } from './kubelet/container.ts';
import type { ImageEntry } from './kubelet/image-table.ts';
import { Kubelet, readLog } from './kubelet/kubelet.ts';
import type { ProcessTable } from './kubelet/process.ts';
import { removeClaimDirectory } from './kubelet/volumes.ts';
import type { RegionLinks } from './network/links.ts';
import { Services } from './network/services.ts';

export interface ClusterOptions {
  readonly name: string;
  readonly octet: number;
  readonly nodes: readonly { name: string; zone: string }[];
  readonly stateDir: string;
  readonly processes: ProcessTable;
  readonly links: RegionLinks;
  readonly images: readonly ImageEntry[];
  /** How old a heartbeat may be before a node counts as lost. */
  readonly nodeGraceMs: number;
  /** Called with what goes wrong inside the runtime itself. */
  readonly report: (message: string) => void;
}

export class Cluster {
  readonly options: ClusterOptions;
  readonly api: ApiServer;
  readonly kubelets = new Map<string, Kubelet>();
  readonly services: Services;
  readonly logDir: string;
  readonly kubeconfigPath: string;
  /** Of the API server; '' before the start. */
  url = '';
  private operator: Container | null = null;
  private stopControllers: () => void = () => {};

  constructor(options: ClusterOptions) {
    const { name, octet, stateDir, links, report, nodes } = options;
    this.options = options;
    this.logDir = join(stateDir, 'logs');
    this.kubeconfigPath = join(stateDir, 'kubeconfig.yaml');
    mkdirSync(this.logDir, { recursive: true });
    this.api = new ApiServer({
      ...{ host: `127.${octet}.255.1`, port: 0, servicePrefix: `127.${octet}.254.` },
      readLog: (namespace, pod, container) => readLog(this.logDir, namespace, pod, container),
    });
    links.register(name, octet);
    this.services = new Services(this.registry, links, name, report);
    this.registry.store.subscribe(({ storage, type, object }) => {
      const gone = storage === 'persistentvolumeclaims' && type === 'DELETED';
      if (gone) removeClaimDirectory(stateDir, object);
    });
    nodes.forEach((node, index) => {
      this.kubelets.set(node.name, this.makeKubelet(node, index + 1));
    });
  }

  get name(): string {
    return this.options.name;
  }

  get registry() {
    return this.api.registry;
  }

  /** Starts everything but the operator. */
  async start(): Promise<void> {
    this.url = await this.api.listen();
    writeFileSync(this.kubeconfigPath, kubeconfig(this.name, this.url));
    const { report, nodeGraceMs } = this.options;
    const controllers = [
      ...[statefulSetController, deploymentController, schedulerController],
      ...[endpointsController, garbageCollector, eventExpiry],
      nodeLifecycleController(nodeGraceMs),
    ];
    this.stopControllers = runControllers(this.registry, controllers, (name, error) =>
      report(`${this.name}: controller ${name}: ${(error as Error).stack}`),
    );
    for (const kubelet of this.kubelets.values()) kubelet.start();
  }

  /** Applies every definition in a folder of YAML files. */
  loadDefinitions(directory: string): void {
    for (const file of readdirSync(directory).sort()) {
      if (/\.ya?ml$/.test(file)) this.apply(readFileSync(join(directory, file), 'utf8'));
    }
  }

  /** What `kubectl apply --server-side` does with a file; namespaces are made when missing. */
  apply(yaml: string): KubeObject[] {
    const documents = loadAll(yaml) as KubeObject[];
    return documents.filter(Boolean).map((document) => this.applyOne(document));
  }

  /** Starts the operator as a process beside the cluster, restarted like a container. */
  startOperator(command: readonly string[], env: Record<string, string> = {}): void {
    const { octet, processes, stateDir } = this.options;
    const bind = ['--region', this.name, '--bind', `127.${octet}.255.2`];
    const spec = {
      command: [...command, ...bind],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: stateDir,
        KUBECONFIG: this.kubeconfigPath,
        ...env,
      },
      cwd: stateDir,
      logPath: join(this.logDir, 'operator.log'),
    };
    const context = {
      ...{ processes, spec: { name: 'operator' }, restartPolicy: 'Always', address: '' },
      ...{ resolve: () => spec, changed: () => {} },
    };
    this.operator = new Container(context, 0);
    this.operator.start();
  }

  /** Sends a signal to the operator; it is started again if it ends. */
  signalOperator(signal: NodeJS.Signals): void {
    this.operator?.signal(signal);
  }

  getKubelet(node: string): Kubelet {
    const kubelet = this.kubelets.get(node);
    if (kubelet !== undefined) return kubelet;
    const known = [...this.kubelets.keys()].join(', ');
    throw new Error(`${this.name} has no node ${node}; its nodes are ${known}`);
  }

  /** The nodes of a zone; throws when there are none. */
  zone(zone: string): Kubelet[] {
    const found = [...this.kubelets.values()].filter((one) => one.options.node.zone === zone);
    if (found.length > 0) return found;
    const known = [...this.kubelets.values()].map((one) => one.options.node.zone).join(', ');
    throw new Error(`${this.name} has no zone ${zone}; its zones are ${known}`);
  }

  /** Ends it all at once; data directories stay. */
  async stop(): Promise<void> {
    this.stopControllers();
    await this.operator?.stop(2000);
    await Promise.all([...this.kubelets.values()].map((one) => one.kill()));
    await this.services.close();
    await this.api.close();
  }

  private applyOne(document: KubeObject): KubeObject {
    const { scheme, store } = this.registry;
    const type = scheme.findKind(document.apiVersion, document.kind);
    if (type === undefined) {
      throw new Error(`${this.name} does not know ${document.apiVersion} ${document.kind}`);
    }
    const namespace = type.namespaced ? (document.metadata.namespace ?? 'default') : '';
    const options = { manager: 'kubectl', force: true };
    if (namespace !== '' && store.get('namespaces', '', namespace) === null) {
      const body = { metadata: { name: namespace } } as Open;
      this.registry.create(scheme.getStored('namespaces'), '', body, options);
    }
    return this.registry.patch(type, namespace, document.metadata.name, 'apply', document, options);
  }

  private makeKubelet(node: { name: string; zone: string }, number: number): Kubelet {
    const { octet, processes, stateDir, images, nodeGraceMs, name } = this.options;
    return new Kubelet({
      ...{ registry: this.registry, processes, stateDir, images, logDir: this.logDir },
      node: { ...node, region: name, address: `127.${octet}.${number}.254` },
      podPrefix: `127.${octet}.${number}.`,
      heartbeatIntervalMs: Math.min(10_000, Math.max(50, nodeGraceMs / 4)),
    });
  }
}

/** client-node takes plain HTTP only with verification switched off by name. */
function kubeconfig(name: string, url: string): string {
  return `apiVersion: v1
kind: Config
current-context: ${name}
clusters:
- name: ${name}
  cluster: { server: "${url}", insecure-skip-tls-verify: true }
users:
- name: ${name}
  user: {}
contexts:
- name: ${name}
  context: { cluster: ${name}, user: ${name} }
`;
}
