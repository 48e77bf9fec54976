/**
 * Mutual TLS 1.3 between peers, as members and proxies use it: both sides show a certificate that the
 * CA of peers has signed, and its URI names decide (replication/peer-certificate.ts).
 */
import type { TlsFiles } from '../config.ts';
import type { Journal } from '../env.ts';
import { journalRefused } from '../net/refused.ts';
import type { PeerCertificate, Refused, TlsPolicy } from '../net/tls.ts';
import { TlsSource } from '../net/tls-files.ts';
import { sealRefused } from '../replication/message.ts';
import { certifiedRegions, refuseCertificate } from '../replication/peer-certificate.ts';

export type PeerTls = {
  readonly accept: TlsPolicy;
  /** For a link to this region. */
  dial(region: string): TlsPolicy;
  readonly refused: Refused;
  /** The regions that whoever connected may speak for. */
  certified(certificate: PeerCertificate | null): readonly string[];
  close(): void;
};

/** null when the peers' files are not given: then links are plain. Throws when they are no good. */
export function openPeerTls(
  files: TlsFiles | null,
  database: string,
  journal: Journal,
): PeerTls | null {
  if (files === null) return null;
  const source = new TlsSource(files, journal);
  const policy = (region: string | null): TlsPolicy => ({
    material: source.material,
    minVersion: 'TLSv1.3',
    certificate: 'required',
    accept: (certificate) => refuseCertificate(certificate, database, region),
    farewell: (reason) => sealRefused({ code: 'CERTIFICATE', message: reason }),
  });
  return {
    accept: policy(null),
    dial: policy,
    refused: journalRefused(journal, 'a peer was refused by TLS'),
    certified: (certificate) =>
      certificate === null ? [] : certifiedRegions(certificate, database),
    close: () => source.close(),
  };
}
