import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError } from '../../contract';
import { isFile } from '../executables';

/** Settings that hold a secret or the path of one, whatever registry they are for. Source: npm documentation, "npmrc". */
const SECRET = /^(?:\/\/[^=]*:)?(_authToken|_auth|_password|username|certfile|keyfile|cert|key)\s*=/;

/**
 * The project's own .npmrc, for the VM.
 * @throws E_PACKAGE naming the setting (never its value) when it holds a secret
 */
export async function readNpmrc(directory: string): Promise<Buffer | undefined> {
  const file = path.join(directory, '.npmrc');
  if (!(await isFile(file))) return undefined;
  const bytes = await readFile(file);
  for (const line of bytes.toString('utf8').split(/\r?\n/)) {
    const setting = SECRET.exec(line.trim())?.[1] ?? (/:\/\/[^/\s@]+@/.test(line) ? 'a URL with credentials' : undefined);
    if (setting === undefined) continue;
    throw new RawcloudError('E_PACKAGE', `${file} holds a secret (${setting}); private registries are coming`, {
      remedy: 'If the packages are public, move that line to the .npmrc in your home directory, which does not travel.',
    });
  }
  return bytes;
}
