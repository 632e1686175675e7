import type { MetadataDirectory, MetadataNode } from './metadata';

/** Versions that are answered besides `latest`, newest last; others are 404. Source: the list that `GET /` gives on EC2. */
export const VERSIONS = [
  '2016-09-02',
  '2018-09-24',
  '2019-10-01',
  '2020-10-27',
  '2021-01-03',
  '2021-03-23',
  '2021-07-15',
  '2022-09-24',
  '2024-04-11',
];

/**
 * Content of a path, or the listing of a directory: one name a line, directories with a slash at the end.
 * @param path as sent, without the query
 * @returns undefined for 404
 */
export function lookUp(path: string, latest: MetadataDirectory): string | Uint8Array | undefined {
  const [version, ...rest] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  if (version === undefined) return [...VERSIONS, 'latest'].join('\n');
  if (version !== 'latest' && !VERSIONS.includes(version)) return undefined;
  const node = rest.reduce<MetadataNode | undefined>(enter, latest);
  if (node === undefined) return undefined;
  if (typeof node === 'function') return node();
  return isDirectory(node) ? list(node) : node;
}

function enter(node: MetadataNode | undefined, name: string): MetadataNode | undefined {
  return node !== undefined && isDirectory(node) && Object.hasOwn(node, name) ? node[name] : undefined;
}

function list(directory: MetadataDirectory): string {
  const names = Object.keys(directory).filter((name) => directory[name] !== undefined);
  return names
    .map((name) => (isDirectory(directory[name]!) ? `${name}/` : name))
    .sort()
    .join('\n');
}

function isDirectory(node: MetadataNode): node is MetadataDirectory {
  return typeof node === 'object' && !(node instanceof Uint8Array);
}

/** Tag keys may hold spaces. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
