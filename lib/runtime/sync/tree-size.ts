import { formatSize, parentOf, RawcloudError, showPath } from '../../contract';
import type { BytePath } from '../../contract';
import type { TreeSize } from '../api';

export interface SizedFile {
  readonly path: BytePath;
  readonly bytes: number;
}

const LARGEST = 10;

/** Most of a directory's bytes: then its one large child is the better name for them. */
const MOST = 0.9;

/** Files, bytes, and where most of them are. */
export function treeSize(files: readonly SizedFile[]): TreeSize {
  const sums = new Map<BytePath, number>();
  const children = new Map<BytePath, Set<BytePath>>();
  for (const { path, bytes } of files) {
    for (let at = path; at !== ''; at = parentOf(at)) {
      sums.set(at, (sums.get(at) ?? 0) + bytes);
      const parent = parentOf(at);
      const siblings = children.get(parent) ?? new Set();
      children.set(parent, siblings.add(at));
    }
  }
  const largestOf = (directory: BytePath): { path: BytePath; bytes: number }[] =>
    [...(children.get(directory) ?? [])]
      .map((path) => ({ path, bytes: sums.get(path)! }))
      .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  const name = ({ path, bytes }: SizedFile): SizedFile => {
    const [child] = largestOf(path);
    return child && child.bytes >= bytes * MOST ? name(child) : { path, bytes };
  };
  return {
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    largest: largestOf('')
      .slice(0, LARGEST)
      .map(name)
      .map(({ path, bytes }) => ({ path: showPath(path), bytes })),
  };
}

export function treeTooLarge(size: TreeSize, limitBytes: number): RawcloudError {
  const list = size.largest.map(({ path, bytes }) => `${path} (${formatSize(bytes)})`).join(', ');
  return new RawcloudError(
    'E_TREE_TOO_LARGE',
    `${formatSize(size.bytes)} in ${size.files} files would be uploaded; more than ${formatSize(limitBytes)} travels only when you say so. Largest: ${list}`,
    {
      remedy: 'Say yes when asked in a terminal, leave files out with .rawcloudignore, or put large data in a bucket that the job reads.',
      data: { size, limitBytes },
    },
  );
}
