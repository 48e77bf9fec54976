/** What a member's flags say about its settings: where CONFIG GET and SET begin. */
import type { ConfigStart } from '../command/config-store.ts';
import type { Config } from '../config.ts';

export function settingsOf(config: Config): ConfigStart {
  return {
    requirepass: config.requirepass ?? '',
    maxMemoryBytes: config.maxMemoryBytes,
    maxMemoryPolicy: config.maxMemoryPolicy,
    port: config.port ?? 0,
    tlsPort: config.tlsPort ?? 0,
    bind: config.bind,
    dir: config.dir ?? '',
    fsync: config.fsync,
  };
}
