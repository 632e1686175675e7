import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { maxSatisfying } from 'semver';
import * as v from 'valibot';
import { RawcloudError } from '../contract';
import type { SourceContent } from '../contract';
import { contentOf } from './layer';

/** A package of the npm registry as it was packed, and its version. */
export interface Tarball {
  readonly version: string;
  readonly content: SourceContent;
}

export interface TarballOptions {
  readonly name: string;
  /** An exact version, or a range: then the newest that is here already, else the newest that the registry has. */
  readonly range: string;
  /** Whether what is here already may answer for a range. */
  readonly any: boolean;
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

const PackedSchema = v.object({ filename: v.string(), version: v.string() });

/** npm 12 gives a record by name where older ones give a list. */
const AnswerSchema = v.union([
  v.array(PackedSchema),
  v.pipe(
    v.record(v.string(), PackedSchema),
    v.transform((packed) => Object.values(packed)),
  ),
]);

/**
 * Fetched with the user's own npm, so that the user's registry, proxy, certificates and credentials apply; npm checks it against
 * the registry's hash. Kept in the cache under the SHA-256 that it then had, and checked again whenever it is taken out.
 * @throws E_PACKAGE when npm is missing or cannot fetch it
 */
export async function fetchTarball(options: TarballOptions): Promise<Tarball> {
  const directory = path.join(options.cacheDir, 'registry', options.name.replace('/', '+'));
  const cached = await takeCached(directory, options);
  if (cached) return cached;
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(path.join(directory, 'fetch-'));
  try {
    const { filename, version } = await pack(scratch, options);
    const content = contentOf(await readFile(path.join(scratch, path.basename(filename))));
    await writeFile(path.join(scratch, 'kept'), content.bytes);
    // Two that fetch at once write the same.
    await rename(path.join(scratch, 'kept'), path.join(directory, `${version}.${content.sha256}.tgz`));
    return { version, content };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function takeCached(directory: string, { range, any }: TarballOptions): Promise<Tarball | undefined> {
  const names = await readdir(directory).catch(() => []);
  const kept = names.flatMap((name) => {
    const [, version, sha256] = /^(.+)\.([0-9a-f]{64})\.tgz$/.exec(name) ?? [];
    return version !== undefined && sha256 !== undefined ? [{ name, version, sha256 }] : [];
  });
  const version = any
    ? maxSatisfying(
        kept.map((one) => one.version),
        range,
      )
    : range;
  const found = kept.find((one) => one.version === version);
  if (!found) return undefined;
  const bytes = await readFile(path.join(directory, found.name));
  // A damaged one is fetched anew.
  const isWhole = createHash('sha256').update(bytes).digest('hex') === found.sha256;
  return isWhole ? { version: found.version, content: { sha256: found.sha256, bytes } } : undefined;
}

async function pack(scratch: string, { name, range, env, signal }: TarballOptions): Promise<v.InferOutput<typeof PackedSchema>> {
  const asked = `${name}@${range}`;
  const options = { cwd: scratch, env, maxBuffer: 2 ** 26, ...(signal ? { signal } : {}) };
  const { stdout } = await promisify(execFile)('npm', ['pack', asked, '--json', '--ignore-scripts'], options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw cannotFetch(asked, error);
  });
  return v.parse(AnswerSchema, JSON.parse(stdout))[0]!;
}

/** What execFile rejects with: `code` is a system error's name or the exit code. */
const FailureSchema = v.object({ code: v.optional(v.unknown()), stderr: v.optional(v.string(), '') });

function cannotFetch(asked: string, cause: unknown): RawcloudError {
  const { code: systemCode, stderr } = v.parse(FailureSchema, cause);
  if (systemCode === 'ENOENT') {
    return new RawcloudError('E_PACKAGE', `${asked} travels as npm fetches it, and there is no npm on PATH`, {
      remedy: 'Install npm; it is needed once per machine and version.',
      cause,
    });
  }
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(stderr)?.[1];
  return new RawcloudError('E_PACKAGE', `npm could not fetch ${asked}${code ? ` (${code})` : ''}`, {
    remedy: `Check with 'npm view ${asked}' that the registry npm is configured for can be reached and has it; it is needed once per machine and version.`,
    retryable: true,
    cause,
  });
}
