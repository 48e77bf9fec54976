/**
 * Shell: as much of an engine as a probe talks to, for tests: PING, AUTH, CRDT.STATUS and CRDT.MAP
 * on an address of the loopback.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { MEMBER_PORT } from '../specs/names.ts';

export class FakeEngine {
  report: Record<string, unknown>;
  readonly maps: { version: number }[] = [];
  readonly commands: string[] = [];
  /** While true it takes commands and says nothing, as a stopped process does. */
  silent = false;
  password: string | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private readonly host: string;

  constructor(host: string, report: Record<string, unknown>) {
    this.host = host;
    this.report = report;
    this.server = createServer((socket) => this.accept(socket));
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(MEMBER_PORT, this.host, resolve);
    });
  }

  /** As SIGKILL: connections are reset and nothing listens any more. */
  kill(): Promise<void> {
    for (const socket of this.sockets) socket.resetAndDestroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    let known = this.password === null;
    let text = '';
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      for (;;) {
        const args = takeCommand(text);
        if (args === null) return;
        text = args.rest;
        this.commands.push(args.values.slice(0, 2).join(' '));
        if (this.silent) continue;
        if (args.values[0] === 'AUTH') known = args.values[1] === this.password;
        socket.write(known ? this.answer(args.values) : '-NOAUTH Authentication required.\r\n');
      }
    });
  }

  private answer([name, sub, document]: string[]): string {
    if (name === 'CRDT.STATUS') {
      const json = JSON.stringify(this.report);
      return `$${Buffer.byteLength(json)}\r\n${json}\r\n`;
    }
    if (name === 'CRDT.MAP' && sub === 'SET') {
      const map = JSON.parse(document) as { version: number };
      this.maps.push(map);
      this.report = { ...this.report, mapVersion: map.version };
    }
    return '+OK\r\n';
  }
}

function takeCommand(text: string): { values: string[]; rest: string } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  let at = head[0].length;
  const values: string[] = [];
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return null;
    at += size[0].length;
    const end = at + Number(size[1]);
    if (text.length < end + 2) return null;
    values.push(text.slice(at, end));
    at = end + 2;
  }
  return { values, rest: text.slice(at) };
}
