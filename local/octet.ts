/**
 * Shell: which 127.<octet>.* a cluster may have. Several runtimes may run on one machine (the demo
 * beside tests), so each claims its ranges by listening on a port in them; the claim ends with the
 * process, however it ends.
 */
import { createServer, type Server } from 'node:net';

const firstOctet = 16;
const lastOctet = 250;
const claimPort = 46_999;

export interface Claim {
  readonly octet: number;
  release(): Promise<void>;
}

/** Claims `count` ranges, the lowest that are free. */
export async function claimOctets(count: number): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (let octet = firstOctet; octet <= lastOctet && claims.length < count; octet += 1) {
    const server = await tryListen(`127.${octet}.255.254`);
    if (server === null) continue;
    claims.push({ octet, release: () => new Promise((resolve) => server.close(() => resolve())) });
  }
  if (claims.length === count) return claims;
  await Promise.all(claims.map((claim) => claim.release()));
  throw new Error(
    `cannot get ${count} address ranges in 127.${firstOctet}.0.0 to 127.${lastOctet}.0.0; ` +
      'addresses of the whole of 127.0.0.0/8 must be usable, as they are on Linux',
  );
}

function tryListen(host: string): Promise<Server | null> {
  const server = createServer().unref();
  return new Promise((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(claimPort, host, () => resolve(server));
  });
}
