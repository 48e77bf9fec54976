/**
 * Shell: writes many commands to a server over one connection as fast as it takes them, as
 * `redis-cli --pipe` does, but from a generator. Every reply must be one line or a bulk string
 * without `$`, and no error.
 */
import { connect } from 'node:net';

const windowMax = 20_000;
const chunkCommands = 500;
const newline = 0x0a;
const DASH = 0x2d;
const NINE = 0x39;

/** A command as RESP. */
export function resp(...parts: readonly (string | number)[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += `$${Buffer.byteLength(`${part}`)}\r\n${part}\r\n`;
  return text;
}

/** Sends `command(0)` … `command(count - 1)`; resolves with the seconds until all were answered. */
export function pipe(
  port: number,
  count: number,
  command: (number: number) => string,
): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    let lines = 0;
    let bulks = 0;
    const socket = connect(port, '127.0.0.1');
    const send = () => {
      while (sent < count && sent - answered < windowMax) {
        let text = '';
        for (let n = 0; n < chunkCommands && sent < count; n++) text += command(sent++);
        if (!socket.write(text)) return;
      }
    };
    socket.on('drain', send);
    socket.once('connect', send);
    socket.on('data', (chunk) => {
      // Bulk strings have a line for their length besides.
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) lines++;
      for (let at = chunk.indexOf('$'); at >= 0; at = chunk.indexOf('$', at + 1)) bulks++;
      answered = lines - bulks;
      if ((chunk[0] === DASH && chunk[1] > NINE) || chunk.includes('\n-')) {
        reject(new Error(`a command was refused: ${chunk.toString().slice(0, 200)}`));
        socket.destroy();
      } else if (answered >= count) {
        socket.end();
        resolve((performance.now() - began) / 1000);
      } else send();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
}
