import type { ServiceRequest } from '../service';
import type { Address } from './address';

/** The operations that are implemented. */
export const S3_OPERATIONS = [
  'ListBuckets',
  'CreateBucket',
  'HeadBucket',
  'DeleteBucket',
  'GetBucketLocation',
  'ListObjects',
  'ListObjectsV2',
  'ListObjectVersions',
  'DeleteObjects',
  'ListMultipartUploads',
  'PutObject',
  'CopyObject',
  'GetObject',
  'HeadObject',
  'DeleteObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListParts',
] as const;
export type S3Operation = (typeof S3_OPERATIONS)[number];

/** Query parameters that turn a request into an operation of their own; what is not routed below is not implemented. */
const SUBRESOURCES: ReadonlySet<string> = new Set(
  (
    'abac,accelerate,acl,analytics,attributes,cors,delete,encryption,intelligent-tiering,inventory,legal-hold,lifecycle,location,logging,' +
    'metadataConfiguration,metadataTable,metrics,notification,object-lock,ownershipControls,partNumber,policy,policyStatus,publicAccessBlock,' +
    'renameObject,replication,requestPayment,restore,retention,select,session,tagging,torrent,uploadId,uploads,versionId,versioning,versions,website'
  ).split(','),
);

const ROUTES: Readonly<Record<string, S3Operation>> = {
  'GET bucket': 'ListObjects',
  'GET bucket location': 'GetBucketLocation',
  'GET bucket uploads': 'ListMultipartUploads',
  'GET bucket versions': 'ListObjectVersions',
  'PUT bucket': 'CreateBucket',
  'HEAD bucket': 'HeadBucket',
  'DELETE bucket': 'DeleteBucket',
  'POST bucket delete': 'DeleteObjects',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'PUT object': 'PutObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object partNumber uploadId': 'UploadPart',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
  'GET object uploadId': 'ListParts',
};

/** The operation a request asks for; for one that is not implemented a name like `PUT object acl`. */
export function operationOf(request: Pick<ServiceRequest, 'method' | 'query' | 'headers'>, { bucket, key }: Address): string {
  if (bucket === '') return request.method === 'GET' ? 'ListBuckets' : `${request.method} service`;
  const subresources = [...request.query.keys()].filter((name) => SUBRESOURCES.has(name)).sort();
  const shape = [request.method, key === '' ? 'bucket' : 'object', ...subresources].join(' ');
  const operation = ROUTES[shape];
  const copies = request.headers['x-amz-copy-source'] !== undefined;
  if (operation === 'ListObjects' && request.query.get('list-type') === '2') return 'ListObjectsV2';
  if (operation === 'PutObject' && copies) return 'CopyObject';
  if (operation === 'UploadPart' && copies) return 'UploadPartCopy';
  return operation ?? shape;
}
