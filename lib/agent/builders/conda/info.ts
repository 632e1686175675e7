import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { RawcloudError, unlessMissing } from '../../../contract';

/** A path of a package. Source: conda's `info/paths.json`, version 1. */
const PathSchema = v.object({
  _path: v.string(),
  path_type: v.optional(v.string(), 'hardlink'),
  prefix_placeholder: v.optional(v.nullable(v.string())),
  file_mode: v.optional(v.nullable(v.picklist(['text', 'binary']))),
  sha256: v.optional(v.nullable(v.string())),
  size_in_bytes: v.optional(v.nullable(v.number())),
});
export type PackagePath = v.InferOutput<typeof PathSchema>;

const PathsSchema = v.object({ paths: v.array(PathSchema) });

const IndexSchema = v.looseObject({
  name: v.string(),
  version: v.string(),
  build: v.string(),
  build_number: v.optional(v.number(), 0),
  depends: v.optional(v.array(v.string()), []),
  noarch: v.optional(v.union([v.string(), v.boolean(), v.null_()])),
  python_site_packages_path: v.optional(v.nullable(v.string())),
});

const LinkSchema = v.object({ noarch: v.optional(v.object({ type: v.string(), entry_points: v.optional(v.array(v.string()), []) })) });

/** What a package says of itself. */
export interface PackageInfo {
  readonly index: v.InferOutput<typeof IndexSchema>;
  readonly paths: readonly PackagePath[];
  /** Programs that it asks for; present for packages of Python that fit every version. */
  readonly entryPoints?: readonly string[];
}

/** @throws E_INTEGRITY when it does not say what it must */
export async function readInfo(directory: string): Promise<PackageInfo> {
  const info = path.join(directory, 'info');
  const index = await parse(path.join(info, 'index.json'), IndexSchema);
  if (!index) throw new RawcloudError('E_INTEGRITY', 'it has no info/index.json');
  const paths = (await parse(path.join(info, 'paths.json'), PathsSchema))?.paths ?? (await oldPaths(info));
  const outside = paths.find(({ _path: at }) => path.posix.isAbsolute(at) || path.posix.normalize(at).startsWith('..'));
  if (outside) throw new RawcloudError('E_INTEGRITY', `its path ${outside._path} leads out of the environment`);
  const noarch = (await parse(path.join(info, 'link.json'), LinkSchema))?.noarch;
  const isPython = index.noarch === 'python' || noarch?.type === 'python';
  return { index, paths, ...(isPython ? { entryPoints: noarch?.entry_points ?? [] } : {}) };
}

async function parse<const S extends v.GenericSchema>(file: string, schema: S): Promise<v.InferOutput<S> | undefined> {
  const text = await unlessMissing(readFile(file, 'utf8'), undefined);
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (result.success) return result.output;
  throw new RawcloudError('E_INTEGRITY', `its info/${path.basename(file)} cannot be read`);
}

/** What conda took for the place of the environment before each file named it. */
const OLD_PLACEHOLDER = '/opt/anaconda1anaconda2anaconda3';

/** Packages from before 2017 have lists: `files`, and `has_prefix` with placeholder, mode and path. */
async function oldPaths(info: string): Promise<PackagePath[]> {
  const read = (name: string): Promise<string> => unlessMissing(readFile(path.join(info, name), 'utf8'), '');
  const [files, prefixes] = await Promise.all([read('files'), read('has_prefix')]);
  const named = new Map(
    linesOf(prefixes)
      .map(prefixLine)
      .map((line) => [line._path, line]),
  );
  return linesOf(files).map((at) => named.get(at) ?? { _path: at, path_type: 'hardlink' });
}

function prefixLine(line: string): PackagePath {
  const [, placeholder, mode, at] = /^"?([^"\s]+)"?\s+"?(text|binary)"?\s+"?([^"]+)"?$/.exec(line) ?? [];
  return {
    _path: at ?? line,
    path_type: 'hardlink',
    prefix_placeholder: placeholder ?? OLD_PLACEHOLDER,
    file_mode: mode === 'binary' ? 'binary' : 'text',
  };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
