import type { Clock } from '../contract';
import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';

type Next = (args: {
  readonly request: unknown;
  readonly input: ServiceInputTypes;
}) => Promise<{ readonly response: unknown; readonly output: ServiceOutputTypes }>;

/** The SDK's outputs do not carry the answer's Date header, from which ages are counted: these do. */
interface Timed {
  serverTime?: number;
}

/** Less than this is the answer's way and its resolution, not a clock that is off. */
const TOLERATED_MS = 5_000;

/** This machine's clock, put right by what AWS's answers tell: records and ages are counted by one time. */
export class ServerClock implements Clock {
  #offsetMs = 0;

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now() + this.#offsetMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.clock.sleep(ms, signal);
  }

  /** @param serverNow time of an answer that came just now, milliseconds since 1970 */
  learn(serverNow: number): void {
    const offsetMs = serverNow - this.clock.now();
    this.#offsetMs = Math.abs(offsetMs) < TOLERATED_MS ? 0 : offsetMs;
  }
}

/** Makes a client's outputs carry the server's time, and the clock learn it. */
export function keepServerTime(client: S3Client, clock: ServerClock): S3Client {
  const keep: (next: Next) => Next = (next) => async (args) => {
    const answer = await next(args);
    const { headers } = answer.response as { readonly headers?: Readonly<Record<string, string>> };
    if (headers?.['date']) {
      const at = Date.parse(headers['date']);
      (answer.output.$metadata as Timed).serverTime = at;
      clock.learn(at);
    }
    return answer;
  };
  client.middlewareStack.addRelativeTo(keep, {
    relation: 'before',
    toMiddleware: 'deserializerMiddleware',
    name: 'keepServerTime',
  });
  return client;
}

/** The server's time when it answered, milliseconds since 1970, at a resolution of one second. */
export function serverTime(output: { readonly $metadata: object }): number {
  return (output.$metadata as Timed).serverTime ?? 0;
}
