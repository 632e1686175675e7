import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { RawcloudError } from '../contract';
import { Front, type FrontOptions } from './front';

/** Looks first at unsigned requests under `/_local/`; true when it answered. */
export type Control = (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;

export interface ServerOptions extends Omit<FrontOptions, 'onError'> {
  /** 0 for any free one. */
  readonly port: number;
  /** A loopback address. @default '127.0.0.1' */
  readonly host?: string;
  readonly control?: Control;
  /** Takes requests to become another protocol; false for those it does not know. @default - there are none */
  readonly upgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>;
  /** @default - one line on stderr */
  readonly onError?: FrontOptions['onError'];
}

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Stops listening, cuts all connections, and waits until no service works on a request any more. */
  close(): Promise<void>;
}

/** Prefix of the paths that go to `control`; no bucket can have such a name. */
const CONTROL_PREFIX = '/_local/';
/** Longer than the SDK's agents keep theirs, so that no request meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Starts the one endpoint of all services. Requests are told apart by the service in the scope of their signature.
 * @throws RawcloudError E_LOCAL_CLOUD when the address is not loopback or the port is taken
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, host = '127.0.0.1', control, onError = reportError } = options;
  if (!/^(127(\.\d{1,3}){3}|::1)$/.test(host)) {
    throw new RawcloudError(
      'E_LOCAL_CLOUD',
      `the local cloud cannot listen on '${host}'; allowed are loopback addresses, 127.0.0.1 or ::1`,
    );
  }
  const front = new Front({ ...options, onError });
  const answering = new Set<Promise<void>>();
  const answer = (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const answered = front.answer(req, res).finally(() => answering.delete(answered));
    answering.add(answered);
    return answered;
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (req, res) => {
    serve(control, answer, req, res).catch((error: unknown) => {
      onError(error);
      res.destroy();
    });
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refuse = (): void => void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    socket.on('error', () => undefined);
    (options.upgrade?.(req, socket, head) ?? Promise.resolve(false)).then(
      (isKnown) => isKnown || refuse(),
      (error: unknown) => {
        onError(error);
        socket.destroy();
      },
    );
  });
  await listen(server, port, host);
  const bound = (server.address() as AddressInfo).port;
  return { port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, close: () => close(server, answering) };
}

type Answer = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

async function serve(control: Control | undefined, answer: Answer, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (control && req.url?.startsWith(CONTROL_PREFIX) && (await control(req, res))) return;
  await answer(req, res);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new RawcloudError('E_LOCAL_CLOUD', `the local cloud cannot listen on ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function close(server: Server, answering: ReadonlySet<Promise<void>>): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  await Promise.allSettled(answering);
}

function reportError(error: unknown): void {
  process.stderr.write(`rawcloud local cloud: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
