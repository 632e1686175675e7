import type { Clock, EventData, LogRun, LogStream, RawcloudEvent } from '../../contract';
import { event } from '../drive/deps';

/** A run of bytes as an `output` event: text for people, base64 beside it when the text does not hold the exact bytes. */
export function outputEvent(clock: Clock, job: string, vm: string, run: LogRun): RawcloudEvent {
  return event(clock, job, 'output', new Output(run.stream, run.bytes), { vm, task: run.task });
}

/** Made text only when asked: most who watch pass the bytes on, and there may be gigabytes of them. */
class Output {
  readonly #bytes: Buffer;
  #text: string | undefined;

  constructor(
    readonly stream: LogStream,
    bytes: Uint8Array,
  ) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get text(): string {
    return (this.#text ??= this.#bytes.toString('utf8'));
  }

  /** Absent when the text says it all. */
  get base64(): string | undefined {
    return Buffer.from(this.text, 'utf8').equals(this.#bytes) ? undefined : this.#bytes.toString('base64');
  }

  toJSON(): EventData['output'] {
    const { stream, text, base64 } = this;
    return { stream, text, ...(base64 === undefined ? {} : { base64 }) };
  }
}
