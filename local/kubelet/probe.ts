/**
 * Shell: readiness and liveness. A prober asks at the probe's period and reports when the answer
 * has been the same often enough. Until the first success it asks more often than Kubernetes
 * would, so that a database is up in seconds.
 */
import { get } from 'node:http';
import { connect } from 'node:net';
import type { Open } from '../api-server/resource.ts';

const eagerPeriodMs = 150;

export interface Prober {
  stop(): void;
}

/**
 * Calls `report` with each verdict that differs from the last one. A probe of a kind that is not
 * known here (exec, grpc) counts as passed.
 */
export function startProber(
  probe: Open,
  address: string,
  ports: readonly Open[],
  report: (passed: boolean) => void,
): Prober {
  const periodMs = probe.periodSeconds * 1000;
  const timeoutMs = probe.timeoutSeconds * 1000;
  let verdict: boolean | null = null;
  let streak = 0;
  let last: boolean | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const take = (passed: boolean) => {
    if (stopped) return;
    streak = passed === last ? streak + 1 : 1;
    last = passed;
    const needed = passed ? probe.successThreshold : probe.failureThreshold;
    if (streak >= needed && passed !== verdict) {
      verdict = passed;
      report(passed);
    }
    const pauseMs = verdict === true ? periodMs : Math.min(eagerPeriodMs, periodMs);
    timer = setTimeout(ask, pauseMs);
  };
  const ask = () => check(probe, address, ports, timeoutMs, take);
  timer = setTimeout(ask, (probe.initialDelaySeconds ?? 0) * 1000);
  return {
    stop: () => {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function check(
  probe: Open,
  address: string,
  ports: readonly Open[],
  timeoutMs: number,
  take: (passed: boolean) => void,
): void {
  const { tcpSocket, httpGet } = probe;
  if (tcpSocket !== undefined) {
    checkTcp(address, portNumber(tcpSocket.port, ports), timeoutMs, take);
  } else if (httpGet !== undefined) {
    const port = portNumber(httpGet.port, ports);
    checkHttp(address, port, httpGet.path ?? '/', timeoutMs, take);
  } else setImmediate(() => take(true));
}

/** A port by number, or by its name among the container's ports. */
export function portNumber(port: number | string, ports: readonly Open[]): number {
  if (typeof port === 'number') return port;
  return ports.find((one) => one.name === port)?.containerPort ?? Number(port);
}

function checkTcp(
  host: string,
  port: number,
  timeoutMs: number,
  take: (passed: boolean) => void,
): void {
  const socket = connect({ host, port });
  let done = false;
  const finish = (passed: boolean) => {
    if (done) return;
    done = true;
    socket.destroy();
    take(passed);
  };
  socket.setTimeout(timeoutMs, () => finish(false));
  socket.on('connect', () => finish(true));
  socket.on('error', () => finish(false));
}

function checkHttp(
  host: string,
  port: number,
  path: string,
  timeoutMs: number,
  take: (passed: boolean) => void,
): void {
  let done = false;
  const finish = (passed: boolean) => {
    if (done) return;
    done = true;
    request.destroy();
    take(passed);
  };
  const request = get({ host, port, path, timeout: timeoutMs, agent: false }, (response) => {
    const { statusCode = 0 } = response;
    finish(statusCode >= 200 && statusCode < 400);
  });
  request.on('timeout', () => finish(false));
  request.on('error', () => finish(false));
}
