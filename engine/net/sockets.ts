/**
 * Shell: the sockets of the runtime that this process runs in.
 */
import { bunSockets } from './bun-sockets.ts';
import type { Sockets } from './connection.ts';
import { nodeSockets } from './node-sockets.ts';

const runtimeSockets = 'Bun' in globalThis ? bunSockets : nodeSockets;

const CURES: Record<string, string> = {
  EADDRINUSE: 'another process has this port; end it or take another one',
  EADDRNOTAVAIL: 'this machine does not have that address; give one that it has to --bind',
  EACCES: 'this user may not open it; take a port from 1024 on',
};

/** `Bun.listen` under Bun, `node:net` under Node. Errors of `listen` say where and what to do. */
export const sockets: Sockets = {
  ...runtimeSockets,
  async listen(options) {
    try {
      return await runtimeSockets.listen(options);
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      const cure = CURES[code] ?? message;
      const where = `${options.host}:${options.port}`;
      throw Object.assign(new Error(`cannot listen on ${where}: ${cure}`, { cause: error }), {
        code,
      });
    }
  },
};
