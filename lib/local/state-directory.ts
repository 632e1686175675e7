import { mkdir, readdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RawcloudError } from '../contract';
import { removeTree } from './drivers/remove-tree';
import { hasCode } from './errno';

/** Marks a directory as made by the local cloud, so that `reset` never deletes anything else. */
const MARKER = '.rawcloud-local';

/** $RAWCLOUD_LOCAL_DIR, else $XDG_STATE_HOME/rawcloud/local, else ~/.local/state/rawcloud/local. */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>>): string {
  if (env['RAWCLOUD_LOCAL_DIR']) return path.resolve(env['RAWCLOUD_LOCAL_DIR']);
  const states = env['XDG_STATE_HOME'] || path.join(env['HOME'] || os.homedir(), '.local', 'state');
  return path.join(states, 'rawcloud', 'local');
}

/**
 * Makes the directory, or takes one that was made here before.
 * @throws E_LOCAL_CLOUD when it holds something else
 */
export async function openStateDir(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  if (names.includes(MARKER)) return;
  if (names.length > 0) throw notOurs(directory, 'use');
  await writeFile(path.join(directory, MARKER), 'State of the rawcloud local cloud. Delete with: rawcloud local reset\n', { mode: 0o600 });
}

/** Deletes the directory. One that is not there is no error. @throws E_LOCAL_CLOUD when it was not made here */
export async function removeStateDir(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!names) return;
  if (!names.includes(MARKER)) throw notOurs(directory, 'delete');
  await removeTree(directory);
}

function notOurs(directory: string, what: string): RawcloudError {
  return new RawcloudError(
    'E_LOCAL_CLOUD',
    `the local cloud will not ${what} ${directory}: it is not empty and was not made by the local cloud`,
    {
      remedy: 'Set RAWCLOUD_LOCAL_DIR to a new or empty directory.',
    },
  );
}
