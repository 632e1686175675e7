import { request } from 'node:http';
import * as v from 'valibot';
import { RawcloudError } from '../contract';
import type { CloudFile } from './cloud-file';
import { CONTROL_TOKEN_HEADER, StatusSchema } from './control';
import type { CloudStatus } from './control';

const ANSWER_WITHIN_MS = 5_000;

/** What it says of itself; undefined when nobody answers, or somebody else does. */
export async function askStatus(cloud: CloudFile): Promise<CloudStatus | undefined> {
  const answer = await send(cloud, 'GET', 'status').catch(() => undefined);
  const status = v.safeParse(StatusSchema, answer);
  return status.success && status.output.pid === cloud.pid ? status.output : undefined;
}

/** Asks it to end. @returns ids of the machines that were on */
export async function askShutdown(cloud: CloudFile, options: { readonly keepMachines: boolean }): Promise<string[]> {
  return v.parse(v.object({ machines: v.array(v.string()) }), await send(cloud, 'POST', 'shutdown', options)).machines;
}

async function send({ url, token }: CloudFile, method: string, path: string, body?: object): Promise<unknown> {
  const { status, text } = await exchange(new URL(`/_local/${path}`, url), method, token, body && JSON.stringify(body));
  const answer: unknown = JSON.parse(text);
  if (status < 300) return answer;
  throw new RawcloudError('E_LOCAL_CLOUD', `the local cloud at ${url} answered ${status} to ${method} ${path}: ${JSON.stringify(answer)}`);
}

/** Not by `fetch`, which takes 30 ms to load for one request on loopback. */
function exchange(url: URL, method: string, token: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { [CONTROL_TOKEN_HEADER]: token, connection: 'close', 'content-length': Buffer.byteLength(body ?? '') };
    const call = request(url, { method, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
    });
    call.on('error', reject);
    call.end(body);
  });
}
