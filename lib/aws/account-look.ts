import type { _InstanceType, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { RawcloudError, systemClock } from '../contract';
import type { AccountLook, AskedCall, Clock, FoundSubnet } from '../contract';
import type { AwsContext } from './clients';
import { classify, toRawcloudError, wording } from './errors';
import { forwardableCredentials, whoAmI } from './identity';
import { describeImage } from './images';
import { readParameter } from './parameters';
import { gp3Price } from './pricing';
import { dnsSuffix } from './service-call';
import { ec2Quota, ec2Quotas } from './service-quotas';
import { vcpusByQuota } from './vcpus-in-use';
import { Connections } from './wire/call';

type Ec2Sdk = typeof import('./sdk/ec2.js');

const ec2Sdk = (): Promise<Ec2Sdk> => import('./sdk/ec2.js');

/** STS allows sessions of 15 minutes at least (API reference, GetSessionToken). */
const SHORTEST_SESSION_S = 900;

/** A type that every region sells, for questions whose answer nobody looks at. */
const COMMON_TYPE: _InstanceType = 'c7g.large';
const STANDARD_VCPUS = 'L-1216C47A';

/**
 * The account through the SDK.
 * @param clock this machine's, not put right by AWS
 */
export function createAccountLook(context: AwsContext, clock: Clock = systemClock): AccountLook {
  const { region } = context;
  return {
    region,
    identity: async () => {
      const { arn, account } = await whoAmI(context);
      const { sessionToken, expiresAt } = await context.credentials();
      const found = await context.credentialsFrom();
      return { arn, account, found, temporary: sessionToken !== undefined, ...(expiresAt ? { expiresAt } : {}) };
    },
    clockDifference: (signal) => clockDifference(context, clock, signal),
    parameter: (name) => readParameter(context, name),
    image: (id) => describeImage(context, id),
    defaultVpc: (signal) => defaultVpc(context, signal),
    subnets: (which, signal) => subnets(context, which, signal),
    bucketRegion: (bucket, account, signal) => bucketRegion(context, bucket, account, signal),
    tryAbort: (bucket, key, signal) => tryAbort(context, bucket, key, signal),
    tryLaunch: (request, signal) =>
      dryRun('ec2:RunInstances', async () => {
        const { RunInstancesCommand } = await ec2Sdk();
        const input = { ...(JSON.parse(request) as RunInstancesCommandInput), DryRun: true };
        await (await context.ec2Once()).send(new RunInstancesCommand(input), { abortSignal: signal });
      }),
    tryTerminate: (id, signal) =>
      dryRun('ec2:TerminateInstances', async () => {
        const { TerminateInstancesCommand } = await ec2Sdk();
        await (await context.ec2()).send(new TerminateInstancesCommand({ InstanceIds: [id], DryRun: true }), { abortSignal: signal });
      }),
    tryTag: (id, Key, Value, signal) =>
      dryRun('ec2:CreateTags', async () => {
        const { CreateTagsCommand } = await ec2Sdk();
        const input = { Resources: [id], Tags: [{ Key, Value }], DryRun: true };
        await (await context.ec2()).send(new CreateTagsCommand(input), { abortSignal: signal });
      }),
    tryEnter: (id, document, signal) => tryEnter(context, id, document, signal),
    trySession: async () => void (await forwardableCredentials(context, SHORTEST_SESSION_S)),
    ask: async (call, signal) => void (await wording(call, () => ASK[call](context, signal))),
    quotas: (signal) => ec2Quotas(context, signal),
    vcpusInUse: (signal) => vcpusByQuota(context, signal),
  };
}

const ASK: Readonly<Record<AskedCall, (context: AwsContext, abortSignal: AbortSignal | undefined) => Promise<unknown>>> = {
  'ec2:DescribeInstanceTypes': async (context, abortSignal) => {
    const { DescribeInstanceTypesCommand } = await ec2Sdk();
    return (await context.ec2()).send(new DescribeInstanceTypesCommand({ InstanceTypes: [COMMON_TYPE] }), { abortSignal });
  },
  'ec2:DescribeInstanceTypeOfferings': async (context, abortSignal) => {
    const { DescribeInstanceTypeOfferingsCommand } = await ec2Sdk();
    const input = { LocationType: 'availability-zone' as const, Filters: [{ Name: 'instance-type', Values: [COMMON_TYPE] }] };
    return (await context.ec2()).send(new DescribeInstanceTypeOfferingsCommand(input), { abortSignal });
  },
  'ec2:DescribeSpotPriceHistory': async (context, abortSignal) => {
    const { DescribeSpotPriceHistoryCommand } = await ec2Sdk();
    const input = { InstanceTypes: [COMMON_TYPE], StartTime: new Date(context.clock.now()), MaxResults: 1 };
    return (await context.ec2()).send(new DescribeSpotPriceHistoryCommand(input), { abortSignal });
  },
  'pricing:GetProducts': (context, signal) => gp3Price(context, signal),
  'servicequotas:GetServiceQuota': (context, signal) => ec2Quota(context, STANDARD_VCPUS, signal),
};

/** EC2 answers a dry run that would have worked with an error of its own. */
async function dryRun(what: string, call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (classify(error).awsCode === 'DryRunOperation') return;
    throw toRawcloudError(error, what);
  }
  throw new RawcloudError('E_AWS', `${what}: the endpoint does not know dry runs, and carried it out`);
}

async function clockDifference(context: AwsContext, clock: Clock, signal?: AbortSignal): Promise<number> {
  const origin = new URL(context.endpoint ?? `https://sts.${context.region}.${dnsSuffix(context.region)}`);
  const connections = new Connections();
  try {
    return await wording(`asking ${origin.host} for the time`, async () => {
      const before = clock.now();
      const answer = await connections.send({
        method: 'HEAD',
        origin,
        path: '/',
        headers: { host: origin.host },
        ...(signal ? { signal } : {}),
      });
      answer.resume();
      const date = Date.parse(answer.headers.date ?? '');
      if (Number.isNaN(date)) throw new RawcloudError('E_AWS', `${origin.host} did not say what time it is`);
      // The header has whole seconds: on average it is half a second behind.
      return date + 500 - (before + clock.now()) / 2;
    });
  } finally {
    connections.close();
  }
}

async function defaultVpc(context: AwsContext, abortSignal?: AbortSignal): Promise<string | undefined> {
  return wording('ec2:DescribeVpcs', async () => {
    const { DescribeVpcsCommand } = await import('./sdk/ec2-account.js');
    const input = { Filters: [{ Name: 'is-default', Values: ['true'] }] };
    const { Vpcs } = await (await context.ec2()).send(new DescribeVpcsCommand(input), { abortSignal });
    return Vpcs?.[0]?.VpcId;
  });
}

async function subnets(
  context: AwsContext,
  which: Parameters<AccountLook['subnets']>[0],
  abortSignal?: AbortSignal,
): Promise<FoundSubnet[]> {
  return wording('ec2:DescribeSubnets', async () => {
    const { DescribeSubnetsCommand } = await import('./sdk/ec2-account.js');
    // By filter: an id that is gone would else fail the call for all.
    const [Name, Values] = 'ids' in which ? ['subnet-id', [...which.ids]] : ['vpc-id', [which.vpcId]];
    const input = { Filters: [{ Name, Values }] };
    const { Subnets = [] } = await (await context.ec2()).send(new DescribeSubnetsCommand(input), { abortSignal });
    return Subnets.map((subnet) => ({
      id: subnet.SubnetId ?? '',
      zone: subnet.AvailabilityZone ?? '',
      public: subnet.MapPublicIpOnLaunch ?? false,
      freeAddresses: subnet.AvailableIpAddressCount ?? 0,
    }));
  });
}

async function bucketRegion(context: AwsContext, Bucket: string, account: string, abortSignal?: AbortSignal): Promise<string> {
  try {
    const { HeadBucketCommand } = await import('./sdk/s3-account.js');
    const input = { Bucket, ExpectedBucketOwner: account };
    const { BucketRegion } = await (await context.s3()).send(new HeadBucketCommand(input), { abortSignal });
    return BucketRegion ?? context.region;
  } catch (error) {
    // An answer without a body has a status and no code.
    const { $metadata, $response } = error as { $metadata?: { httpStatusCode?: number }; $response?: { headers?: Record<string, string> } };
    const elsewhere = $response?.headers?.['x-amz-bucket-region'];
    if ($metadata?.httpStatusCode === 301 && elsewhere) return elsewhere;
    if ($metadata?.httpStatusCode !== 404) throw toRawcloudError(error, 's3:ListBucket');
    throw new RawcloudError('E_AWS_REQUEST', `there is no bucket ${Bucket}`, { cause: error });
  }
}

async function tryAbort(context: AwsContext, Bucket: string, Key: string, abortSignal?: AbortSignal): Promise<void> {
  try {
    const { AbortMultipartUploadCommand } = await import('./sdk/s3.js');
    await (await context.s3()).send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: 'none' }), { abortSignal });
  } catch (error) {
    const { awsCode } = classify(error);
    if (awsCode !== 'NoSuchUpload' && awsCode !== 'NotFound') throw toRawcloudError(error, 's3:AbortMultipartUpload');
  }
}

/** No session document of ours knows it: a request that is allowed ends with that, or with an agent that is not heard of. */
const NO_MODE = 'none';

async function tryEnter(
  context: AwsContext,
  Target: string,
  DocumentName: string,
  abortSignal?: AbortSignal,
): Promise<'reached' | 'not reached'> {
  const { StartSessionCommand, TerminateSessionCommand } = await import('./sdk/ssm-sessions.js');
  const ssm = await context.ssm();
  try {
    const input = { Target, DocumentName, Parameters: { mode: [NO_MODE] }, Reason: 'rawcloud doctor' };
    const { SessionId } = await ssm.send(new StartSessionCommand(input), { abortSignal });
    await ssm.send(new TerminateSessionCommand({ SessionId }), { abortSignal });
    return 'reached';
  } catch (error) {
    const { awsCode } = classify(error);
    if (awsCode === 'TargetNotConnected') return 'not reached';
    if (awsCode === 'InvalidParameters' || awsCode === 'ValidationException') return 'reached';
    throw toRawcloudError(error, 'ssm:StartSession');
  }
}
