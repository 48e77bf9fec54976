/** What the demo consists of: names, zones and ports. */
import type { RegionSetup } from '../regions.ts';

export const controlPort = 7000;

export const regions: readonly RegionSetup[] = ['eu', 'us', 'ap'].map((name, index) => ({
  name,
  zones: ['a', 'b', 'c'].map((letter) => `${name}-${letter}`),
  clientPort: 7001 + index,
  peerPort: 7101 + index,
}));

/** Every port of the demo with what it is for. */
export const ports: readonly { port: number; use: string }[] = [
  { port: controlPort, use: 'commands to the demo' },
  ...regions.map(({ name, clientPort }) => ({ port: clientPort, use: `clients of ${name}` })),
  ...regions.map(({ name, peerPort }) => ({ port: peerPort, use: `peers of ${name}` })),
];

/** The line that says that everything is up; scripts wait for it. */
export const readyLine = `ready: ${regions
  .map(({ name, clientPort }) => `${name} 127.0.0.1:${clientPort}`)
  .join(', ')}`;
