import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';

type Next = (args: {
  readonly request: unknown;
  readonly input: ServiceInputTypes;
}) => Promise<{ readonly response: unknown; readonly output: ServiceOutputTypes }>;

/** The SDK's outputs do not carry the answer's Date header, from which ages are counted: these do. */
interface Timed {
  serverTime?: number;
}

const keep: (next: Next) => Next = (next) => async (args) => {
  const answer = await next(args);
  const { headers } = answer.response as { readonly headers?: Readonly<Record<string, string>> };
  if (headers?.['date']) (answer.output.$metadata as Timed).serverTime = Date.parse(headers['date']);
  return answer;
};

/** Makes a client's outputs carry the server's time. */
export function keepServerTime(client: S3Client): S3Client {
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
