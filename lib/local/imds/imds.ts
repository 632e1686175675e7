import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RawcloudError } from '../../contract';
import { lookUp } from './lookup';
import type { MetadataDirectory } from './metadata';
import { ImdsTokens, TOKEN_SECONDS } from './tokens';

export interface ImdsOptions {
  /** Where to listen on 127.0.0.1; 0, or what is taken meanwhile, means any free one. */
  readonly port: number;
  /** Key of the session tokens. */
  readonly secret: string;
  /** 'optional' also answers without a token, as IMDSv1. */
  readonly tokens: 'required' | 'optional';
  /** False: everything is refused, as with HttpEndpoint `disabled`. @default true */
  readonly enabled?: boolean;
  /** Everything under `/latest/`, as it is now. */
  readonly metadata: () => MetadataDirectory;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The metadata service of one instance: what stands at 169.254.169.254 on EC2. */
export interface Imds {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

const TOKEN_PATH = '/latest/api/token';
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

export async function openImds(options: ImdsOptions): Promise<Imds> {
  const tokens = new ImdsTokens(options.secret, options.now);
  const server = createServer((request, response) => {
    const { status, body = '', headers = {} } = answer(request, options, tokens);
    send(response, status, body, headers);
  });
  // A machine that lives on knows the port it was told; a new one takes any.
  const port = (options.port > 0 && (await listen(server, options.port).catch(() => undefined))) || (await listen(server, 0));
  return { port, url: `http://127.0.0.1:${port}`, close: () => close(server) };
}

interface Answer {
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

function answer(request: IncomingMessage, options: ImdsOptions, tokens: ImdsTokens): Answer {
  if (options.enabled === false) return { status: 403 };
  const path = (request.url ?? '/').split('?')[0]!;
  if (request.method === 'PUT') return path === TOKEN_PATH ? issueToken(request, tokens) : { status: 405 };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, headers: { allow: 'OPTIONS, GET, HEAD, PUT' } };
  const token = request.headers[TOKEN_HEADER];
  if (token === undefined ? options.tokens === 'required' : !tokens.isValid(String(token))) return { status: 401 };
  const found = lookUp(path, options.metadata());
  return found === undefined ? { status: 404 } : { status: 200, body: found };
}

/** PUT that was forwarded is refused, so that an open proxy on the VM gives nothing away. */
function issueToken(request: IncomingMessage, tokens: ImdsTokens): Answer {
  if (request.headers['x-forwarded-for'] !== undefined) return { status: 403 };
  const seconds = Number(request.headers[TTL_HEADER] ?? NaN);
  if (!Number.isInteger(seconds) || seconds < TOKEN_SECONDS.min || seconds > TOKEN_SECONDS.max) return { status: 400 };
  return { status: 200, body: tokens.issue(seconds), headers: { [TTL_HEADER]: String(seconds) } };
}

/** EC2 explains a refusal with a little page. */
function send(response: ServerResponse, status: number, body: string | Uint8Array, headers: Readonly<Record<string, string>>): void {
  const content = status === 200 ? body : `${status} - ${REASONS[status] ?? ''}\n`;
  response.writeHead(status, { server: 'EC2ws', 'content-type': 'text/plain', 'content-length': Buffer.byteLength(content), ...headers });
  response.end(content);
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(
        new RawcloudError('E_LOCAL_CLOUD', `the instance metadata service cannot listen on 127.0.0.1:${port}: ${cause.message}`, { cause }),
      );
    };
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
