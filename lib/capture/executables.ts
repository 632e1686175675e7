import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import path from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where a shell would find a program: a word with a slash is a path from `cwd`, any other is looked up on PATH.
 * Links are not resolved: where a program lies says which environment it belongs to.
 */
export async function findExecutable(name: string, options: { env: Env; cwd: string }): Promise<string | undefined> {
  if (name === '') return undefined;
  if (name.includes('/')) {
    const file = path.resolve(options.cwd, name);
    return (await isExecutable(file)) ? file : undefined;
  }
  for (const directory of (options.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(path.resolve(options.cwd, directory), name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Linux reads no more than this of a script's first line (BINPRM_BUF_SIZE); installers put longer ones on the second. */
const HEAD_BYTES = 512;

/**
 * The interpreter that a script's head names: `/usr/bin/env python3` gives `python3`, `/opt/v/bin/python` itself.
 * Installers write `#!/bin/sh` and then `'''exec' /long/path/python` where the path is too long for the kernel.
 */
export async function interpreterOfScript(file: string): Promise<string | undefined> {
  const head = await readHead(file);
  if (!head?.startsWith('#!')) return undefined;
  const trampoline = /^'''exec' "?([^"\n]+?)"? "\$0"/m.exec(head);
  if (trampoline) return trampoline[1];
  const words = head
    .slice(2, head.indexOf('\n') === -1 ? undefined : head.indexOf('\n'))
    .trim()
    .split(/\s+/);
  if (path.basename(words[0] ?? '') !== 'env') return words[0] || undefined;
  return words.slice(1).find((word) => !word.startsWith('-') && !word.includes('='));
}

async function readHead(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead).toString('latin1');
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

/** True for an existing regular file, links followed. */
export async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** True for an existing directory, links followed. */
export async function isDirectory(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** `from` and the directories above it, up to and with `root`; `from` alone when it lies outside. */
export function upwards(from: string, root: string): string[] {
  const inside = path.relative(root, from);
  if (inside.startsWith('..') || path.isAbsolute(inside)) return [from];
  const directories = [from];
  for (let at = from; at !== root;) directories.push((at = path.dirname(at)));
  return directories;
}
