import os from 'node:os';
import path from 'node:path';
import { RawcloudError, systemClock, VERSION } from '../../contract';
import { createDeploymentLook } from '../../aws/deployment-look';
import type { ConnectOptions } from '../api';
import { cacheDirectory } from '../cache-directory';
import { openDoctor } from '../doctor/open';
import { openContext } from '../open-context';
import { packageRoot } from '../package-root';
import { openCdk } from './cdk';
import type { DeployDeps, DeployRequest } from './deps';
import { deploy } from './deploy';
import { cdkPackages } from './packages';

/** The deployment into the account that the options name. */
export interface Deployment {
  /** Once. When it is interrupted, what CloudFormation has begun goes on, and the CDK's look at it until the process ends. */
  deploy(request: DeployRequest, options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

/** @throws E_USAGE when no region is known, or for the local cloud, which sets itself up */
export async function openDeployment(options: ConnectOptions): Promise<Deployment> {
  if (options.local) {
    throw new RawcloudError('E_USAGE', 'the local cloud sets itself up when it is needed: there is nothing to deploy into it', {
      remedy: 'Leave out --local (and RAWCLOUD_LOCAL), or go on: rawcloud run --local echo hello',
    });
  }
  const { env } = options;
  const { context } = await openContext(options);
  const root = packageRoot(__dirname);
  const cacheDir = cacheDirectory(env, env['HOME'] ?? os.homedir());
  const app = path.join(root, 'dist', 'bin', 'app.js');
  const credentials = (): ReturnType<typeof context.credentials> => context.credentials();
  const deps: DeployDeps = {
    look: createDeploymentLook(context),
    packages: cdkPackages({
      packageRoot: root,
      cacheDir,
      env,
      open: (modules) => openCdk({ modules, app, env, region: context.region, credentials }),
    }),
    version: VERSION,
    clock: systemClock,
    async *examine(signal) {
      const doctor = await openDoctor(options);
      try {
        yield* doctor.examine(signal ? { signal } : {});
      } finally {
        await doctor.close();
      }
    },
  };
  return {
    deploy: (request, { signal } = {}) => deploy(deps, request, signal),
    close: async () => context.close(),
  };
}
