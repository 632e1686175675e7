import { LOGINS, parseDuration, parseGiB, RawcloudError } from '../../../lib/contract';
import type { Login } from '../../../lib/contract';
import { normalizeRequest, PACKAGE_SOURCES } from '../../../lib/runtime/request';
import type { RunRequest } from '../../../lib/runtime/api';
import type { CliIo } from '../../io';
import type { RunOptions } from '../../options';
import { parseArch, parseCpu, parseMemory, parseSpotPolicy, parseVmTypes } from './hardware';
import { readPackageChoices } from './package-choices';
import { Problems } from './problems';
import { parseUploads } from './uploads';
import { readVariables } from './variables';

/** What the options ask for, apart from stdin and the answer about a large tree, which depend on the moment. */
export type AskedRequest = Omit<RunRequest, 'stdin' | 'confirmLargeTree'>;

/**
 * Makes the request of a command line.
 * @throws E_USAGE with everything that is wrong: text that cannot be read, and requests that the runtime would refuse
 */
export async function readRequest(command: readonly string[], options: RunOptions, io: Pick<CliIo, 'env' | 'cwd'>): Promise<AskedRequest> {
  const problems = new Problems();
  const read = <A, T>(value: A | undefined, parse: (value: A) => T): T | undefined =>
    value === undefined ? undefined : problems.try(() => parse(value));
  const request: AskedRequest = dropUndefined({
    command,
    cwd: io.cwd,
    name: options.name,
    vmTypes: read(options.vmType, parseVmTypes),
    families: options.family,
    spotPolicy: read(options.spotPolicy, parseSpotPolicy),
    cpu: read(options.cpu, parseCpu),
    memoryGiB: read(options.memory, parseMemory),
    arch: read(options.arch, parseArch),
    diskGiB: read(options.disk, (text) => parseGiB(text, '--disk')),
    image: options.image,
    variables: await readVariables({ option: '--env', texts: options.env, files: options.envFile }, io, problems),
    secretVariables: await readVariables({ option: '--secret-env', texts: options.secretEnv, files: options.secretEnvFile }, io, problems),
    logins: read(options.forward, parseLogins),
    timeoutS: read(options.timeout, (text) => parseDuration(text, '--timeout')),
    idleTimeoutS: read(options.idleTimeout, (text) => parseDuration(text, '--idle-timeout')),
    lifetimeS: read(options.maxLifetime, (text) => parseDuration(text, '--max-lifetime')),
    retries: read(options.retries, parseRetries),
    tags: readTags(options.tag ?? [], problems),
    role: options.role,
    credentials: options.credentials ? ('forward' as const) : ('none' as const),
    cache: options.cache ? undefined : ('rebuild' as const),
    packages: read(options.packages, parsePackages),
    devPackages: options.devPackages,
    packageChoices: readPackageChoices(options, problems),
    setup: options.setup,
    setupScript: options.setupScript,
    setupTimeoutS: read(options.setupTimeout, (text) => parseDuration(text, '--setup-timeout')),
    environmentOnly: options.environmentOnly,
    uploads: options.upload && parseUploads(options.upload, io.cwd),
    keep: options.keep,
    root: options.root ?? false,
  });
  checkCombinations(options, problems);
  problems.try(() => normalizeRequest(request, io.cwd));
  problems.throwIfAny('run');
  return request;
}

/** @throws E_USAGE */
export function parseLogins(logins: readonly string[]): Login[] {
  return logins.map((text) => {
    const login = LOGINS.find(
      (known) =>
        known ===
        text
          .toLowerCase()
          .replace(/^(?:hf|hugging-face)$/, 'huggingface')
          .replace(/^kubeconfig$/, 'kube'),
    );
    if (login) return login;
    const ssh = /^ssh/i.test(text) ? '; SSH keys and agents never travel, git goes by https' : '';
    throw new RawcloudError('E_USAGE', `--forward '${text}' is not known; allowed are ${LOGINS.join(', ')}${ssh}`);
  });
}

/** @throws E_USAGE */
export function parsePackages(text: string): (typeof PACKAGE_SOURCES)[number] {
  const source = PACKAGE_SOURCES.find((known) => known === text);
  if (source) return source;
  throw new RawcloudError('E_USAGE', `--packages '${text}' is not known; allowed are ${PACKAGE_SOURCES.join(', ')}`);
}

function parseRetries(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new RawcloudError('E_USAGE', `--retries '${text}' is not a number of retries; allowed are whole numbers, as 3`);
}

function readTags(tags: readonly string[], problems: Problems): Record<string, string> {
  const read = tags.map((text) =>
    problems.try((): [string, string] => {
      const equals = text.indexOf('=');
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw new RawcloudError('E_USAGE', `--tag '${text}' is not a tag; allowed are forms like team=research`);
    }),
  );
  return Object.fromEntries(read.filter((tag) => tag !== undefined));
}

function checkCombinations(options: RunOptions, problems: Problems): void {
  const downloads = options.download === true || options.downloadTo !== undefined;
  if (options.detach && downloads)
    problems.add('--download needs somebody to wait for the files, but --detach leaves; rawcloud download fetches them later');
  if (options.detach && options.dryRun) problems.add('--dry-run launches nothing that could be left with --detach');
  if (options.json && options.quiet) problems.add('--json and --quiet exclude each other');
}

/** Leaves out what was not given, so that the runtime's defaults apply. */
function dropUndefined<T extends object>(request: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as T;
}
