/**
 * Who a peer's certificate says that it is. A certificate for peers carries a URI name for each
 * database and region that its holder may speak for:
 *
 *     meridian://shop/carts/region/eu        meridian://DATABASE/region/REGION
 *
 * DATABASE is what --database says, its parts between slashes percent-encoded as in any URI. The
 * rules, for a member or proxy of region R of database D:
 *
 *     1. Who dials region S wants a certificate for S of D.
 *     2. Who is dialled wants one for any region of D,
 *     3. and a HELLO from that region. To a managed member a certificate for R itself may bring the
 *        HELLO of another region: its own proxies pass links on, and have looked at who comes.
 */

type Named = { readonly subject: string; readonly uris: readonly string[] };

/** The URI name for a region of a database. */
export function peerUri(database: string, region: string): string {
  return `${uriOf(database)}/region/${encodeURIComponent(region)}`;
}

/** The regions of this database that the certificate may speak for. */
export function certifiedRegions(certificate: Named, database: string): string[] {
  const prefix = `${uriOf(database)}/region/`;
  return certificate.uris.flatMap((uri) => {
    const rest = uri.startsWith(prefix) ? uri.slice(prefix.length) : '';
    const region = rest === '' || rest.includes('/') ? null : decoded(rest);
    return region === null ? [] : [region];
  });
}

/** Rules 1 and 2: what is wrong with a certificate, or null. `region` null: any will do. */
export function refuseCertificate(
  certificate: Named,
  database: string,
  region: string | null,
): string | null {
  const regions = certifiedRegions(certificate, database);
  if (region === null ? regions.length > 0 : regions.includes(region)) return null;
  const wanted = peerUri(database, region ?? 'REGION');
  const names = certificate.uris.length === 0 ? 'no URI name' : certificate.uris.join(', ');
  return `the certificate "${certificate.subject}" has ${names}; it needs ${wanted}`;
}

/** Rule 3: what is wrong with a HELLO of `region`, or null. `proxied`: R, behind proxies; else null. */
export function refuseHello(
  certified: readonly string[],
  region: string,
  proxied: string | null,
): string | null {
  if (certified.includes(region)) return null;
  if (proxied !== null && certified.includes(proxied)) return null;
  return `the certificate is for region ${certified.join(', ')}, but HELLO says ${region}`;
}

function uriOf(database: string): string {
  return `meridian://${database.split('/').map(encodeURIComponent).join('/')}`;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
