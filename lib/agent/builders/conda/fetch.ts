import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout } from 'node:timers/promises';
import { CONDA_SECRETS, isRawcloudError, RawcloudError } from '../../../contract';
import type { BuildIo, CondaPackage, CondaRecipe } from '../../../contract';

/** A connection that was reset, or a channel that is busy, costs one more request. */
const TRIES = 4;
const FIRST_PAUSE_MS = 500;

/**
 * Writes a package's archive to a file, checked.
 * @param credentials where those of channels were found, by origin
 * @throws E_ENVIRONMENT that names the package, never a token
 */
export async function fetchPackage(
  wanted: CondaPackage,
  file: string,
  io: BuildIo,
  credentials: CondaRecipe['credentials'] = {},
): Promise<void> {
  if (wanted.content !== undefined) {
    return writeFile(file, await io.source(wanted.content));
  }
  const hashes = await download(wanted.url, file, { name: wanted.name, credentials }, io);
  const [kind, asked] = wanted.sha256 === undefined ? (['md5', wanted.md5] as const) : (['sha256', wanted.sha256] as const);
  if (asked === undefined || hashes[kind] === asked.toLowerCase()) return;
  throw new RawcloudError('E_ENVIRONMENT', `${wanted.name}: what ${wanted.url} gives has ${kind} ${hashes[kind]} instead of ${asked}`, {
    remedy: 'The channel gives something else than what is installed here. Install the package again, and run again.',
    data: { package: wanted.name },
  });
}

interface Asked {
  readonly name: string;
  readonly credentials: Readonly<Record<string, string>>;
}

/** Hashes of what was written. @throws E_ENVIRONMENT that names the package */
async function download(url: string, file: string, asked: Asked, io: BuildIo): Promise<{ readonly sha256: string; readonly md5: string }> {
  for (let tries = 1; ; tries++) {
    try {
      return await downloadOnce(url, file, asked, io);
    } catch (error) {
      await rm(file, { force: true });
      io.signal.throwIfAborted();
      if (isRawcloudError(error)) throw error;
      if (tries === TRIES) throw unreachable(url, asked.name, error);
      io.log(`${asked.name}: ${reasonOf(error)}, once more`);
      await setTimeout(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal: io.signal });
    }
  }
}

async function downloadOnce(url: string, file: string, asked: Asked, io: BuildIo): Promise<{ sha256: string; md5: string }> {
  const { address, headers } = withCredentials(url, io.secrets);
  const response = await fetch(address, { headers, signal: io.signal });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    if (response.status === 429 || response.status >= 500) throw new Error(`the channel answers ${response.status}`);
    throw refused(url, asked, response.status, io);
  }
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  await pipeline(
    Readable.fromWeb(response.body as ReadableStream<Uint8Array>),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        sha256.update(chunk);
        md5.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
    { signal: io.signal },
  );
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** The URL as it is asked for: with token and login where the developer has them, those for the channel before those for the host. */
export function withCredentials(plain: string, secrets: BuildIo['secrets']): { address: string; headers: Record<string, string> } {
  const url = new URL(plain);
  const headers: Record<string, string> = {};
  const of = (kind: string): string | undefined => {
    const names = Object.keys(secrets).filter((name) => name.startsWith(kind) && isUnder(plain, name.slice(kind.length)));
    const [longest] = names.sort((a, b) => b.length - a.length);
    return longest === undefined ? undefined : secrets[longest];
  };
  const [token, login, bearer] = [of(CONDA_SECRETS.token), of(CONDA_SECRETS.login), of(CONDA_SECRETS.bearer)];
  if (token !== undefined) url.pathname = `/t/${token}${url.pathname}`;
  if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
  if (login !== undefined) {
    const { username, password } = new URL(login);
    headers['authorization'] = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  }
  return { address: url.href, headers };
}

function isUnder(url: string, scope: string): boolean {
  return url.startsWith(scope.endsWith('/') ? scope : `${scope}/`);
}

function refused(url: string, { name, credentials }: Asked, status: number, { secrets }: BuildIo): RawcloudError {
  const isSecret = status === 401 || status === 403;
  const why = isSecret
    ? `the channel asks for credentials (${status}); tried were ${triedFor(url, credentials, secrets)}`
    : `it is no longer there (${status})`;
  return new RawcloudError('E_ENVIRONMENT', `${name} cannot be fetched from ${url}: ${why}`, {
    remedy: isSecret
      ? 'Check here that they are right and have not expired: install the package anew. They are taken from the URL that it was installed from ' +
        '(https://HOST/t/TOKEN/CHANNEL), condarc, the files of pixi auth login and micromamba auth login, and netrc, and travel sealed.'
      : "Install a build that the channel has: 'conda install NAME', and run again.",
    data: { package: name },
  });
}

function triedFor(url: string, credentials: Asked['credentials'], secrets: BuildIo['secrets']): string {
  const { address, headers } = withCredentials(url, secrets);
  if (address === new URL(url).href && headers['authorization'] === undefined) return 'none, since none were found here';
  return `those of ${credentials[new URL(url).origin] ?? 'the URL that it was installed from'}`;
}

function unreachable(url: string, what: string, cause: unknown): RawcloudError {
  return new RawcloudError('E_ENVIRONMENT', `${what} cannot be fetched from ${url}: ${reasonOf(cause)}`, {
    remedy: "A VM needs access to the channel: see that its subnet has access to the internet, or to the channel's mirror.",
    data: { package: what },
    cause,
  });
}

/** What fetch says is `fetch failed`; what happened is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
