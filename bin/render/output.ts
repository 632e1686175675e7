import type { OutputChunk } from '../../lib/runtime/api';

/** An `output` event as a line; `at` is when it was read. Bytes that are no text go along as base64. */
export function jsonOutput(at: string, job: string | undefined, task: number, stream: OutputChunk['stream'], bytes: Uint8Array): string {
  const exact = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = exact.toString('utf8');
  const data = { stream, text, ...(Buffer.from(text, 'utf8').equals(exact) ? {} : { base64: exact.toString('base64') }) };
  return `${JSON.stringify({ v: 1, at, ...(job === undefined ? {} : { job }), task, type: 'output', data })}\n`;
}
