import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, RawcloudError } from '../../contract';
import type { Login, Notice } from '../../contract';

/** Where logins are looked for. */
export interface LoginPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

/** What one login is made of on the VM. Files and variables are secret. */
export interface CarriedLogin {
  /** By path relative to the job's home directory. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
}

/** Finds one login. @throws E_LOGIN when there is none here */
export type FindLogin = (place: LoginPlace) => Promise<CarriedLogin>;

/** The first of these files that is there, with its place. */
export async function readFirst(files: readonly (string | undefined)[]): Promise<{ file: string; content: Buffer } | undefined> {
  for (const file of files) {
    if (file === undefined) continue;
    try {
      return { file, content: await readFile(file) };
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return undefined;
}

/** A path as a variable names it. @param fallback relative to the home directory */
export function pathOr(text: string | undefined, { home, cwd }: LoginPlace, fallback: string): string {
  if (!text) return path.join(home, fallback);
  return path.resolve(cwd, text.replace(/^~(?=\/|$)/, home));
}

export function noLogin(login: Login, looked: string, remedy: string): RawcloudError {
  return new RawcloudError('E_LOGIN', `--forward ${login}: there is no such login here; looked for ${looked}`, { remedy });
}
