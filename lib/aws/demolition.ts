import { RawcloudError, redactKey } from '../contract';
import type { Demolition } from '../contract';
import type { AwsContext } from './clients';
import { deleteStack, stackEnd, stackOf } from './cloudformation';
import { classify, toRawcloudError, wording } from './errors';
import { readParameter } from './parameters';

const sdk = (): Promise<typeof import('./sdk/s3-account.js')> => import('./sdk/s3-account.js');

/** Takes away what a scaffolding is made of, through the SDK. @param account owner that the bucket must have */
export function createDemolition(context: AwsContext, account: string): Demolition {
  const owned = (Bucket: string): { Bucket: string; ExpectedBucketOwner: string } => ({ Bucket, ExpectedBucketOwner: account });
  return {
    region: context.region,
    stackOf: (physicalId, likely) => stackOf(context, physicalId, likely),
    deleteStack: (id) => deleteStack(context, id),
    stackEnd: (id) => stackEnd(context, id),
    firstVersions: (bucket, Prefix, signal) =>
      wording('s3:ListBucketVersions', async () => {
        const { ListObjectVersionsCommand } = await sdk();
        const command = new ListObjectVersionsCommand({ ...owned(bucket), ...(Prefix === '' ? {} : { Prefix }) });
        const { Versions = [], DeleteMarkers = [] } = await (await context.s3()).send(command, { abortSignal: signal });
        const found = [...Versions, ...DeleteMarkers];
        return found.map(({ Key = '', VersionId }) => ({ key: Key, ...(VersionId === undefined ? {} : { versionId: VersionId }) }));
      }),
    async deleteVersions(bucket, found, signal) {
      if (found.length === 0) return;
      await wording('s3:DeleteObject', async () => {
        const { DeleteObjectsCommand } = await sdk();
        const Objects = found.map(({ key, versionId }) => ({ Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) }));
        const command = new DeleteObjectsCommand({ ...owned(bucket), Delete: { Objects, Quiet: true } });
        const { Errors = [] } = await (await context.s3()).send(command, { abortSignal: signal });
        const [first] = Errors;
        if (first) throw stays(first.Code ?? 'Unknown', redactKey(first.Key ?? ''), Errors.length);
      });
    },
    abortUploads: (bucket, signal) => abortUploads(context, owned(bucket), signal),
    async bucketIsThere(bucket) {
      try {
        const { HeadBucketCommand } = await sdk();
        await (await context.s3()).send(new HeadBucketCommand(owned(bucket)));
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw toRawcloudError(error, 's3:ListBucket');
      }
    },
    async deleteBucket(bucket) {
      try {
        const { DeleteBucketCommand } = await sdk();
        await (await context.s3()).send(new DeleteBucketCommand(owned(bucket)));
      } catch (error) {
        if (statusOf(error) !== 404) throw toRawcloudError(error, 's3:DeleteBucket');
      }
    },
    parameterIsThere: async (name) => (await readParameter(context, name)) !== undefined,
    async deleteParameter(name) {
      try {
        const { DeleteParameterCommand } = await import('./sdk/ssm-account.js');
        await (await context.ssm()).send(new DeleteParameterCommand({ Name: name }));
      } catch (error) {
        if (classify(error).awsCode !== 'ParameterNotFound') throw toRawcloudError(error, 'ssm:DeleteParameter');
      }
    },
  };
}

interface Owned {
  readonly Bucket: string;
  readonly ExpectedBucketOwner: string;
}

async function abortUploads(context: AwsContext, owned: Owned, abortSignal?: AbortSignal): Promise<number> {
  return wording('s3:ListBucketMultipartUploads', async () => {
    const [{ ListMultipartUploadsCommand }, { AbortMultipartUploadCommand }] = [await sdk(), await import('./sdk/s3.js')];
    const client = await context.s3();
    let ended = 0;
    for (;;) {
      // The first page each time: those of the page before are gone.
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(owned), { abortSignal });
      if (Uploads.length === 0) return ended;
      for (const { Key, UploadId } of Uploads) {
        await client.send(new AbortMultipartUploadCommand({ ...owned, Key, UploadId }), { abortSignal });
        ended += 1;
      }
    }
  });
}

function stays(code: string, key: string, count: number): Error {
  const { errorCode } = classify({ name: code });
  return new RawcloudError(errorCode, `s3:DeleteObject of ${key} failed with ${code}${count > 1 ? `, and of ${count - 1} more` : ''}`);
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
