import type { Clock, LogRun, RawcloudEvent } from '../../contract';
import { event } from '../drive/deps';

/** A run of bytes as an `output` event: text for people, base64 beside it when the text does not hold the exact bytes. */
export function outputEvent(clock: Clock, job: string, vm: string, run: LogRun): RawcloudEvent {
  const bytes = Buffer.from(run.bytes.buffer, run.bytes.byteOffset, run.bytes.byteLength);
  const text = bytes.toString('utf8');
  const exact = Buffer.from(text, 'utf8').equals(bytes);
  return event(
    clock,
    job,
    'output',
    { stream: run.stream, text, ...(exact ? {} : { base64: bytes.toString('base64') }) },
    { vm, task: run.task },
  );
}

/** The exact bytes of an `output` event. */
export function outputBytes(data: { readonly text: string; readonly base64?: string }): Uint8Array {
  return data.base64 === undefined ? Buffer.from(data.text, 'utf8') : Buffer.from(data.base64, 'base64');
}
