import { readBody } from '../body';
import { ServiceError, type ServiceRequest, type ServiceResponse } from '../service';
import { childText, parseXml } from '../xml';
import { bucketArn } from './address';
import { requireBucketAction, type S3Call, type S3Context } from './context';
import { s3Errors } from './errors';
import { xmlReply, xmlTime } from './reply';

/** The region that has no location constraint. */
const FIRST_REGION = 'us-east-1';
const MAX_BODY_BYTES = 65_536;

export function listBuckets(context: S3Context, request: ServiceRequest): ServiceResponse {
  const refusal = context.policies.refusal(request.principal, 's3:ListAllMyBuckets', '*');
  if (refusal !== undefined) throw s3Errors.accessDenied(refusal);
  const buckets = context.buckets
    .all()
    .map(({ record }) => ({ Name: record.name, CreationDate: xmlTime(record.createdAt), BucketRegion: record.region }));
  return xmlReply('ListAllMyBucketsResult', { Buckets: { Bucket: buckets }, Owner: { ID: context.account } });
}

export async function createBucket(context: S3Context, request: ServiceRequest, name: string): Promise<ServiceResponse> {
  const refusal = context.policies.refusal(request.principal, 's3:CreateBucket', bucketArn(name));
  if (refusal !== undefined) throw s3Errors.accessDenied(refusal);
  const region = await readRegion(request);
  if (context.buckets.find(name)) {
    throw new ServiceError(
      409,
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      { BucketName: name },
    );
  }
  context.buckets.create(name, region, Math.floor(context.now() / 1000) * 1000);
  return { status: 200, headers: { location: `/${name}` } };
}

async function readRegion(request: ServiceRequest): Promise<string> {
  const body = (await readBody(request.body, MAX_BODY_BYTES)).toString('utf8');
  const configuration = body === '' ? undefined : parseXml(body);
  if (body !== '' && configuration?.name !== 'CreateBucketConfiguration') throw s3Errors.malformedXml();
  const constraint = configuration && childText(configuration, 'LocationConstraint');
  if ((constraint ?? FIRST_REGION) === request.region) return request.region;
  throw new ServiceError(
    400,
    'IllegalLocationConstraintException',
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export function headBucket(call: S3Call): ServiceResponse {
  requireBucketAction(call, 's3:ListBucket');
  return { status: 200, headers: { 'x-amz-bucket-region': call.bucket.record.region, 'content-type': 'application/xml' } };
}

export function getBucketLocation(call: S3Call): ServiceResponse {
  requireBucketAction(call, 's3:GetBucketLocation');
  const { region } = call.bucket.record;
  return xmlReply('LocationConstraint', region === FIRST_REGION ? '' : region);
}

export async function deleteBucket(call: S3Call): Promise<ServiceResponse> {
  requireBucketAction(call, 's3:DeleteBucket');
  const { name } = call.bucket.record;
  if (call.bucket.objects.size > 0) {
    throw new ServiceError(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty', { BucketName: name });
  }
  await call.context.buckets.remove(name);
  return { status: 204 };
}
