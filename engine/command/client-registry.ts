import type { ClientSession } from './session.ts';

/** All sessions of the process, by id. */
export class ClientRegistry {
  readonly sessions = new Map<number, ClientSession>();
}
