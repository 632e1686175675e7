import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bytePathOf, fsPath, parentOf } from '../../lib/contract';
import type { BytePath } from '../../lib/contract';

/** Content of a file, or what else there is at a path. */
export type Thing = string | { readonly link: string } | { readonly executable: string } | { readonly directory: true };

/** Writes a tree under a directory; names as text. */
export function writeTree(root: string, things: Readonly<Record<string, Thing>>): void {
  for (const [name, thing] of Object.entries(things)) writeThing(root, bytePathOf(name), thing);
}

/** The same for a name of any bytes. */
export function writeThing(root: string, name: BytePath, thing: Thing): void {
  const file = fsPath(root, name);
  mkdirSync(fsPath(root, typeof thing === 'object' && 'directory' in thing ? name : parentOf(name)), { recursive: true });
  if (typeof thing === 'string') writeFileSync(file, thing);
  else if ('link' in thing) symlinkSync(thing.link, file);
  else if ('executable' in thing) {
    writeFileSync(file, thing.executable);
    chmodSync(file, 0o755);
  }
}

/** Runs with a directory of its own, which is removed afterwards. */
export async function withDirectory<T>(body: (directory: string) => Promise<T> | T): Promise<T> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'files-'));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
