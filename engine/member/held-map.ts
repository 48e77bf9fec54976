/** The map that this member was given last: checked, and never replaced by an older one. */

import type { MapRefusal } from '../command/context.ts';
import type { Config } from '../config.ts';
import { type DatabaseMap, parseMap } from '../map/database-map.ts';

export class HeldMap {
  map: DatabaseMap | null = null;
  json: string | null = null;
  private readonly config: Config;

  constructor(config: Config) {
    this.config = config;
  }

  get version(): number {
    return this.map?.version ?? 0;
  }

  /** Takes a map. `taken`: it is new; `same`: it is the one that is held; else why it was refused. */
  offer(json: string): 'taken' | 'same' | MapRefusal {
    const result = parseMap(json);
    if ('errors' in result) {
      const list = result.errors.map(({ path, rule }) => (path === '' ? rule : `${path}: ${rule}`));
      return { kind: 'invalid', reason: list.join('; ') };
    }
    const { map } = result;
    for (const name of ['database', 'region', 'regionNumber'] as const) {
      if (map[name] === this.config[name]) continue;
      return { kind: 'invalid', reason: `${name}: must be ${this.config[name]}, as started` };
    }
    const held = this.map?.version ?? -1;
    if (map.version < held) return { kind: 'stale', held, given: map.version };
    if (map.version === held) {
      const isSame = JSON.stringify(map) === JSON.stringify(this.map);
      return isSame ? 'same' : { kind: 'stale', held, given: map.version };
    }
    this.map = map;
    this.json = json;
    return 'taken';
  }
}
