/**
 * Shell: the ports on which clients are served, plain and TLS; members and proxies alike.
 */
import type { TlsAuthClients, TlsFiles } from '../config.ts';
import type { Journal } from '../env.ts';
import type { Connection, Listener, Sockets } from './connection.ts';
import { journalRefused } from './refused.ts';
import type { TlsPolicy } from './tls.ts';
import { TlsSource } from './tls-files.ts';

export type ClientPortOptions = {
  readonly bind: string;
  /** null: no plain port. 0: any. */
  readonly port: number | null;
  /** null or absent: no TLS port. 0: any. */
  readonly tlsPort?: number | null;
  readonly tls?: TlsFiles | null;
  readonly tlsAuthClients?: TlsAuthClients;
};

export type ClientPorts = {
  /** The ports really bound; 0: none. */
  readonly port: number;
  readonly tlsPort: number;
  /** Accepts no more clients. */
  close(): void;
};

/** What a client hears before anything that it sends is looked at. */
export const clientPortErrorCatalogue = {
  certificate: {
    text: 'NOPERM TLS client certificate refused: %s',
    meaning:
      'The connection is closed. Show a certificate that --tls-ca has signed and that is in time; ' +
      'with --tls-auth-clients optional, none will do.',
  },
} as const;

const certificates = { no: 'no', optional: 'optional', yes: 'required' } as const;

/** Binds the ports that are asked for, or none and throws. */
export async function listenToClients(
  sockets: Sockets,
  options: ClientPortOptions,
  journal: Journal,
  onConnection: (connection: Connection) => void,
): Promise<ClientPorts> {
  const { bind: host, port, tlsPort = null, tls = null, tlsAuthClients = 'no' } = options;
  const plain = port === null ? null : await sockets.listen({ host, port, onConnection });
  let source: TlsSource | null = null;
  let secure: Listener | null = null;
  const close = () => {
    plain?.close();
    secure?.close();
    source?.close();
  };
  try {
    if (tlsPort !== null && tls !== null) {
      source = new TlsSource(tls, journal);
      const policy: TlsPolicy = {
        material: source.material,
        minVersion: 'TLSv1.2',
        certificate: certificates[tlsAuthClients],
        farewell: (reason) => {
          const words = clientPortErrorCatalogue.certificate.text.replace('%s', () => reason);
          return Buffer.from(`-${words.replace(/[\r\n]/g, ' ')}\r\n`);
        },
      };
      const onRefused = journalRefused(journal, 'a client was refused by TLS');
      secure = await sockets.listen({ host, port: tlsPort, onConnection, tls: policy, onRefused });
    }
  } catch (error) {
    close();
    throw error;
  }
  return { port: plain?.port ?? 0, tlsPort: secure?.port ?? 0, close };
}

/** The same sockets, which dial by TLS and ask for a certificate that the CA has signed. */
export function dialingByTls(sockets: Sockets, source: TlsSource): Sockets {
  const tls: TlsPolicy = {
    material: source.material,
    minVersion: 'TLSv1.2',
    certificate: 'required',
  };
  return {
    runtime: sockets.runtime,
    listen: (options) => sockets.listen(options),
    connect: (options) => sockets.connect({ ...options, tls }),
  };
}
