import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BuildIo, NodeProject } from '../../contract';

export interface ProvidedRegistries {
  readonly env: Readonly<Record<string, string>>;
  /** Takes away what holds credentials. */
  remove(): Promise<void>;
}

/** Only its owner reads it. */
const PRIVATE = { mode: 0o600 };

/**
 * The developer's own configuration, where managers look for it while they install: settings from the recipe, credentials from what
 * was sealed. The project's lies in the tree.
 */
export async function provideRegistries({ settings }: NodeProject, { directory, secrets }: BuildIo): Promise<ProvidedRegistries> {
  const home = path.join(directory, 'home');
  await mkdir(home, { recursive: true });
  const npmrc = path.join(home, '.npmrc');
  const yarnrc = path.join(home, '.yarnrc.yml');
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(npmrc, [...lines, secrets['npmrc'] ?? ''].join(''), PRIVATE);
  if (secrets['yarnrc'] !== undefined) await writeFile(yarnrc, secrets['yarnrc'], PRIVATE);
  const variables = Object.entries(secrets).flatMap(([name, value]) =>
    name.startsWith('env:') ? [[name.slice('env:'.length), value] as const] : [],
  );
  return {
    env: { npm_config_userconfig: npmrc, ...Object.fromEntries(variables) },
    async remove() {
      for (const file of [npmrc, yarnrc]) await rm(file, { force: true });
    },
  };
}
