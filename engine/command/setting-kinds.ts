/** Kinds of settings, with Redis' words for values that do not fit. */
import type { Setting } from './config-store.ts';

const MEMORY = /^(\d+)(b|k|kb|m|mb|g|gb)?$/i;
const UNIT: Readonly<Record<string, number>> = {
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** Where the value of a setting lives. */
export type Place<T> = { readonly get: () => T; readonly set: (value: T) => void };

/** `100mb` in bytes by Redis' units; null when it is none. */
export function parseMemory(text: string): number | null {
  const match = MEMORY.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * UNIT[(match[2] ?? 'b').toLowerCase()];
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes from `min` to `max`. */
export function memorySetting(
  name: string,
  min: bigint,
  max: bigint,
  place: Place<number>,
): Setting {
  return {
    name,
    get: () => String(place.get()),
    set: (value) => {
      const bytes = parseMemory(value);
      if (bytes === null) return 'argument must be a memory value';
      if (bytes < min || bytes > max) return `argument must be between ${min} and ${max} inclusive`;
      place.set(bytes);
      return null;
    },
  };
}

/** A whole number from `min` to `max`. */
export function numberSetting(
  name: string,
  min: number,
  max: number | bigint,
  place: Place<number>,
): Setting {
  return {
    name,
    get: () => String(place.get()),
    set: (value) => {
      if (!/^-?\d{1,18}$/.test(value)) return "argument couldn't be parsed into an integer";
      const number = Number(value);
      if (number < min || number > max)
        return `argument must be between ${min} and ${max} inclusive`;
      place.set(number);
      return null;
    },
  };
}

/** yes or no. */
export function switchSetting(name: string, place: Place<boolean>): Setting {
  return {
    name,
    get: () => (place.get() ? 'yes' : 'no'),
    set: (value) => {
      if (!/^(yes|no)$/i.test(value)) return "argument must be 'yes' or 'no'";
      place.set(value.toLowerCase() === 'yes');
      return null;
    },
  };
}
