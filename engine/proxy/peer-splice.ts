/**
 * Shell: the proxy's door for other regions. A peer link begins with a HELLO frame that names the
 * database and the slots it is about; the proxy dials the primary of exactly these slots and then
 * passes bytes both ways, HELLO included. It does not read the rest.
 *
 *     first frame   u32 length | u32 crc32 | u8 kind = 10 | JSON {"database": …, "slots": …, …}
 *     on refusal    the same with kind = 11 and {"error": "…"}, then the connection is closed
 *
 * With certificates both links are mutual TLS: the proxy opens what the peer sends and closes it again
 * for the member. So it must see to it that the HELLO is from the region that the peer's certificate
 * names; the member trusts it in that, for it shows a certificate of the member's own region.
 *
 * When the primary of a shard changes, its links are closed: peers dial again and meet the new one.
 */
import { crc32 } from 'node:zlib';
import type { Journal } from '../env.ts';
import { sealJson } from '../log/frame.ts';
import { type DatabaseMap, type MapMember, primaryOf } from '../map/database-map.ts';
import type { PeerTls } from '../member/peer-tls.ts';
import type { Connection, Listener, Sockets } from '../net/connection.ts';
import { refuseHello } from '../replication/peer-certificate.ts';

const HEADER_BYTES = 8;
const HELLO = 10;
const REFUSED = 11;
const HELLO_BYTES_MAX = 64 * 1024;
const HELLO_TIMEOUT_MS = 5000;
const LINKS_MAX = 1024;

type Splice = { readonly slots: string; readonly to: MapMember; end(): void };

export type SplicerOptions = {
  /** The region of this proxy. */
  readonly region: string;
  /** null: plain links. */
  readonly tls: PeerTls | null;
  readonly journal: Journal;
};

export class PeerSplicer {
  private readonly sockets: Sockets;
  private readonly options: SplicerOptions;
  private map: DatabaseMap | null = null;
  private readonly splices = new Set<Splice>();
  private readonly waiting = new Set<Connection>();
  private listener: Listener | null = null;
  private lastRefusal = '';

  constructor(sockets: Sockets, options: SplicerOptions) {
    this.sockets = sockets;
    this.options = options;
  }

  /** Links passed on now. */
  get count(): number {
    return this.splices.size;
  }

  /** Resolves with the port bound. */
  async listen(host: string, port: number): Promise<number> {
    this.listener = await this.sockets.listen({
      host,
      port,
      onConnection: (peer) => this.accept(peer),
      tls: this.options.tls?.accept,
      onRefused: this.options.tls?.refused,
    });
    return this.listener.port;
  }

  setMap(map: DatabaseMap): void {
    this.map = map;
    for (const splice of [...this.splices]) {
      const shard = map.shards.find((s) => s.slots === splice.slots);
      const now = shard === undefined ? null : primaryOf(shard);
      const { name, host, peerPort } = splice.to;
      if (now?.name !== name || now.host !== host || now.peerPort !== peerPort) splice.end();
    }
  }

  close(): void {
    this.listener?.close();
    for (const peer of this.waiting) peer.destroy();
    for (const splice of [...this.splices]) splice.end();
  }

  private accept(peer: Connection): void {
    if (this.waiting.size + this.splices.size >= LINKS_MAX) {
      this.refuse(peer, 'too many peer links');
      return;
    }
    let received = Buffer.alloc(0);
    this.waiting.add(peer);
    const timer = setTimeout(() => this.refuse(peer, 'no HELLO within 5 s'), HELLO_TIMEOUT_MS);
    const over = () => {
      clearTimeout(timer);
      this.waiting.delete(peer);
    };
    peer.onClose = over;
    peer.onEnd = () => peer.destroy();
    peer.onData = (chunk) => {
      received = Buffer.concat([received, chunk]);
      const hello = readHello(received);
      if (hello === null) return;
      over();
      const to = 'error' in hello ? hello.error : this.target(hello.fields, peer);
      if (typeof to === 'string') this.refuse(peer, to);
      else void this.splice(peer, received, String((hello as Hello).fields.slots), to);
    };
  }

  /** The member to connect to, or why there is none. */
  private target(fields: Record<string, unknown>, peer: Connection): MapMember | string {
    const { map } = this;
    const { tls } = this.options;
    if (tls !== null) {
      const certified = tls.certified(peer.certificate);
      const refusal = refuseHello(certified, String(fields.region).slice(0, 200), null);
      if (refusal !== null) return refusal;
    }
    if (map === null) return 'this proxy waits for its map';
    if (fields.database !== map.database) {
      return `this is the database ${map.database}, not ${String(fields.database).slice(0, 200)}`;
    }
    const shard = map.shards.find((s) => s.slots === fields.slots);
    if (shard === undefined) {
      const all = map.shards.map((s) => s.slots).join(', ');
      return `no shard has the slots ${String(fields.slots).slice(0, 200)}; there are ${all}`;
    }
    return primaryOf(shard) ?? `the shard of the slots ${shard.slots} has no primary now`;
  }

  private async splice(
    peer: Connection,
    first: Buffer,
    slots: string,
    to: MapMember,
  ): Promise<void> {
    // Nothing more is read until the member is there, so nothing has to be kept.
    peer.pause();
    let more: Uint8Array[] = [];
    peer.onData = (chunk) => more.push(chunk);
    const member = await this.sockets
      .connect({
        ...{ host: to.host, port: to.peerPort, timeoutMs: 2000 },
        tls: this.options.tls?.dial(this.options.region),
      })
      .catch(({ message }: Error) => ({ failed: message }));
    if ('failed' in member) {
      const why = this.options.tls === null ? '' : `: ${member.failed}`;
      this.refuse(peer, `the primary ${to.name} cannot be reached${why}`);
      return;
    }
    if (peer.closed) {
      member.destroy();
      return;
    }
    const splice: Splice = {
      slots,
      to,
      end: () => {
        this.splices.delete(splice);
        peer.close();
        member.close();
      },
    };
    this.splices.add(splice);
    pass(peer, member, splice.end);
    pass(member, peer, splice.end);
    for (const bytes of [first, ...more]) member.write(bytes);
    more = [];
    peer.resume();
  }

  private refuse(peer: Connection, error: string): void {
    this.waiting.delete(peer);
    const { journal, tls } = this.options;
    // Who has a certificate of ours is worth a line; anybody else could fill the journal.
    const isNews = tls !== null && error !== this.lastRefusal;
    this.lastRefusal = error;
    const fields = { from: peer.remoteAddress, reason: error };
    journal[isNews ? 'warn' : 'debug'](fields, 'a peer link was refused');
    peer.write(sealJson(REFUSED, { code: 'REFUSED', message: error, error }));
    peer.close();
  }
}

/** Passes on what comes from one side; what the other cannot take yet stops the reading. */
function pass(from: Connection, to: Connection, end: () => void): void {
  from.onData = (chunk) => {
    if (!to.write(chunk)) from.pause();
  };
  to.onDrain = () => from.resume();
  from.onEnd = end;
  from.onClose = end;
}

/** What a REFUSED says. */
function wordsOf(fields: unknown): string {
  const { message } = Object(fields) as { message?: unknown };
  return String(message).slice(0, 500);
}

type Hello = { readonly fields: Record<string, unknown> };

/** The first frame; null: not all there yet. */
function readHello(bytes: Buffer): Hello | { readonly error: string } | null {
  if (bytes.length >= 1 && bytes.length < HEADER_BYTES + 1) return null;
  const length = bytes.readUInt32LE(0);
  if (length < 1 || length > HELLO_BYTES_MAX) return { error: 'the first frame is no HELLO' };
  const end = HEADER_BYTES + length;
  const kind = bytes[HEADER_BYTES];
  if (kind !== HELLO && kind !== REFUSED) return { error: 'the first frame is no HELLO' };
  if (bytes.length < end) return null;
  const body = bytes.subarray(HEADER_BYTES, end);
  if (crc32(body) !== bytes.readUInt32LE(4)) return { error: 'a HELLO whose crc does not match' };
  try {
    const fields: unknown = JSON.parse(body.utf8Slice(1));
    if (kind === REFUSED) return { error: `the peer does not want this proxy: ${wordsOf(fields)}` };
    if (typeof fields === 'object' && fields !== null) return { fields: { ...fields } };
  } catch {
    // Answered below, as any other body that is no JSON object.
  }
  return { error: 'a HELLO whose body is no JSON object' };
}
