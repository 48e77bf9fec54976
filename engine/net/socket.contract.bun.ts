/**
 * Shell: plays the contract of sockets inside Bun and prints one JSON line per case, for the test
 * that started this process.
 */

import { type Carrier, playCase, socketContract } from './socket.contract.ts';
import { sockets } from './sockets.ts';
import { playTlsCase, tlsContract } from './tls.contract.ts';

const write = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function play(title: string, run: () => Promise<void>): Promise<void> {
  const error = await run().then(
    () => null,
    (e: Error) => String(e.stack ?? e),
  );
  write({ title, error });
}

write({ runtime: sockets.runtime });
for (const carrier of ['plain', 'tls'] as Carrier[]) {
  for (const name of Object.keys(socketContract)) {
    await play(`${carrier}: ${name}`, () => playCase(name, sockets, carrier));
  }
}
for (const name of Object.keys(tlsContract)) {
  await play(`tls only: ${name}`, () => playTlsCase(name, sockets));
}
process.exit(0);
