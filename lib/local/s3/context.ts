import type { Policies } from '../policy';
import type { ServiceError, ServiceRequest, ServiceResponse } from '../service';
import { bucketArn, objectArn } from './address';
import type { Bucket } from './bucket';
import type { Buckets } from './buckets';
import { s3Errors } from './errors';

/** What every operation has at hand. */
export interface S3Context {
  readonly account: string;
  readonly buckets: Buckets;
  readonly policies: Policies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One call: who asks for what. `bucket` exists, and is the account's that the caller expects. */
export interface S3Call {
  readonly context: S3Context;
  readonly request: ServiceRequest;
  readonly bucket: Bucket;
  readonly key: string;
}

export type S3Handler = (call: S3Call) => ServiceResponse | Promise<ServiceResponse>;

/** The store's time in whole seconds, as S3 dates objects; milliseconds since 1970. */
export function wholeSeconds(now: number): number {
  return Math.floor(now / 1000) * 1000;
}

/** @throws ServiceError AccessDenied */
export function requireBucketAction({ context, request, bucket }: Omit<S3Call, 'key'>, action: string): void {
  const refusal = context.policies.refusal(request.principal, action, bucketArn(bucket.record.name));
  if (refusal !== undefined) throw s3Errors.accessDenied(refusal);
}

/** @throws ServiceError AccessDenied */
export function requireObjectAction({ context, request, bucket, key }: S3Call, action: string): void {
  const refusal = context.policies.refusal(request.principal, action, objectArn(bucket.record.name, key));
  if (refusal !== undefined) throw s3Errors.accessDenied(refusal);
}

/** The answer for a key that is not there: who may not list must not learn that, and is denied. */
export function missingKey({ context, request, bucket, key }: S3Call): ServiceError {
  const refusal = context.policies.refusal(request.principal, 's3:ListBucket', bucketArn(bucket.record.name), {}, true);
  return refusal === undefined ? s3Errors.noSuchKey(key) : s3Errors.accessDenied(refusal);
}
