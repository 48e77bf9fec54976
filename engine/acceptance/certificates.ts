/**
 * Shell: the certificates of the tests as flags, as options of clients, and as files that can be renewed.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './processes.ts';

const testdata = join(import.meta.dirname, '../net/testdata');

export const certificateFile = (name: string) => join(testdata, name);

/** The flags for a certificate of testdata/; `prefix` is `tls` or `peer-tls`. */
export function tlsFlags(prefix: 'tls' | 'peer-tls', name: string): string[] {
  return [
    ...[`--${prefix}-cert`, certificateFile(`${name}.pem`)],
    ...[`--${prefix}-key`, certificateFile(`${name}.key`)],
    ...[`--${prefix}-ca`, certificateFile('ca.pem')],
  ];
}

/** Options for a client of node:tls; with a name it shows that certificate. */
export function clientTls(name: string | null = null) {
  const ca = readFileSync(certificateFile('ca.pem'));
  if (name === null) return { ca };
  const [cert, key] = ['pem', 'key'].map((end) => readFileSync(certificateFile(`${name}.${end}`)));
  return { ca, cert, key };
}

/** A copy of a certificate that `renew` replaces, as a renewal does; ended by `stopAll`. */
export function renewable(prefix: 'tls' | 'peer-tls', name: string) {
  const directory = temporaryDirectory();
  const put = (from: string) => {
    copyFileSync(certificateFile(`${from}.pem`), join(directory, 'tls.crt'));
    copyFileSync(certificateFile(`${from}.key`), join(directory, 'tls.key'));
  };
  put(name);
  const flags = [
    ...[`--${prefix}-cert`, join(directory, 'tls.crt')],
    ...[`--${prefix}-key`, join(directory, 'tls.key')],
    ...[`--${prefix}-ca`, certificateFile('ca.pem')],
  ];
  return { flags, renew: put };
}
