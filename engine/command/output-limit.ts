/** client-output-buffer-limit: `normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60`. */
import type { OutputLimit } from './client-limits.ts';
import type { Setting } from './config-store.ts';
import { parseMemory } from './setting-kinds.ts';

export type OutputClass = 'normal' | 'slave' | 'pubsub';

const classes: Readonly<Record<string, OutputClass>> = {
  normal: 'normal',
  slave: 'slave',
  replica: 'slave',
  pubsub: 'pubsub',
};

/** The setting over `limits`; classes that a value does not name stay as they are. */
export function outputLimitSetting(limits: Record<OutputClass, OutputLimit>): Setting {
  return {
    name: 'client-output-buffer-limit',
    get: () =>
      (['normal', 'slave', 'pubsub'] as const)
        .map((name) => {
          const { hardBytes, softBytes, softSeconds } = limits[name];
          return `${name} ${hardBytes} ${softBytes} ${softSeconds}`;
        })
        .join(' '),
    set: (value) => {
      const words = value.split(' ').filter((word) => word !== '');
      if (words.length % 4 !== 0) return 'Wrong number of arguments in buffer limit configuration.';
      const changed = new Map<OutputClass, OutputLimit>();
      for (let i = 0; i < words.length; i += 4) {
        const name = classes[words[i].toLowerCase()];
        if (name === undefined)
          return 'Invalid client class specified in buffer limit configuration.';
        const [hardBytes, softBytes] = [parseMemory(words[i + 1]), parseMemory(words[i + 2])];
        if (hardBytes === null || softBytes === null || !/^\d{1,10}$/.test(words[i + 3])) {
          return 'Error in hard, soft or soft_seconds setting in buffer limit configuration.';
        }
        changed.set(name, { hardBytes, softBytes, softSeconds: Number(words[i + 3]) });
      }
      for (const [name, limit] of changed) limits[name] = limit;
      return null;
    },
  };
}
