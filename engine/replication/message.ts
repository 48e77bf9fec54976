/**
 * The messages of a pull session, as frames (log/frame.ts). docs/protocol.md draws each by byte.
 *
 *     kind  name         from     body (little-endian)
 *       10  HELLO        puller   JSON: who dials, for which database and slots
 *       11  REFUSED      either   JSON { code, message }; the link is closed after it
 *       12  CHALLENGE    server   JSON: who answers
 *       13  PROOF        puller   32 bytes HMAC
 *       14  PROOF_BACK   server   32 bytes HMAC
 *       20  RESUME       puller   u32 epoch · u8 mode (0 own, 1 all) · vector
 *       21  STREAM       server   u32 epoch · u8 mode
 *        1  BATCH        server   as in the log
 *       22  MARK         server   vector
 *       23  STATE_BEGIN  server   vector
 *        2  SLOT_STATE   server   as in an image
 *       24  STATE_END    server   vector
 *       25  ACK          puller   u32 epoch · f64 bytes consumed · vector
 *       26  HEARTBEAT    server   f64 wall ms · vector
 *       27  PUBLISH      server   u32 channel length · channel · message
 *     28 to 31, 34, 35  COMPARE and its kin, in compare-message.ts
 *       37  COMPRESSED, in compression.ts
 *       32, 33, 36  SLOT_DIGESTS and its kin, in digest-message.ts
 *
 * Every reader returns null, or the words for what is wrong, when the bytes are no such message.
 */

import type { Roster } from '../crdt/roster.ts';
import type { VersionVector } from '../crdt/version-vector.ts';
import { frameBody, frameJson, sealFrame, sealJson } from '../log/frame.ts';
import { decodeVector, encodeVector } from '../log/vector-bytes.ts';
import { FRAME_KIND } from '../op/op.ts';

export const PROTOCOL_VERSION = 1;

/** The member answers COMPARE and COMPARE_KEYS. */
export const COMPARE_FEATURE = 'compare';
/** The member can send, and wait for, digests of slots in a state. */
export const DIGESTS_FEATURE = 'digests';
/** The member answers SHOW_KEYS. */
export const REPAIR_FEATURE = 'repair';
/** The member can read COMPRESSED. */
export const ZSTD_FEATURE = 'zstd';
export const FEATURES: readonly string[] = [
  COMPARE_FEATURE,
  REPAIR_FEATURE,
  DIGESTS_FEATURE,
  ZSTD_FEATURE,
];

export const MESSAGE = {
  hello: 10,
  refused: 11,
  challenge: 12,
  proof: 13,
  proofBack: 14,
  resume: 20,
  stream: 21,
  batch: FRAME_KIND.batch,
  mark: 22,
  stateBegin: 23,
  slotState: FRAME_KIND.slotState,
  stateEnd: 24,
  ack: 25,
  heartbeat: 26,
  publish: 27,
  compare: 28,
  compared: 29,
  compareKeys: 30,
  keysCompared: 31,
  slotDigests: 32,
  slotsSame: 33,
  showKeys: 34,
  keysShown: 35,
  digestsAsked: 36,
  compressed: 37,
} as const;

/** own: ops born in the server's region, and the puller's own region's; all: everything. */
export type StreamMode = 'own' | 'all';

/** region: one primary pulls from another region; member: within a region. */
export type Purpose = 'region' | 'member';

/** Who is at an end of a session; the same in HELLO and CHALLENGE. */
export type Introduction = {
  readonly protocol: number;
  readonly database: string;
  /** "0-16383": the slots that all vectors of this session are about. */
  readonly slots: string;
  readonly region: string;
  readonly regionNumber: number;
  readonly member: string;
  /** Text form of the actor; names the incarnation. */
  readonly actor: string;
  readonly purpose: Purpose;
  /** 32 hex digits, fresh for each session. */
  readonly nonce: string;
  /** What the member can do beyond the protocol's version; absent: nothing. Unknown ones are ignored. */
  readonly features?: readonly string[];
};

export type Refusal = { readonly code: string; readonly message: string };

export function sealHello(introduction: Introduction): Uint8Array {
  return sealJson(MESSAGE.hello, introduction);
}

export function sealChallenge(introduction: Introduction): Uint8Array {
  return sealJson(MESSAGE.challenge, introduction);
}

export function sealRefused(refusal: Refusal): Uint8Array {
  return sealJson(MESSAGE.refused, refusal);
}

/** The introduction in a HELLO or CHALLENGE frame, or what is wrong with it. */
export function readIntroduction(frame: Uint8Array): Introduction | string {
  const value = frameJson(frame) as Introduction | undefined;
  if (typeof value !== 'object' || value === null) return 'an introduction that is no JSON';
  for (const name of ['database', 'slots', 'region', 'member', 'actor', 'nonce'] as const) {
    const text = value[name];
    if (typeof text !== 'string' || text.length === 0 || text.length > 512) {
      return `an introduction without a valid ${name}`;
    }
  }
  if (!Number.isInteger(value.protocol)) return 'an introduction without a protocol version';
  const number = value.regionNumber;
  if (!Number.isInteger(number) || number < 1 || number > 16) {
    return 'an introduction without a valid regionNumber';
  }
  if (value.purpose !== 'region' && value.purpose !== 'member') {
    return 'an introduction without a valid purpose';
  }
  const { features = [] } = value;
  const isList = Array.isArray(features) && features.length <= 32;
  if (!isList || features.some((name) => typeof name !== 'string' || name.length > 64)) {
    return 'an introduction whose features are no list of names';
  }
  return value;
}

export function readRefusal(frame: Uint8Array): Refusal {
  const value = frameJson(frame) as Partial<Refusal> | undefined;
  const clean = (text: unknown): string => String(text ?? '').slice(0, 500);
  return { code: clean(value?.code) || 'REFUSED', message: clean(value?.message) };
}

export function sealResume(
  epoch: number,
  mode: StreamMode,
  vector: VersionVector,
  roster: Roster,
): Uint8Array {
  return seal(MESSAGE.resume, 5, encodeVector(vector, roster), (view) => {
    view.setUint32(0, epoch, true);
    view.setUint8(4, mode === 'own' ? 0 : 1);
  });
}

export type Resume = {
  readonly epoch: number;
  readonly mode: StreamMode;
  readonly vector: VersionVector;
};

export function readResume(frame: Uint8Array, roster: Roster): Resume | string {
  const body = frameBody(frame);
  if (body.length < 5 || body[4] > 1) return 'a RESUME without epoch and mode';
  const vector = decodeVector(body, 5, roster);
  if (typeof vector === 'string') return vector;
  return { epoch: viewOf(body).getUint32(0, true), mode: body[4] === 0 ? 'own' : 'all', vector };
}

export function sealStream(epoch: number, mode: StreamMode): Uint8Array {
  return seal(MESSAGE.stream, 5, new Uint8Array(0), (view) => {
    view.setUint32(0, epoch, true);
    view.setUint8(4, mode === 'own' ? 0 : 1);
  });
}

export function readStream(frame: Uint8Array): { epoch: number; mode: StreamMode } | string {
  const body = frameBody(frame);
  if (body.length !== 5 || body[4] > 1) return 'a STREAM without epoch and mode';
  return { epoch: viewOf(body).getUint32(0, true), mode: body[4] === 0 ? 'own' : 'all' };
}

/** MARK, STATE_BEGIN and STATE_END: nothing but a vector. */
export function sealVector(kind: number, vector: VersionVector, roster: Roster): Uint8Array {
  return sealFrame(kind, encodeVector(vector, roster));
}

export function readVector(frame: Uint8Array, roster: Roster): VersionVector | string {
  return decodeVector(frameBody(frame), 0, roster);
}

export type Ack = {
  readonly epoch: number;
  /** Bytes of the stream that the puller has dealt with since STREAM. */
  readonly consumed: number;
  readonly vector: VersionVector;
};

export function sealAck(ack: Ack, roster: Roster): Uint8Array {
  return seal(MESSAGE.ack, 12, encodeVector(ack.vector, roster), (view) => {
    view.setUint32(0, ack.epoch, true);
    view.setFloat64(4, ack.consumed, true);
  });
}

export function readAck(frame: Uint8Array, roster: Roster): Ack | string {
  const body = frameBody(frame);
  if (body.length < 12) return 'an ACK cut short';
  const consumed = viewOf(body).getFloat64(4, true);
  if (!Number.isSafeInteger(consumed) || consumed < 0) return 'an ACK of no valid byte count';
  const vector = decodeVector(body, 12, roster);
  if (typeof vector === 'string') return vector;
  return { epoch: viewOf(body).getUint32(0, true), consumed, vector };
}

export function sealHeartbeat(wallMs: number, vector: VersionVector, roster: Roster): Uint8Array {
  return seal(MESSAGE.heartbeat, 8, encodeVector(vector, roster), (view) => {
    view.setFloat64(0, wallMs, true);
  });
}

export function readHeartbeat(
  frame: Uint8Array,
  roster: Roster,
): { wallMs: number; vector: VersionVector } | string {
  const body = frameBody(frame);
  if (body.length < 8) return 'a HEARTBEAT cut short';
  const vector = decodeVector(body, 8, roster);
  if (typeof vector === 'string') return vector;
  return { wallMs: viewOf(body).getFloat64(0, true), vector };
}

export function sealPublish(channel: Uint8Array, message: Uint8Array): Uint8Array {
  const rest = new Uint8Array(channel.length + message.length);
  rest.set(channel);
  rest.set(message, channel.length);
  return seal(MESSAGE.publish, 4, rest, (view) => view.setUint32(0, channel.length, true));
}

export function readPublish(
  frame: Uint8Array,
): { channel: Uint8Array; message: Uint8Array } | string {
  const body = frameBody(frame);
  if (body.length < 4) return 'a PUBLISH cut short';
  const length = viewOf(body).getUint32(0, true);
  if (4 + length > body.length) return 'a PUBLISH whose channel is cut short';
  return { channel: body.subarray(4, 4 + length), message: body.subarray(4 + length) };
}

/** A frame of `fixed` bytes that `fill` writes, then `rest`. */
function seal(
  kind: number,
  fixed: number,
  rest: Uint8Array,
  fill: (view: DataView) => void,
): Uint8Array {
  const body = new Uint8Array(fixed + rest.length);
  fill(new DataView(body.buffer));
  body.set(rest, fixed);
  return sealFrame(kind, body);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
