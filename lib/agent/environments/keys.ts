import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unlessMissing } from '../../contract';
import type { Layer } from '../../contract';

/** Goes up when what is stored changes in a way that the manifest does not tell. */
const FORMAT = 1;

/** What a layer's environment depends on besides its recipe. */
export type Facts = Readonly<Record<string, string>>;

/** Nobody without the secret can tell the key of an environment, to read it or to put another in its place. */
export function environmentKey(secret: string, layer: Pick<Layer, 'kind' | 'key' | 'platform'>, facts: Facts): string {
  return keyOf(secret, ['environment', layer.kind, layer.key, layer.platform, ...rows(facts)]);
}

/** Key of a project's last environment of a kind: under the same facts, so that its parts fit. */
export function lastKey(secret: string, layer: Pick<Layer, 'kind' | 'platform'>, facts: Facts, project: string): string {
  return keyOf(secret, ['last', layer.kind, layer.platform, project, ...rows(facts)]);
}

function rows(facts: Facts): string[] {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
}

function keyOf(secret: string, words: readonly string[]): string {
  return createHmac('sha256', Buffer.from(secret, 'hex'))
    .update(JSON.stringify([FORMAT, ...words]))
    .digest('hex');
}

/** The VM's system as far as built packages depend on it: C library and the like. An image of the user's own may have others. */
export async function systemFacts(image: string | undefined, file = '/etc/os-release'): Promise<Facts> {
  const text = await unlessMissing(readFile(file, 'utf8'), '');
  const named = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? '';
  const system = text === '' ? process.platform : `${named('ID')} ${named('VERSION_ID')}`;
  return { system, ...(image === undefined ? {} : { image }) };
}
