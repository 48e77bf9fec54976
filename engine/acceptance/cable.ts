/**
 * Shell: a cable between two peers for the acceptance tests and the bench: a TCP relay that counts
 * what it carries and can be cut. The engines know nothing of it: one dials the cable's port, the
 * other is dialled by it.
 *
 * A cut breaks what is connected and refuses what comes, until the cable is mended. Bytes that one
 * end had not read yet are lost with it, as they are in a network.
 */
import { connect, createServer, type Socket } from 'node:net';

export type Cable = {
  readonly port: number;
  /** Bytes that went to the one who dialled (data), and from it (confirmations), since the last reset. */
  readonly carried: { toDialler: number; fromDialler: number };
  cut(): void;
  mend(): void;
  /** Starts counting anew. */
  reset(): void;
  close(): Promise<void>;
};

/** A cable whose far end is 127.0.0.1:`target`; nobody needs to listen there yet. */
export function layCable(target: number): Promise<Cable> {
  const carried = { toDialler: 0, fromDialler: 0 };
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((dialler) => {
    if (isCut) {
      dialler.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [dialler, far],
      [far, dialler],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    dialler.on('data', (chunk) => {
      carried.fromDialler += chunk.length;
    });
    far.on('data', (chunk) => {
      carried.toDialler += chunk.length;
    });
    dialler.pipe(far);
    far.pipe(dialler);
  });
  const breakAll = () => {
    for (const socket of [...open]) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        carried,
        cut: () => {
          isCut = true;
          breakAll();
        },
        mend: () => {
          isCut = false;
        },
        reset: () => {
          carried.toDialler = 0;
          carried.fromDialler = 0;
        },
        close: () => {
          breakAll();
          return new Promise((done) => server.close(() => done()));
        },
      });
    });
  });
}
