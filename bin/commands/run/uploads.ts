import { existsSync } from 'node:fs';
import path from 'node:path';
import type { RunRequest } from '../../../lib/runtime/api';

/** `PATH` or `PATH:DEST`. A file may have a colon in its name: what is there as a whole is one path. */
export function parseUploads(texts: readonly string[], cwd: string): NonNullable<RunRequest['uploads']> {
  return texts.map((text) => {
    const colon = text.lastIndexOf(':');
    if (colon <= 0 || existsSync(path.resolve(cwd, text))) return { path: text };
    return { path: text.slice(0, colon), to: text.slice(colon + 1) };
  });
}
