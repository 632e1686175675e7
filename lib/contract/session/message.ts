import { createHash, randomUUID } from 'node:crypto';

/*
 * A binary message of Session Manager's data channel, as client and agent exchange it. All numbers big-endian:
 *
 *   0  header length (116)   40  created, ms    64  message id, 16 bytes     112  payload type
 *   4  type, 32 bytes        48  sequence       80  SHA-256 of the payload   116  payload length, then the payload
 *  36  schema version        56  flags
 *
 * Source: the published clients, aws/session-manager-plugin (src/message) and aws/amazon-ssm-agent (agent/session/contracts).
 */

export const MESSAGE_TYPES = {
  input: 'input_stream_data',
  output: 'output_stream_data',
  acknowledge: 'acknowledge',
  closed: 'channel_closed',
  start: 'start_publication',
  pause: 'pause_publication',
} as const;

/** What the payload of a stream message is. */
export const PAYLOADS = { data: 1, size: 3, handshakeRequest: 5, handshakeResponse: 6, handshakeComplete: 7, flag: 10 } as const;

export interface SessionMessage {
  readonly type: string;
  readonly sequence: number;
  readonly flags: number;
  /** UUID in its usual spelling. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly payloadType: number;
  readonly payload: Uint8Array;
}

const HEADER = 116;
const TYPE = { at: 4, length: 32 } as const;
const AT = { version: 36, created: 40, sequence: 48, flags: 56, id: 64, digest: 80, payloadType: 112 } as const;
const DIGEST_LENGTH = 32;
const VERSION = 1;

export function encodeMessage(message: SessionMessage): Uint8Array {
  const { type, payload } = message;
  const bytes = Buffer.alloc(HEADER + 4 + payload.byteLength);
  bytes.writeUInt32BE(HEADER, 0);
  bytes.write(type.padEnd(TYPE.length), TYPE.at, 'latin1');
  bytes.writeUInt32BE(VERSION, AT.version);
  bytes.writeBigUInt64BE(BigInt(message.created), AT.created);
  bytes.writeBigInt64BE(BigInt(message.sequence), AT.sequence);
  bytes.writeBigUInt64BE(BigInt(message.flags), AT.flags);
  halvesSwapped(Buffer.from(message.id.replaceAll('-', ''), 'hex')).copy(bytes, AT.id);
  digestOf(payload).copy(bytes, AT.digest);
  bytes.writeUInt32BE(message.payloadType, AT.payloadType);
  bytes.writeUInt32BE(payload.byteLength, HEADER);
  bytes.set(payload, HEADER + 4);
  return bytes;
}

/** @returns undefined for bytes that are no message, or whose payload is not what its digest says: they count as lost */
export function decodeMessage(raw: Uint8Array): SessionMessage | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.byteLength < HEADER) return undefined;
  // The service's own messages may have a shorter header, without the type of a payload.
  const header = bytes.readUInt32BE(0);
  if (header < AT.payloadType || header + 4 > bytes.byteLength) return undefined;
  const payload = bytes.subarray(header + 4);
  if (payload.byteLength !== bytes.readUInt32BE(header)) return undefined;
  const digest = bytes.subarray(AT.digest, AT.digest + DIGEST_LENGTH);
  if (payload.byteLength > 0 && !digestOf(payload).equals(digest)) return undefined;
  return {
    type: bytes.toString('latin1', TYPE.at, TYPE.at + TYPE.length).replace(/[\0 ]+$/, ''),
    created: Number(bytes.readBigUInt64BE(AT.created)),
    sequence: Number(bytes.readBigInt64BE(AT.sequence)),
    flags: Number(bytes.readBigUInt64BE(AT.flags)),
    id: uuidOf(halvesSwapped(bytes.subarray(AT.id, AT.id + 16))),
    payloadType: header >= HEADER ? bytes.readUInt32BE(AT.payloadType) : 0,
    payload,
  };
}

/** The message that says that one has come. */
export function acknowledgement(of: SessionMessage, now: number): Uint8Array {
  const content = {
    AcknowledgedMessageType: of.type,
    AcknowledgedMessageId: of.id,
    AcknowledgedMessageSequenceNumber: of.sequence,
    IsSequentialMessage: true,
  };
  return encodeMessage({ ...plain(MESSAGE_TYPES.acknowledge, now), flags: 3, payload: Buffer.from(JSON.stringify(content)) });
}

/** The number of the message that an acknowledgement is for; undefined when it does not tell. */
export function acknowledged({ payload }: SessionMessage): number | undefined {
  const number = fieldsOf(payload)['AcknowledgedMessageSequenceNumber'];
  return typeof number === 'number' ? number : undefined;
}

/** The session is over. @param output why, when it was not in order */
export function channelClosed(sessionId: string, output: string, now: number): Uint8Array {
  const content = {
    MessageType: MESSAGE_TYPES.closed,
    MessageId: randomUUID(),
    CreatedDate: new Date(now).toISOString(),
    DestinationId: '',
    SessionId: sessionId,
    SchemaVersion: 1,
    Output: output,
  };
  return encodeMessage({ ...plain(MESSAGE_TYPES.closed, now), payload: Buffer.from(JSON.stringify(content)) });
}

/** Why the channel was closed; '' when it ended in order. */
export function closedBecause({ payload }: SessionMessage): string {
  const output = fieldsOf(payload)['Output'];
  return typeof output === 'string' ? output : '';
}

/** A message of nothing but its type. */
export function plain(type: string, now: number): SessionMessage {
  return { type, sequence: 0, flags: 0, id: randomUUID(), created: now, payloadType: 0, payload: new Uint8Array() };
}

function fieldsOf(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The last eight bytes of a UUID stand first. */
function halvesSwapped(uuid: Buffer): Buffer {
  return Buffer.concat([uuid.subarray(8, 16), uuid.subarray(0, 8)]);
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function digestOf(payload: Uint8Array): Buffer {
  return createHash('sha256').update(payload).digest();
}
