/** A map for tests: slots 0-8191 and 8192-16383, all members on loopback. */
import { type DatabaseMap, parseMap } from '../map/database-map.ts';

/** `ports`: of the two primaries; `replicaPort`: of a replica of the first, if there is one. */
export function twoShards(ports: readonly [number, number], replicaPort?: number): DatabaseMap {
  const member = (name: string, port: number) => ({
    name,
    host: '127.0.0.1',
    port,
    peerPort: port,
    zone: 'a',
  });
  const replicas = replicaPort === undefined ? [] : [member('carts-0-1', replicaPort)];
  const result = parseMap(
    JSON.stringify({
      version: 1,
      database: 'shop/carts',
      region: 'eu',
      regionNumber: 1,
      shards: [
        {
          slots: '0-8191',
          epoch: 1,
          primary: 'carts-0-0',
          members: [member('carts-0-0', ports[0]), ...replicas],
        },
        {
          slots: '8192-16383',
          epoch: 1,
          primary: 'carts-1-0',
          members: [member('carts-1-0', ports[1])],
        },
      ],
      regions: [],
    }),
  );
  if ('errors' in result) throw new Error(JSON.stringify(result.errors));
  return result.map;
}
