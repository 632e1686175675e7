import type { EC2Client } from '@aws-sdk/client-ec2';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import { RawcloudError, systemClock, VERSION } from '../contract';
import type { Clock, Credentials } from '../contract';
import { keepServerTime, ServerClock } from './server-time';

export interface OpenAwsOptions {
  /** AWS_* are read from here; files of the SDK (profiles, SSO) from where the process's own environment says. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default - AWS_REGION, AWS_DEFAULT_REGION, else the profile's */
  readonly region?: string;
  /** @default - AWS_PROFILE, else `default` */
  readonly profile?: string;
  /** All services under one address, as in the local cloud. @default - AWS_ENDPOINT_URL, else AWS's own */
  readonly endpoint?: string;
  /** @default - the SDK's chain: environment, SSO, profile, process, web identity, container, instance */
  readonly credentials?: Credentials;
}

/** AWS as seen by one caller: lazily made clients that share region, credentials and manners. */
export interface AwsContext {
  readonly region: string;
  /** All services under one address. @default - AWS's own */
  readonly endpoint?: string;
  /** This machine's clock, put right by S3's answers. */
  readonly clock: Clock;
  s3(): Promise<S3Client>;
  ec2(): Promise<EC2Client>;
  /** EC2 without retries: after a capacity error they would use up the request rate, and a lost launch must be replayed by us. */
  ec2Once(): Promise<EC2Client>;
  ssm(): Promise<SSMClient>;
  sts(): Promise<STSClient>;
  /** The credentials in use. @throws E_NO_CREDENTIALS, E_CREDENTIALS_EXPIRED */
  credentials(): Promise<Credentials>;
  /** Where those were found, in words. */
  credentialsFrom(): Promise<string>;
  /** The same caller in another region. To be closed on its own. */
  inRegion(region: string): Promise<AwsContext>;
  close(): void;
}

/** Attempts of calls that may be repeated, the first included, with the SDK's own capped backoff. */
const MAX_ATTEMPTS = 4;
const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true };

// The SDK's word about Node versions is for us, not for who runs a job.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** The one client factory. @throws E_USAGE when no region is known */
export async function openAws(options: OpenAwsOptions): Promise<AwsContext> {
  const endpoint = options.endpoint ?? options.env['AWS_ENDPOINT_URL'];
  const profile = options.profile ?? options.env['AWS_PROFILE'];
  // A profile that was asked for by name is meant; otherwise the environment comes first, as in AWS's own chain.
  const fixed = options.credentials ?? (options.profile ? undefined : credentialsIn(options.env));
  const region = options.region ?? options.env['AWS_REGION'] ?? options.env['AWS_DEFAULT_REGION'] ?? (await profileRegion(profile));
  const clock = new ServerClock(systemClock);
  const base = {
    region,
    maxAttempts: MAX_ATTEMPTS,
    retryMode: 'standard',
    requestHandler: TIMEOUTS,
    customUserAgent: `rawcloud/${VERSION}`,
    ...(endpoint ? { endpoint } : {}),
    ...(profile && !fixed ? { profile } : {}),
    ...(fixed ? { credentials: sdkCredentials(fixed) } : {}),
  };
  const opened: { destroy(): void }[] = [];
  const once = <C extends { destroy(): void }>(make: () => Promise<C>): (() => Promise<C>) => {
    let client: Promise<C> | undefined;
    return () =>
      (client ??= make().then((made) => {
        opened.push(made);
        return made;
      }));
  };
  const s3 = once(async () => {
    const { S3Client } = await import('./sdk/s3.js');
    return keepServerTime(new S3Client({ ...base, forcePathStyle: endpoint !== undefined }), clock);
  });
  const credentials = async (): Promise<Credentials> => fixed ?? contractCredentials(await (await s3()).config.credentials());
  return {
    region,
    ...(endpoint ? { endpoint } : {}),
    clock,
    s3,
    ec2: once(async () => new (await import('./sdk/ec2.js')).EC2Client(base)),
    ec2Once: once(async () => {
      // It learns nothing by itself: how far this machine's clock is off, S3 has told by now.
      const { systemClockOffset } = (await s3()).config;
      return new (await import('./sdk/ec2.js')).EC2Client({ ...base, maxAttempts: 1, systemClockOffset });
    }),
    ssm: once(async () => new (await import('./sdk/ssm.js')).SSMClient(base)),
    sts: once(async () => new (await import('./sdk/sts.js')).STSClient(base)),
    credentials,
    credentialsFrom: async () => {
      if (options.credentials) return 'the local cloud';
      if (fixed) return 'AWS_ACCESS_KEY_ID of the environment';
      return sourceWords(await (await s3()).config.credentials(), profile);
    },
    inRegion: async (other) => openAws({ ...options, region: other, credentials: await credentials() }),
    close: () => opened.forEach((client) => client.destroy()),
  };
}

async function profileRegion(profile: string | undefined): Promise<string> {
  const { STSClient } = await import('./sdk/sts.js');
  const probe = new STSClient(profile ? { profile } : {});
  try {
    return await probe.config.region();
  } catch (cause) {
    throw new RawcloudError('E_USAGE', `no AWS region is set${profile ? ` for profile ${profile}` : ''}`, {
      remedy: 'Give --region, set AWS_REGION, or write region = … into the profile.',
      cause,
    });
  } finally {
    probe.destroy();
  }
}

function credentialsIn(env: OpenAwsOptions['env']): Credentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const { AWS_SESSION_TOKEN: sessionToken, AWS_CREDENTIAL_EXPIRATION: expiresAt } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}), ...(expiresAt ? { expiresAt } : {}) };
}

/** Marks that the SDK leaves on credentials, the first that fits. Source: @smithy/types, AwsSdkCredentialsFeatures. */
const SOURCES: readonly [mark: RegExp, words: string][] = [
  [/SSO/, 'SSO'],
  [/PROCESS/, 'credential_process'],
  [/WEB_ID/, 'web identity'],
  [/ASSUME_ROLE/, 'an assumed role'],
  [/HTTP/, "the container's role"],
  [/IMDS/, "this VM's role"],
  [/ENV_VARS/, 'the environment'],
];

function sourceWords(found: object, profile: string | undefined): string {
  const marks = Object.keys(('$source' in found && (found.$source as object)) || {}).join(' ');
  const words = SOURCES.find(([mark]) => mark.test(marks))?.[1];
  if (profile !== undefined) return `profile ${profile}${words === undefined ? '' : ` (${words})`}`;
  return words ?? "profile default, or AWS's own order of places";
}

function sdkCredentials(given: Credentials): { accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration?: Date } {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = given;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiresAt ? { expiration: new Date(expiresAt) } : {}),
  };
}

function contractCredentials(found: {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}): Credentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiration ? { expiresAt: expiration.toISOString() } : {}),
  };
}
