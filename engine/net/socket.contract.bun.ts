/**
 * Shell: plays the contract of sockets inside Bun and prints one JSON line per case, for the test
 * that started this process.
 */

import { playCase, socketContract } from './socket.contract.ts';
import { sockets } from './sockets.ts';

const write = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

write({ runtime: sockets.runtime });
for (const name of Object.keys(socketContract)) {
  const error = await playCase(name, sockets).then(
    () => null,
    (e: Error) => String(e.stack ?? e),
  );
  write({ name, error });
}
process.exit(0);
