import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { AwsContext } from '../../lib/aws/clients';
import { describeS3Stores } from '../contract/s3-stores';
import { ACCOUNT, KEYS, openMoto, URL } from './moto';

const bucket = 'rawcloud-contract';
let aws: AwsContext;

beforeAll(async () => {
  aws = await openMoto();
  await (await aws.s3()).send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(() => aws.close());

describeS3Stores('moto', () => ({ aws, endpoint: URL, bucket, account: ACCOUNT, credentials: KEYS }));
