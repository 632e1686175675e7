import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { RawcloudError } from '../../contract';
import type { CdkPackages, CdkTools } from '../../contract';
import { npmFailure } from '../npm-failure';
import { CDK_PINS } from './pins';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PackageOptions {
  /** Where rawcloud's own package is: what lies beside it is taken, as in a clone. */
  readonly packageRoot: string;
  readonly cacheDir: string;
  readonly env: Environment;
  /** Loads the tools. @param modules a node_modules that has the packages */
  readonly open: (modules: string) => Promise<CdkTools>;
}

/**
 * The CDK's packages: those that are installed beside rawcloud, where all are; else a directory of our own in the user's cache,
 * whose name changes with the pins, so that it never has to be brought up to date.
 */
export function cdkPackages({ packageRoot, cacheDir, env, open }: PackageOptions): CdkPackages {
  const beside = modulesBeside(packageRoot);
  const id = createHash('sha256').update(JSON.stringify(CDK_PINS)).digest('hex').slice(0, 12);
  const directory = beside ?? path.join(cacheDir, 'cdk', id);
  const modules = beside ?? path.join(directory, 'node_modules');
  return {
    packages: CDK_PINS,
    directory,
    isThere: () => Promise.resolve(beside !== undefined || existsSync(modules)),
    install: (signal) => install(directory, env, signal),
    open: () => open(modules),
  };
}

/** The node_modules that has all of them and that Node finds from the package; undefined when one is missing. */
function modulesBeside(packageRoot: string): string | undefined {
  const paths = createRequire(path.join(packageRoot, 'package.json')).resolve.paths('aws-cdk-lib') ?? [];
  return paths.find((modules) => Object.keys(CDK_PINS).every((name) => existsSync(path.join(modules, name, 'package.json'))));
}

/** Made aside and renamed: what is there is whole, and of two that make it at once the second takes the first's. */
async function install(directory: string, env: Environment, signal?: AbortSignal): Promise<void> {
  await mkdir(path.dirname(directory), { recursive: true });
  const aside = await mkdtemp(`${directory}.`);
  try {
    const manifest = { name: 'rawcloud-cdk', private: true, dependencies: CDK_PINS };
    await writeFile(path.join(aside, 'package.json'), JSON.stringify(manifest));
    await npmInstall(aside, env, signal);
    if (!existsSync(directory)) await rename(aside, directory);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** By the user's own npm, so that registry, proxy and certificates are the user's. No package's script is run. */
async function npmInstall(cwd: string, env: Environment, signal?: AbortSignal): Promise<void> {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  try {
    await promisify(execFile)('npm', args, { cwd, env, maxBuffer: 16 * 2 ** 20, ...(signal ? { signal } : {}) });
  } catch (cause) {
    signal?.throwIfAborted();
    const { missing, code } = npmFailure(cause);
    if (missing) {
      throw new RawcloudError('E_ENVIRONMENT', 'the CDK is installed by npm, and there is no npm on PATH', {
        remedy: 'Install npm; it is needed once per machine and version.',
        cause,
      });
    }
    throw new RawcloudError('E_ENVIRONMENT', `npm could not install the packages of the CDK${code}`, {
      remedy: `Check with 'npm view aws-cdk-lib@${CDK_PINS['aws-cdk-lib']}' that the registry npm is configured for can be reached and has it.`,
      retryable: true,
      cause,
    });
  }
}
