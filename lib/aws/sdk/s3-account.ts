/** What only doctor and destroy ask of S3: apart, so that functions and jobs do not carry it. */
export {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
