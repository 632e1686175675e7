import { once } from 'node:events';
import { RawcloudError } from '../contract';
import type { SessionAccess, SessionManager, SessionSocket, SessionSocketListener } from '../contract/session/ports';
import type { AwsContext } from './clients';
import { classify, toRawcloudError, wording } from './errors';
import { sha256Hex, signRequest } from './wire/sign';

const CONNECT_WITHIN_MS = 15_000;
/** Routers forget a connection over which nothing goes; AWS's own after 350 s. */
const PING_MS = 60_000;

export function createSessionManager(context: AwsContext): SessionManager {
  return {
    async start(Target, DocumentName, parameters) {
      const { StartSessionCommand } = await import('./sdk/ssm-sessions.js');
      const Parameters = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]]));
      try {
        const input = { Target, DocumentName, Parameters, Reason: 'rawcloud exec' };
        return accessOf(await (await context.ssm()).send(new StartSessionCommand(input)));
      } catch (error) {
        if (classify(error).awsCode === 'TargetNotConnected') throw notConnected(Target, error);
        throw toRawcloudError(error, 'ssm:StartSession');
      }
    },

    async resume(SessionId) {
      const { ResumeSessionCommand } = await import('./sdk/ssm-sessions.js');
      try {
        const found = await (await context.ssm()).send(new ResumeSessionCommand({ SessionId }));
        return found.TokenValue ? accessOf(found) : undefined;
      } catch (error) {
        if (classify(error).awsCode === 'DoesNotExistException') return undefined;
        throw toRawcloudError(error, 'ssm:ResumeSession');
      }
    },

    async terminate(SessionId) {
      const { TerminateSessionCommand } = await import('./sdk/ssm-sessions.js');
      await wording('ssm:TerminateSession', async () => (await context.ssm()).send(new TerminateSessionCommand({ SessionId })));
    },

    connect: (access, listener) => connect(context, access, listener),
  };
}

function accessOf(found: { SessionId?: string; StreamUrl?: string; TokenValue?: string }): SessionAccess {
  return { id: found.SessionId ?? '', url: found.StreamUrl ?? '', token: found.TokenValue ?? '' };
}

function notConnected(target: string, cause: unknown): RawcloudError {
  return new RawcloudError('E_EXEC_UNREACHABLE', `Session Manager does not reach VM ${target}: its SSM agent has not reported`, {
    remedy:
      'A VM that has just booted needs a moment: try again. Else the image has no SSM agent (Amazon Linux has), or the VM was launched ' +
      'before exec was allowed, or its subnet has no way to the services ssm and ssmmessages. See docs/exec.md.',
    retryable: true,
    cause,
  });
}

/** Opens the channel. A URL that is signed already is taken as it is. */
async function connect(context: AwsContext, { url, token }: SessionAccess, listener: SessionSocketListener): Promise<SessionSocket> {
  try {
    // Who enters nobody's VM does without it.
    const { default: WebSocket } = await import('ws');
    const socket = new WebSocket(url, { headers: await signatureOf(context, url), handshakeTimeout: CONNECT_WITHIN_MS });
    socket.on('message', (data: Buffer) => listener.onMessage(data));
    await once(socket, 'open');
    const pings = setInterval(() => socket.ping(), PING_MS);
    // What fails closes it as well.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(pings);
      listener.onClose();
    });
    socket.send(JSON.stringify(introduction(token)));
    return {
      send: (data) => {
        if (socket.readyState === socket.OPEN) socket.send(data);
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      close: () => socket.close(),
    };
  } catch (error) {
    throw toRawcloudError(error, 'ssmmessages:OpenDataChannel');
  }
}

/** The newest published client that this one keeps up with; the service looks at it. */
const CLIENT_VERSION = '1.2.792.0';

function introduction(token: string): object {
  return {
    MessageSchemaVersion: '1.0',
    RequestId: crypto.randomUUID(),
    TokenValue: token,
    ClientId: crypto.randomUUID(),
    ClientVersion: CLIENT_VERSION,
  };
}

async function signatureOf(context: AwsContext, url: string): Promise<Record<string, string>> {
  const { host, pathname: path, searchParams } = new URL(url);
  if (searchParams.has('X-Amz-Signature')) return {};
  const request = { method: 'GET', path, query: Object.fromEntries(searchParams), headers: { host }, payloadHash: sha256Hex('') };
  const { host: _host, ...headers } = signRequest(request, await context.credentials(), context.region, context.clock.now(), 'ssmmessages');
  return headers;
}
