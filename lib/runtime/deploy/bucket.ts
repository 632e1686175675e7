import { bucketStatements, findRawcloudError, RawcloudError, vmRolesUnder } from '../../contract';
import type { DeploymentLook, ScaffoldChoices } from '../../contract';
import { commandFor } from './commands';

/** Where the scaffolding is, or will be. */
export interface Site {
  readonly name: string;
  readonly account: string;
  /** As `aws`. */
  readonly partition: string;
  /** There is one to be updated. */
  readonly isThere: boolean;
}

/**
 * A bucket that was chosen is there, in the scaffolding's region, and the first one: jobs, logs and ledger do not move.
 * @returns what the deployer has to know
 * @throws E_USAGE
 */
export async function checkBucket(
  look: Pick<DeploymentLook, 'region' | 'bucketRegion'>,
  { bucket: before }: ScaffoldChoices,
  { bucket }: ScaffoldChoices,
  { name, account, partition: aws, isThere }: Site,
  signal?: AbortSignal,
): Promise<string[]> {
  const { region } = look;
  if (isThere && before !== bucket) {
    const lies = before === undefined ? 'a bucket of its own' : `the bucket ${before}`;
    throw new RawcloudError('E_USAGE', `the scaffolding '${name}' keeps its jobs and ledger in ${lies}, and they do not move`, {
      remedy: `Leave out --bucket; or make another scaffolding (--scaffold NAME); or begin anew: ${commandFor(['destroy'], { name, region })}`,
    });
  }
  if (bucket === undefined || isThere) return [];
  const unseen = await findBucket(look, bucket, account, signal);
  const partition = `arn:${aws}`;
  const roleArns = [vmRolesUnder({ partition, account, region }, name)];
  const statements = bucketStatements(`${partition}:s3:::${bucket}`, { roleArns }).map((statement) => JSON.stringify(statement));
  return [
    ...unseen,
    `the policy of ${bucket} is its owner's. Add to it, so that nobody but VMs reads private grants: ${statements.join(', ')}`,
  ];
}

async function findBucket(
  look: Pick<DeploymentLook, 'region' | 'bucketRegion'>,
  bucket: string,
  account: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const { region } = look;
  const unfit = (problem: string, cause?: unknown): RawcloudError =>
    new RawcloudError('E_USAGE', `--bucket ${bucket} is not possible: ${problem}`, {
      remedy: `Give one of account ${account} in ${region}, or make it first: aws s3 mb s3://NAME --region ${region}`,
      cause,
    });
  try {
    const found = await look.bucketRegion(bucket, account, signal);
    if (found !== region) throw unfit(`it is in ${found}, the scaffolding in ${region}, and every byte between them would be paid for`);
    return [];
  } catch (error) {
    const known = findRawcloudError(error);
    if (known?.code === 'E_AWS_REQUEST') throw unfit(known.message, error);
    if (known?.code !== 'E_PERMISSION') throw error;
    // Who deploys through the CDK's roles needs no right to look at it; neither S3's answer tells whose it is.
    return [`whether ${bucket} is a bucket of account ${account} in ${region} could not be looked at: ${known.message}`];
  }
}
