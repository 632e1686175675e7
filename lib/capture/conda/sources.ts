import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapBounded, RawcloudError, unlessMissing } from '../../contract';
import type { CondaPackage, SourceContent } from '../../contract';
import { contentOf } from '../layer';
import { plainUrl } from './channels';
import type { CondaRecord } from './records';

/** What a VM needs to have the packages: where each comes from, and what it cannot get itself. */
export interface CondaSources {
  readonly packages: readonly CondaPackage[];
  readonly contents: readonly SourceContent[];
  readonly secrets: Readonly<Record<string, string>>;
}

/** A package, as far as it tells where it came from. */
export type CondaOrigin = Pick<CondaRecord, 'name' | 'version' | 'build'> &
  Partial<Pick<CondaRecord, 'url' | 'channel' | 'subdir' | 'fn' | 'sha256' | 'md5'>>;

interface Source {
  readonly made?: CondaPackage;
  readonly content?: SourceContent;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly refused?: string;
}

/** Archives read at once; each is in memory. */
const CONCURRENCY = 2;

/** @throws E_PACKAGE naming each package of which nobody knows where it came from, or whose archive is gone */
export async function sourcesOf(records: readonly CondaOrigin[], title: string): Promise<CondaSources> {
  const all = await mapBounded(records, CONCURRENCY, sourceOf);
  const refused = all.flatMap((source) => source.refused ?? []);
  if (refused.length > 0) {
    const count = refused.length === 1 ? 'a package' : `${refused.length} packages`;
    throw new RawcloudError('E_PACKAGE', `${count} of ${title} cannot be carried: ${refused.join(', ')}`, {
      remedy: 'Install them again here, from a channel or from an archive that stays where it is: conda install --force-reinstall …',
      data: { packages: refused.map((text) => text.split(' ')[0]!) },
    });
  }
  return {
    packages: all.flatMap(({ made }) => made ?? []),
    contents: all.flatMap(({ content }) => content ?? []),
    secrets: Object.assign({}, ...all.map(({ secrets }) => secrets ?? {})) as Record<string, string>,
  };
}

async function sourceOf(record: CondaOrigin): Promise<Source> {
  const { name, version, build } = record;
  const plain = plainUrl(urlOf(record) ?? '');
  if (!plain) return { refused: `${name} (its record names no URL)` };
  const file = path.posix.basename(new URL(plain.url).pathname);
  if (!/\.(conda|tar\.bz2)$/.test(file)) return { refused: `${name} (its record names ${file}, which is no conda package)` };
  const hashes = { ...(record.sha256 ? { sha256: record.sha256 } : {}), ...(record.md5 ? { md5: record.md5 } : {}) };
  const made = { name, version, build, url: plain.url, ...hashes };
  if (!plain.url.startsWith('file:')) return { made, secrets: plain.secrets };
  return carryArchive({ ...made, url: file }, fileURLToPath(plain.url));
}

function urlOf({ url, channel, subdir, fn }: CondaOrigin): string | undefined {
  if (url) return url;
  if (!channel || !fn || !URL.canParse(channel)) return undefined;
  const base = channel.replace(/\/$/, '');
  return [base, ...(subdir && !base.endsWith(`/${subdir}`) ? [subdir] : []), fn].join('/');
}

/** An archive of this machine, as `conda build` and `conda install ./x.conda` leave it. */
async function carryArchive(made: CondaPackage, file: string): Promise<Source> {
  const bytes = await unlessMissing(readFile(file), undefined);
  if (bytes === undefined) return { refused: `${made.name} (installed from ${file}, which is gone)` };
  const content = contentOf(bytes);
  const same =
    made.sha256 === undefined
      ? made.md5 === undefined || made.md5 === createHash('md5').update(bytes).digest('hex')
      : made.sha256 === content.sha256;
  if (!same) return { refused: `${made.name} (${file} is no longer what was installed)` };
  return { made: { ...made, content: content.sha256 }, content };
}
