import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ServerResponse } from 'node:http';
import type { ServiceResponse } from './service';

/** Writes an answer; resolves when it is out or the client has gone. */
export async function send(
  res: ServerResponse,
  reply: ServiceResponse,
  head: Readonly<Record<string, string>>,
  withBody: boolean,
): Promise<void> {
  const { body } = reply;
  const headers: Record<string, string | number> = { ...head, ...reply.headers };
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    // A HEAD answer tells the length of the body it leaves out; 204 and 304 have none to tell of.
    if (withBody && reply.status !== 204 && reply.status !== 304) headers['content-length'] = bytes;
    res.writeHead(reply.status, headers);
    if (withBody && bytes > 0) res.end(body);
    else res.end();
    return;
  }
  res.writeHead(reply.status, headers);
  if (!withBody) {
    await discard(reply);
    res.end();
    return;
  }
  try {
    await pipeline(body, res);
  } catch (error) {
    if (!res.destroyed) throw error;
  }
}

/** Lets go of what an answer that will not be sent holds open. */
export async function discard(reply: ServiceResponse): Promise<void> {
  const { body } = reply;
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return;
  // The iterator of a stream that was never read would not close it.
  if (body instanceof Readable) body.destroy();
  else await body[Symbol.asyncIterator]().return?.();
}
