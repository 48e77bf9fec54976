/** Shell: the keys of the live view. */
import type { Regions } from '../regions.ts';
import { heal, kill } from './action.ts';

export interface Keys {
  selected: string;
  stop(): void;
}

/** Reads keys from the terminal; `done` is told what each one did, `quit` that the user wants out. */
export function startKeys(world: Regions, done: (what: string) => void, quit: () => void): Keys {
  const names = [...world.clientPorts.keys()];
  const keys: Keys = { selected: names[0], stop: () => {} };
  let shard = -1;
  const target = () => {
    // Shards take turns, so that pressing the key again hits another primary.
    shard = (shard + 1) % world.shardCount(keys.selected);
    return world.primary(keys.selected, shard);
  };
  const act = async (key: string): Promise<string> => {
    const region = keys.selected;
    switch (key) {
      case 'p': {
        target();
        return kill(world, { region, shard });
      }
      case 'n':
        return kill(world, { region, node: world.nodeOf(region, target()) });
      case 'z': {
        const zone = world.zoneOf(region, world.nodeOf(region, target()));
        return kill(world, { region, zone });
      }
      case 'c':
        return kill(world, { region, cut: true });
      case 'h':
        return heal(world, undefined);
      default:
        return '';
    }
  };
  const onData = (data: Buffer) => {
    for (const key of data.toString()) {
      const index = Number(key) - 1;
      // In raw mode Ctrl-C comes as a character.
      if (key === 'q' || key === '\u0003') quit();
      else if (names[index] !== undefined) keys.selected = names[index];
      else act(key).then(done, (error: Error) => done(error.message));
    }
  };
  process.stdin.setRawMode(true);
  process.stdin.resume();
  process.stdin.on('data', onData);
  keys.stop = () => {
    process.stdin.off('data', onData);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  };
  return keys;
}
