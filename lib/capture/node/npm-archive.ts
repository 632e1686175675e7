import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as v from 'valibot';
import { mapBounded } from '../../contract';
import type { SourceContent } from '../../contract';
import { findExecutable, isDirectory, isFile } from '../executables';
import { contentOf } from '../layer';
import { tar } from '../tar';

/** npm as a gzipped tar of its files, below a directory `package` as in those of a registry. */
export interface NpmArchive {
  readonly version: string;
  readonly content: SourceContent;
}

/** What npm runs on; the rest of its directory is documentation. */
const PARTS = ['package.json', 'index.js', 'bin', 'lib', 'node_modules'];

/** npm has about 1,700 small files. */
const CONCURRENCY = 32;

/** Speed counts more than the last tenth of 3 MB: this is made on every run of a Node project, and uploaded once. */
const GZIP_LEVEL = 1;

/**
 * The developer's own npm, which is plain JavaScript and so runs wherever a Node does.
 * @returns undefined when there is none that is one directory (Debian's spreads over the system)
 */
export async function archiveNpm(options: {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}): Promise<NpmArchive | undefined> {
  const directory = await findNpm(options);
  if (directory === undefined) return undefined;
  const { version } = v.parse(v.object({ version: v.string() }), JSON.parse(await readFile(path.join(directory, 'package.json'), 'utf8')));
  const files = (await mapBounded(PARTS, PARTS.length, (part) => listFiles(directory, part))).flat().sort();
  const entries = await mapBounded(files, CONCURRENCY, async (file) => ({
    path: `package/${file}`,
    bytes: await readFile(path.join(directory, file)),
    executable: ((await stat(path.join(directory, file))).mode & 0o100) !== 0,
  }));
  return { version, content: contentOf(await promisify(gzip)(tar(entries), { level: GZIP_LEVEL })) };
}

/** By the npm on PATH, else beside the node on PATH (a version manager's npm may be a shim). */
async function findNpm(options: { env: Readonly<Record<string, string | undefined>>; cwd: string }): Promise<string | undefined> {
  const [npm, node] = await Promise.all([findExecutable('npm', options), findExecutable('node', options)]);
  const candidates = [
    ...(npm ? [path.join(await realpath(npm), '..', '..')] : []),
    ...(node ? [path.join(await realpath(node), '..', '..', 'lib', 'node_modules', 'npm')] : []),
  ];
  for (const directory of candidates) {
    if ((await isFile(path.join(directory, 'bin', 'npm-cli.js'))) && (await isDirectory(path.join(directory, 'node_modules'))))
      return directory;
  }
  return undefined;
}

/** Regular files under `part`, relative to `directory`. npm needs none of the links in node_modules/.bin. */
async function listFiles(directory: string, part: string): Promise<string[]> {
  const file = path.join(directory, part);
  if (await isFile(file)) return [part];
  if (!(await isDirectory(file))) return [];
  const entries = await readdir(file, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}
