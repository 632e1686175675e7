import type { LocalCloud } from '../../lib/local/cloud';
import { signedHeaders } from './sign';

/** A call of a service whose protocol is JSON, as SDKs make it. @throws `<code>: <message>` of an error */
export async function jsonCall(
  { url, port, credentials }: Pick<LocalCloud, 'url' | 'port' | 'credentials'>,
  to: { readonly service: string; readonly target: string },
  input: object,
): Promise<unknown> {
  const body = JSON.stringify(input);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': to.target };
  const signed = signedHeaders(
    { port, principals: { developer: credentials } },
    { method: 'POST', path: '/', service: to.service, body, headers },
  );
  const { host: _host, ...sent } = signed;
  const response = await fetch(url, { method: 'POST', headers: { ...sent, connection: 'close' }, body });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${String(answer['__type'])}: ${String(answer['message'])}`);
  return answer;
}
