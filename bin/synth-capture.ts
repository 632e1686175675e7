import os from 'node:os';
import { text } from 'node:stream/consumers';
import { cacheDirectory } from '../lib/runtime/cache-directory';
import { captureDefinition } from '../lib/runtime/definition/capture';
import type { CaptureRequest } from '../lib/runtime/definition/capture';
import { findRawcloudError } from '../lib/contract';

/*
 * The program that a construct runs at synthesis, because constructs cannot wait: the request as JSON on standard input,
 * the answer as JSON on standard output, `{ captured }` or `{ error }`.
 */
async function main(): Promise<object> {
  const asked = JSON.parse(await text(process.stdin)) as Omit<CaptureRequest, 'env' | 'home' | 'cacheDir' | 'now'>;
  const home = os.homedir();
  const cacheDir = cacheDirectory(process.env, home);
  return { captured: await captureDefinition({ ...asked, env: process.env, home, cacheDir, now: Date.now }) };
}

void main()
  .catch((error: unknown) => {
    const known = findRawcloudError(error);
    return { error: { message: known?.message ?? String(error), ...(known?.remedy ? { remedy: known.remedy } : {}) } };
  })
  .then((answer) => process.stdout.write(JSON.stringify(answer)));
