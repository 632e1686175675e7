import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson } from '../contract';
import { hasCode } from './errno';

/** How to reach a local cloud that serves a state directory. Secret: it holds the developer's keys and the control token. */
export const CloudFileSchema = v.object({
  v: v.literal(1),
  pid: v.number(),
  port: v.number(),
  url: v.string(),
  region: v.string(),
  token: v.string(),
  credentials: v.object({ accessKeyId: v.string(), secretAccessKey: v.string() }),
  /** Version of the package that serves. */
  version: v.string(),
  /** What its new machines are; one of an earlier version does not tell. */
  driver: v.optional(v.string()),
});
export type CloudFile = v.InferOutput<typeof CloudFileSchema>;

function fileOf(stateDir: string): string {
  return path.join(stateDir, 'cloud.json');
}

export async function readCloudFile(stateDir: string): Promise<CloudFile | undefined> {
  const bytes = await readFile(fileOf(stateDir)).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  return bytes && decodeJson(CloudFileSchema, bytes, fileOf(stateDir));
}

/** Readable by its owner only. */
export async function writeCloudFile(stateDir: string, file: CloudFile): Promise<void> {
  const draft = `${fileOf(stateDir)}.new`;
  await writeFile(draft, encodeJson(file), { mode: 0o600 });
  await rename(draft, fileOf(stateDir));
}

export async function removeCloudFile(stateDir: string): Promise<void> {
  await rm(fileOf(stateDir), { force: true });
}
