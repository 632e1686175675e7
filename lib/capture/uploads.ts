import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { bytePathOf, fsPath, hasCode, mapBounded, RawcloudError, showPath } from '../contract';
import type { BytePath } from '../contract';

/** A file or directory that is taken along whole, whatever the ignore rules say. */
export interface UploadRequest {
  /** As typed, relative to the working directory. */
  readonly path: string;
  /**
   * Where it is on the VM, relative to the working directory; with a slash at its end, under its own name in there. Not outside the tree.
   * @default - where it is in the tree; what is outside of it, under its own name in the working directory
   */
  readonly to?: string;
}

export interface Upload {
  /** For people. */
  readonly typed: string;
  /** Absolute, as typed; and what that is when links are followed. */
  readonly absolute: string;
  readonly source: string;
  readonly isDirectory: boolean;
  /** Where it travels, relative to the root. */
  readonly at: BytePath;
  /** It travels where it is: what the rules would take of it is a part of it. */
  readonly isInPlace: boolean;
}

export interface UploadScope {
  readonly root: string;
  /** In the root. */
  readonly cwd: string;
  readonly home: string;
}

/** Looked at together. */
const CONCURRENCY = 8;

/**
 * Finds what is to be taken along, and where to.
 * @throws E_USAGE when it is not there, has no place in the tree, or shares one
 */
export async function resolveUploads(requests: readonly UploadRequest[], scope: UploadScope): Promise<Upload[]> {
  const realRoot = await realpath(scope.root);
  const uploads = await mapBounded(requests, CONCURRENCY, (request) => resolve(request, scope, realRoot));
  refuseSharedPlaces(uploads);
  return uploads;
}

async function resolve({ path: typed, to }: UploadRequest, scope: UploadScope, realRoot: string): Promise<Upload> {
  const absolute = path.resolve(scope.cwd, typed.replace(/^~(?=\/|$)/, scope.home));
  const { source, isDirectory } = await look(typed, absolute);
  if (isWithin(await realpath(scope.home).catch(() => scope.home), source)) {
    throw new RawcloudError(
      'E_USAGE',
      `cannot take '${typed}' along: ${source} is or holds the home directory, with all keys and passwords in it`,
      {
        remedy: 'Name the directories in it that the job needs.',
      },
    );
  }
  const about = { typed, absolute, source, isDirectory };
  if (to !== undefined) return { ...about, at: placeOf(typed, to, absolute, scope), isInPlace: false };
  if (isWithin(source, realRoot)) return { ...about, at: bytePathOf(path.relative(realRoot, source)), isInPlace: true };
  const root = [scope.root, realRoot].find((directory) => isWithin(absolute, directory));
  if (root !== undefined) return { ...about, at: bytePathOf(path.relative(root, absolute)), isInPlace: true };
  return { ...about, at: placeOf(typed, './', absolute, scope), isInPlace: false };
}

async function look(typed: string, absolute: string): Promise<Pick<Upload, 'source' | 'isDirectory'>> {
  try {
    const source = await realpath(absolute);
    const found = await stat(source);
    if (found.isFile() || found.isDirectory()) return { source, isDirectory: found.isDirectory() };
  } catch (error) {
    const why = hasCode(error, 'ENOENT', 'ENOTDIR')
      ? 'is not there'
      : hasCode(error, 'ELOOP')
        ? 'is a link that leads in a circle'
        : undefined;
    if (why === undefined && !hasCode(error, 'EACCES', 'EPERM')) throw error;
    throw new RawcloudError('E_USAGE', `cannot take '${typed}' along: ${absolute} ${why ?? 'cannot be read'}`, { cause: error });
  }
  throw new RawcloudError('E_USAGE', `cannot take '${typed}' along: ${absolute} is neither a file nor a directory`);
}

function placeOf(typed: string, to: string, absolute: string, { root, cwd }: UploadScope): BytePath {
  const refuse = (why: string): RawcloudError =>
    new RawcloudError('E_USAGE', `cannot take '${typed}' along to '${to}': ${why}`, {
      remedy: 'Name a place below the working directory, as data or data/raw; what is to be found elsewhere, the job may link or move.',
    });
  if (to === '' || to.includes('\0')) throw refuse('that is no name');
  if (path.isAbsolute(to)) throw refuse('on the VM, it travels in the tree of the job and not to absolute paths');
  const place = path.resolve(cwd, to.endsWith('/') ? `${to}${path.basename(absolute)}` : to);
  if (place === root) throw refuse('that is the root of the tree');
  if (!isWithin(place, root)) throw refuse('that leads out of the tree of the job');
  if (path.relative(root, place).split('/').includes('.git')) throw refuse('.git never travels');
  return bytePathOf(path.relative(root, place));
}

function refuseSharedPlaces(uploads: readonly Upload[]): void {
  for (const [index, upload] of uploads.entries()) {
    const other = uploads.slice(0, index).find((one) => isBelow(upload.at, one.at) || isBelow(one.at, upload.at));
    // Named twice, or a part of what is named: it travels.
    if (!other || (other.isInPlace && upload.isInPlace)) continue;
    throw new RawcloudError('E_USAGE', `'${other.typed}' and '${upload.typed}' would both be at ${showPath(upload.at)} on the VM`, {
      remedy: 'Give one of them another place: PATH:DEST.',
    });
  }
}

/** Where the content of what travels is read. */
export class Sources {
  constructor(
    private readonly root: string,
    private readonly uploads: readonly Upload[],
  ) {}

  /** What file system calls take for a path of the tree. */
  locate(at: BytePath): string | Buffer {
    const upload = this.uploads.find((one) => isBelow(at, one.at));
    if (!upload) return fsPath(this.root, at);
    return at === upload.at ? upload.source : fsPath(upload.source, at.slice(upload.at.length + 1));
  }

  /** Whether it was named to be taken along whole: then nobody is asked again. */
  isUploaded(at: BytePath): boolean {
    return this.uploads.some((one) => isBelow(at, one.at));
  }
}

/** Whether a path of the tree is another one, or lies below it. */
export function isBelow(at: BytePath, directory: BytePath): boolean {
  return directory === '' || at === directory || at.startsWith(`${directory}/`);
}

function isWithin(file: string, directory: string): boolean {
  return file === directory || directory === '/' || file.startsWith(`${directory}/`);
}
