import path from 'node:path';
import { openAws } from '../../lib/aws/clients';
import type { AwsContext } from '../../lib/aws/clients';
import { readParameter } from '../../lib/aws/parameters';
import { parseScaffold, scaffoldParameterName } from '../../lib/contract';
import type { Scaffold } from '../../lib/contract';

export const ROOT = path.resolve(__dirname, '../..');
/** moto's account. */
export const ACCOUNT = '123456789012';
/** It takes any keys. */
export const KEYS = { accessKeyId: 'AKIAMOTOMOTOMOTOMOTO', secretAccessKey: 'none' };
export const REGION = 'us-east-1';

/** Where `npm run test:moto` has started moto's server. */
export const URL = setting('RAWCLOUD_MOTO_URL');
/** What the server says, as a file. */
export const LOG = setting('RAWCLOUD_MOTO_LOG');
/** The Python that moto is installed for, with its companions. */
export const PYTHON = setting('RAWCLOUD_MOTO_PYTHON');

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are run by npm run test:moto`);
  return value;
}

export function openMoto(region: string = REGION): Promise<AwsContext> {
  return openAws({ env: {}, region, endpoint: URL, credentials: KEYS });
}

/** @throws when it is not deployed */
export async function readScaffold(aws: AwsContext, name: string): Promise<Scaffold> {
  return parseScaffold((await readParameter(aws, scaffoldParameterName(name))) ?? '');
}
