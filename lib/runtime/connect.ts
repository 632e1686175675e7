import os from 'node:os';
import path from 'node:path';
import { amazonLinuxParameter, DEFAULT_SCAFFOLD_NAME, parseScaffold, RawcloudError, scaffoldParameterName } from '../contract';
import type { Arch, Scaffold } from '../contract';
import { openAws } from '../aws/clients';
import type { AwsContext } from '../aws/clients';
import { createEc2Compute } from '../aws/ec2-compute';
import { forwardableCredentials, whoAmI } from '../aws/identity';
import { describeImage } from '../aws/images';
import { readParameter } from '../aws/parameters';
import { createS3Store } from '../aws/s3-store';
import { ensureLocalCloud } from '../local/daemon';
import type { Client, ConnectOptions } from './api';
import { createClient } from './client';
import { systemClock } from './clock';
import { DEFAULT_INTERVALS, LOCAL_INTERVALS } from './deps';
import type { ClientDeps } from './deps';
import { agentArtifact, nodeArtifact } from './launch/artifacts';
import type { Image } from './launch/compile';
import { DEFAULT_PACE, LOCAL_PACE } from './observe/pace';

/**
 * A client for the account (or the local cloud) that the environment points at.
 * @throws E_NO_CREDENTIALS, E_NO_SCAFFOLDING, E_ENDPOINT_DOWN …
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const home = options.env['HOME'] ?? os.homedir();
  const cacheDir = path.join(options.env['XDG_CACHE_HOME'] ?? path.join(home, '.cache'), 'rawcloud');
  const context = await open(options);
  const scaffold = await readScaffold(context, options.scaffold ?? DEFAULT_SCAFFOLD_NAME);
  const identity = await whoAmI(context);
  const local = options.local ?? false;
  return createClient({
    store: createS3Store(context, { bucket: scaffold.bucket, account: scaffold.account }),
    compute: createEc2Compute(context, { scaffold: scaffold.name }),
    scaffold,
    clock: systemClock,
    by: `client ${os.hostname()}:${process.pid}`,
    owner: identity.arn,
    host: os.hostname(),
    local,
    arch: hostArch(),
    vmSystem: local ? process.platform : 'linux',
    cwd: options.cwd,
    home,
    env: options.env,
    cacheDir,
    intervals: local ? LOCAL_INTERVALS : DEFAULT_INTERVALS,
    pace: local ? LOCAL_PACE : DEFAULT_PACE,
    resolveImage: (arch, image) => resolveImage(context, arch, image),
    forward: () => forwardableCredentials(context),
    agentArtifact: () => agentArtifact({}),
    nodeArtifact: (arch, signal) =>
      nodeArtifact({ platform: `${local ? process.platform : 'linux'}-${arch}`, local, cacheDir, env: options.env, ...(signal ? { signal } : {}) }),
    close: async () => context.close(),
  } satisfies ClientDeps);
}
