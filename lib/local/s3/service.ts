import type { Policies } from '../policy';
import { type Service, ServiceError, type ServiceRequest, type ServiceResponse } from '../service';
import { addressOf } from './address';
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './bucket-operations';
import { Buckets } from './buckets';
import { completeMultipartUpload } from './complete-upload';
import type { S3Call, S3Context, S3Handler } from './context';
import { copyObject } from './copy-object';
import { deleteObject, deleteObjects } from './delete-objects';
import { s3Errors } from './errors';
import { getObject, headObject } from './get-object';
import { listObjects, listObjectsV2, listObjectVersions } from './list-objects';
import { listMultipartUploads, listParts } from './list-uploads';
import { operationOf, type S3Operation } from './operation';
import { putObject } from './put-object';
import { renderS3Error } from './reply';
import { abortMultipartUpload, createMultipartUpload, uploadPart } from './upload-parts';

export interface S3Options {
  /** Where buckets are kept over a restart, a directory each. */
  readonly directory: string;
  readonly account: string;
  readonly policies: Policies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** S3 of the local cloud. */
export interface LocalS3 extends Service {
  /** Creates a bucket as the account's own unless it is there. */
  ensureBucket(name: string, region: string): void;
}

const HANDLERS: Readonly<Record<Exclude<S3Operation, 'ListBuckets' | 'CreateBucket'>, S3Handler>> = {
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  DeleteObjects: deleteObjects,
  ListMultipartUploads: listMultipartUploads,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
};

/** Opens (or makes) the buckets under a directory; one process at a time may do so. */
export function createS3({ directory, ...options }: S3Options): LocalS3 {
  const context: S3Context = { ...options, buckets: new Buckets(directory) };
  return {
    name: 's3',
    operation: (request) => operationOf(request, addressOf(request)),
    resource: (request) => {
      const { bucket, key } = addressOf(request);
      return bucket === '' ? '' : `${bucket}/${key}`;
    },
    handle: (request) => handle(context, request),
    renderError: renderS3Error,
    ensureBucket: (name, region) => {
      if (!context.buckets.find(name)) context.buckets.create(name, region, context.now());
    },
  };
}

async function handle(context: S3Context, request: ServiceRequest): Promise<ServiceResponse> {
  const { bucket: name, key } = addressOf(request);
  const operation = operationOf(request, { bucket: name, key });
  if (operation === 'ListBuckets') return listBuckets(context, request);
  if (operation === 'CreateBucket') return createBucket(context, request, name);
  const handler = isHandled(operation) ? HANDLERS[operation] : undefined;
  if (!handler) throw s3Errors.notImplemented(`'${operation}'`);
  const call: S3Call = { context, request, key, bucket: context.buckets.get(name) };
  checkOwner(call);
  checkRegion(call);
  return handler(call);
}

function isHandled(operation: string): operation is keyof typeof HANDLERS {
  return Object.hasOwn(HANDLERS, operation);
}

function checkOwner({ context, request }: S3Call): void {
  const expected = request.headers['x-amz-expected-bucket-owner'];
  if (expected !== undefined && expected !== context.account) throw s3Errors.accessDenied();
}

/** A bucket is reached through its own region only. */
function checkRegion({ request, bucket }: S3Call): void {
  const { region } = bucket.record;
  if (request.region === region) return;
  const message = `The authorization header is malformed; the region '${request.region}' is wrong; expecting '${region}'`;
  throw new ServiceError(400, 'AuthorizationHeaderMalformed', message, { Region: region, 'x-amz-bucket-region': region });
}
