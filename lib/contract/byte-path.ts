import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';

/**
 * A file name or path as the file system has it: one character per byte ('latin1'), parts joined by '/'.
 * Linux allows any byte in a name, so text would lose some; as strings of bytes they also sort as manifests want them.
 */
export type BytePath = string;

const NOT_ASCII = /[^\x00-\x7f]/;

/** Bytes of a path that is known as text. */
export function bytePathOf(text: string): BytePath {
  return NOT_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text;
}

/** Path as manifests hold it, with or without `raw`, back to bytes. */
export function decodePath(path: string, raw: true | undefined): BytePath {
  return raw ? path : bytePathOf(path);
}

/** A path as manifests hold it: as text when it is valid UTF-8, else byte by byte with `raw`. */
export function encodePath(path: BytePath): { path: string; raw?: true } {
  const text = textOf(path);
  return text === undefined ? { path, raw: true } : { path: text };
}

/** The same for a link: `raw` stands for path and target alike. */
export function encodeLink(path: BytePath, target: BytePath): { path: string; target: string; raw?: true } {
  const texts = { path: textOf(path), target: textOf(target) };
  if (texts.path === undefined || texts.target === undefined) return { path, target, raw: true };
  return { path: texts.path, target: texts.target };
}

function textOf(path: BytePath): string | undefined {
  if (!NOT_ASCII.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** What file system calls take for `path` under a directory. Text where it can be: that is the faster way. */
export function fsPath(directory: string, path: BytePath): string | Buffer {
  if (path === '') return directory;
  if (!NOT_ASCII.test(path)) return `${directory}/${path}`;
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}

/** The directory that a path lies in, '' for the root. */
export function parentOf(path: BytePath): BytePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Whether a link leads out of the tree, by its text alone. */
export function leadsOutside(link: BytePath, target: BytePath): boolean {
  if (target.startsWith('/')) return true;
  const inside = posix.join(parentOf(link), target);
  return inside === '..' || inside.startsWith('../');
}

/** For people: quoted when something in it cannot be seen, bytes that are no UTF-8 as U+FFFD. */
export function showPath(path: BytePath): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  return /[\x00-\x1f\x7f"]|^$|^ | $/.test(text) ? JSON.stringify(text) : text;
}

/** Some of many paths, for people: `a, b, c and 7 more`. */
export function showPaths(paths: readonly BytePath[], limit = 5): string {
  const shown = paths.slice(0, limit).map(showPath).join(', ');
  return paths.length > limit ? `${shown} and ${paths.length - limit} more` : shown;
}
