import os from 'node:os';
import path from 'node:path';
import {
  amazonLinuxParameter,
  DEFAULT_SCAFFOLD_NAME,
  parseScaffold,
  RawcloudError,
  scaffoldParameterName,
  scaffoldUpdateCommand,
} from '../contract';
import type { Arch, Scaffold } from '../contract';
import type { AwsContext } from '../aws/clients';
import { createDeployedJobs } from '../aws/deployed-jobs';
import { createEc2Compute, loadEc2 } from '../aws/ec2-compute';
import { createEc2Remains } from '../aws/ec2-remains';
import { createEventBus } from '../aws/event-bus';
import { forwardableCredentials, whoAmI } from '../aws/identity';
import { describeImage } from '../aws/images';
import { createMarketSource } from '../aws/market-source';
import { createOtherRegions } from '../aws/other-regions';
import { readParameter } from '../aws/parameters';
import { createS3Store } from '../aws/s3-store';
import type { ConnectOptions } from './api';
import { cacheDirectory } from './cache-directory';
import { DEFAULT_INTERVALS, LOCAL_INTERVALS } from './deps';
import type { ClientDeps } from './deps';
import { agentArtifact, nodeArtifact } from './launch/artifacts';
import type { Image } from './launch/compile';
import { MarketKeeper } from './market/keeper';
import { openContext } from './open-context';
import { DEFAULT_PACE, LOCAL_PACE } from './observe/pace';
import { packageRoot } from './package-root';

/**
 * What a client works with, in the account (or the local cloud) that the environment points at. Whoever gets it closes it.
 * @throws E_NO_CREDENTIALS, E_NO_SCAFFOLDING, E_ENDPOINT_DOWN, E_LOCAL_CLOUD
 */
export async function openDeps(options: ConnectOptions): Promise<ClientDeps> {
  const { env, cwd, local = false } = options;
  const { context, shippedNode } = await openContext(options);
  const asked = Promise.all([readScaffold(context, options.scaffold ?? DEFAULT_SCAFFOLD_NAME, local), whoAmI(context)]);
  // While these are on their way.
  loadEc2();
  const [scaffold, caller] = await asked;
  const home = env['HOME'] ?? os.homedir();
  const cacheDir = cacheDirectory(env, home);
  const vmSystem = local ? process.platform : 'linux';
  const store = createS3Store(context, { bucket: scaffold.bucket, account: scaffold.account });
  const source = createMarketSource(context);
  const market = new MarketKeeper({ store, source, clock: context.clock, region: scaffold.region });
  return {
    store,
    prices: source,
    market,
    deployed: createDeployedJobs(context, scaffold),
    compute: createEc2Compute(context),
    remains: createEc2Remains(context),
    otherRegions: createOtherRegions(context),
    events: createEventBus(context, scaffold),
    scaffold,
    clock: context.clock,
    by: `client ${os.hostname()}:${process.pid}`,
    owner: caller.arn,
    host: os.hostname(),
    local,
    arch: hostArch(),
    vmSystem,
    here: `${process.platform}-${hostArch()}`,
    cwd,
    home,
    env,
    cacheDir,
    readerProgram: path.join(packageRoot(__dirname), 'dist', 'bin', 'read-files.js'),
    intervals: local ? LOCAL_INTERVALS : DEFAULT_INTERVALS,
    pace: local ? LOCAL_PACE : DEFAULT_PACE,
    resolveImage: (arch, image) => resolveImage(context, arch, image),
    forward: async () => ({ arn: caller.arn, credentials: await forwardableCredentials(context) }),
    agentArtifact: () => agentArtifact(),
    nodeArtifact: (arch, signal) =>
      nodeArtifact({
        platform: `${vmSystem}-${arch}`,
        local,
        cacheDir,
        env,
        ...(shippedNode ? { shipped: shippedNode } : {}),
        ...(signal ? { signal } : {}),
      }),
    close: async () => {
      await market.close();
      context.close();
    },
  };
}

/** @throws E_NO_SCAFFOLDING, E_NEWER */
export async function readScaffold(context: AwsContext, name: string, local: boolean): Promise<Scaffold> {
  const text = await readParameter(context, scaffoldParameterName(name));
  if (text !== undefined) return parseScaffold(text);
  throw new RawcloudError(
    'E_NO_SCAFFOLDING',
    `there is no rawcloud scaffolding '${name}' in ${context.region}${local ? ' of the local cloud' : ''}`,
    {
      remedy: local
        ? 'Leave out --scaffold, or start afresh with: rawcloud local reset'
        : `An administrator lays it down once: ${scaffoldUpdateCommand(name, context.region)}. To try without an account: --local.`,
    },
  );
}

async function resolveImage(context: AwsContext, arch: Arch, image: string | undefined): Promise<Image> {
  if (image === undefined) return { id: await newestAmazonLinux(context, arch), rootDevice: '/dev/xvda' };
  const facts = await describeImage(context, image);
  if (facts.arch === arch) return facts;
  throw new RawcloudError('E_HARDWARE', `image ${image} is for ${facts.arch}, but the job is for ${arch}`, {
    remedy: `Give --arch ${facts.arch}, or another image.`,
  });
}

async function newestAmazonLinux(context: AwsContext, arch: Arch): Promise<string> {
  const name = amazonLinuxParameter(arch);
  const id = await readParameter(context, name);
  if (id !== undefined) return id;
  throw new RawcloudError('E_AWS_REQUEST', `${context.region} has no public parameter ${name}, so the newest Amazon Linux is not known`, {
    remedy: 'Give --image ami-…',
  });
}

function hostArch(): Arch {
  return process.arch === 'arm64' ? 'arm64' : 'x86_64';
}
