/**
 * Shell: the sockets of the runtime that this process runs in.
 */
import { bunSockets } from './bun-sockets.ts';
import type { Sockets } from './connection.ts';
import { nodeSockets } from './node-sockets.ts';

/** `Bun.listen` under Bun, `node:net` under Node. */
export const sockets: Sockets = 'Bun' in globalThis ? bunSockets : nodeSockets;
