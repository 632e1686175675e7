import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { decodeJson, encodeJson } from '../contract';
import { hasCode } from './errno';
import { newRoleId } from './roles';

/** What stays the same for a state directory's whole life. */
const FactsSchema = v.object({
  v: v.literal(1),
  account: v.string(),
  region: v.string(),
  bucket: v.string(),
  roleName: v.string(),
  /** Unique id of the VMs' role. */
  roleId: v.string(),
  /** Where the endpoint listened last: machines that live on know it there. */
  port: v.number(),
});
export type CloudFacts = v.InferOutput<typeof FactsSchema>;

/** AWS's own example account: everybody sees that it is none of theirs. */
const ACCOUNT = '123456789012';

/** Reads the facts of a state directory, or makes them up at its first start. */
export async function openFacts(stateDir: string, region: string): Promise<CloudFacts> {
  const file = factsFile(stateDir);
  const stored = await readFile(file).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (stored) return decodeJson(FactsSchema, stored, file);
  const facts: CloudFacts = {
    v: 1,
    account: ACCOUNT,
    region,
    bucket: `rawcloud-local-${ACCOUNT}-${region}`,
    roleName: 'rawcloud-local-vm',
    roleId: newRoleId(),
    port: 0,
  };
  await saveFacts(stateDir, facts);
  return facts;
}

export async function saveFacts(stateDir: string, facts: CloudFacts): Promise<void> {
  const file = factsFile(stateDir);
  await writeFile(`${file}.new`, encodeJson(facts), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function factsFile(stateDir: string): string {
  return path.join(stateDir, 'facts.json');
}
