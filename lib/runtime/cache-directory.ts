import path from 'node:path';

/** Where what can be made again is kept. Source: XDG Base Directory specification. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return path.join(env['XDG_CACHE_HOME'] ?? path.join(home, '.cache'), 'rawcloud');
}
