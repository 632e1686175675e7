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
  const response = await fetch(`${url}/_local/${path}`, {
    method,
    headers: { [CONTROL_TOKEN_HEADER]: token, connection: 'close' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const answer: unknown = await response.json();
  if (!response.ok)
    throw new RawcloudError(
      'E_LOCAL_CLOUD',
      `the local cloud at ${url} answered ${response.status} to ${method} ${path}: ${JSON.stringify(answer)}`,
    );
  return answer;
}
