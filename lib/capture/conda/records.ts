import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { mapBounded, RawcloudError, unlessMissing } from '../../contract';
import { condaMeta } from './environment';

/** A file of conda-meta, as far as it is used. Source: conda's and rattler's PrefixRecord. */
const RecordSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9_.][a-z0-9_.-]*$/i)),
  version: v.pipe(v.string(), v.regex(/^[^\s/=]+$/)),
  build: v.pipe(v.string(), v.regex(/^[^\s/=]*$/)),
  subdir: v.optional(v.nullable(v.string())),
  url: v.optional(v.nullable(v.string())),
  channel: v.optional(v.nullable(v.string())),
  fn: v.optional(v.nullable(v.string())),
  sha256: v.optional(v.nullable(v.string())),
  md5: v.optional(v.nullable(v.string())),
  depends: v.optional(v.array(v.string()), []),
  files: v.optional(v.array(v.string()), []),
  /** What was typed. Source: conda's PrefixRecord; rattler's has a list. */
  requested_spec: v.optional(v.nullable(v.string())),
  requested_specs: v.optional(v.nullable(v.array(v.string()))),
  python_site_packages_path: v.optional(v.nullable(v.string())),
});

/** A package as the environment records it. */
export interface CondaRecord extends v.InferOutput<typeof RecordSchema> {
  /** The file of conda-meta. */
  readonly file: string;
  /** Of its files, where they are recorded with sizes. */
  readonly bytes: number;
  /** Somebody asked for it by name. */
  readonly isRequested: boolean;
}

/** Records read at the same time; those of large packages have megabytes. */
const CONCURRENCY = 8;

/**
 * All packages of an environment, each after those that it depends on, else by name.
 * @throws E_PACKAGE naming each record that cannot be read, and packages that are there twice
 */
export async function readRecords(prefix: string): Promise<CondaRecord[]> {
  const directory = condaMeta(prefix);
  const names = (await unlessMissing(readdir(directory), [])).filter((name) => name.endsWith('.json')).sort();
  const read = await mapBounded(names, CONCURRENCY, (name) => readRecord(path.join(directory, name)));
  const broken = read.flatMap((found) => ('broken' in found ? [found.broken] : []));
  if (broken.length > 0) {
    throw new RawcloudError('E_PACKAGE', `the conda environment ${prefix} has records that cannot be read: ${broken.join(', ')}`, {
      remedy: "Install those packages again: 'conda install --force-reinstall NAME' (pixi: 'pixi reinstall NAME').",
    });
  }
  const records = read.flatMap((found) => ('record' in found ? [found.record] : []));
  refuseTwins(records, prefix);
  return inOrder(records);
}

async function readRecord(file: string): Promise<{ readonly record: CondaRecord } | { readonly broken: string }> {
  const name = path.basename(file);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return { broken: `${name} (no JSON)` };
    throw error;
  }
  const parsed = v.safeParse(RecordSchema, content);
  if (parsed.success) {
    return { record: { ...parsed.output, file, bytes: bytesIn(content), isRequested: isRequested(parsed.output) } };
  }
  const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'no object');
  return { broken: `${name} (${[...new Set(fields)].join(', ')})` };
}

/** Not checked entry by entry: a large package has ten thousands, and it is for people. Source: conda's and rattler's PathsData. */
function bytesIn(record: unknown): number {
  const { paths } = (record as { paths_data?: { paths?: unknown } | null }).paths_data ?? {};
  if (!Array.isArray(paths)) return 0;
  return (paths as readonly ({ size_in_bytes?: unknown } | null)[]).reduce((sum, one) => sum + (Number(one?.size_in_bytes) || 0), 0);
}

/** conda writes `None` of what came because others need it. */
function isRequested({ requested_spec: spec, requested_specs: specs }: v.InferOutput<typeof RecordSchema>): boolean {
  return (specs ?? []).length > 0 || ((spec ?? 'None') !== 'None' && spec !== '');
}

function refuseTwins(records: readonly CondaRecord[], prefix: string): void {
  const known = new Map<string, CondaRecord>();
  for (const record of records) {
    const other = known.get(record.name);
    if (other !== undefined) {
      throw new RawcloudError(
        'E_PACKAGE',
        `the conda environment ${prefix} records ${record.name} twice: ${path.basename(other.file)} and ${path.basename(record.file)}`,
        { remedy: `Remove it until it is gone, and install it again: conda remove --force ${record.name}.` },
      );
    }
    known.set(record.name, record);
  }
}

/** conda links in this order; who writes a file last, wins. */
export function inOrder<R extends { readonly name: string; readonly depends: readonly string[] }>(records: readonly R[]): R[] {
  const byName = new Map(records.map((record) => [record.name, record]));
  const done = new Set<R>();
  const add = (record: R, above: ReadonlySet<R>): void => {
    if (done.has(record) || above.has(record)) return;
    const within = new Set([...above, record]);
    for (const name of neededBy(record)) {
      const needed = byName.get(name);
      if (needed) add(needed, within);
    }
    done.add(record);
  };
  for (const record of records) add(record, new Set());
  return [...done];
}

/** Names in `depends`: `python >=3.10,<3.11.0a0`. */
export function neededBy({ depends }: { readonly depends: readonly string[] }): string[] {
  return depends.map((spec) => /^(?:.*::)?([^\s=<>!~[]+)/.exec(spec)?.[1] ?? '').sort();
}
