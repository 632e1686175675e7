import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { BucketProps, IBucket } from 'aws-cdk-lib/aws-s3';
import { RawCloud } from '../../lib';
import type { RawCloudProps } from '../../lib';
import { deployedAs, resolve } from './resolve';

jest.setTimeout(120_000);

const ENV = { account: '123456789012', region: 'eu-central-1' };

let outdir: string;
beforeAll(() => {
  outdir = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
});
afterAll(() => rmSync(outdir, { recursive: true }));

const newApp = () => new App({ outdir: mkdtempSync(path.join(outdir, 'app-')) });

describe('a bucket that is brought along', () => {
  function withBucket(bring: (stack: Stack) => IBucket, props: RawCloudProps = {}) {
    const stack = new Stack(newApp(), 'Test', { env: ENV });
    const cloud = new RawCloud(stack, 'RawCloud', { bucket: bring(stack), ...props });
    cloud.grantRun(new Role(stack, 'Developer', { assumedBy: new AccountRootPrincipal() }));
    return { stack, cloud, template: Template.fromStack(stack) };
  }
  const warnings = (stack: Stack) =>
    Annotations.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => entry.data as string);
  const UPLOADS = [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }];
  const own = (props: BucketProps) => (stack: Stack) =>
    new Bucket(stack, 'Data', { blockPublicAccess: BlockPublicAccess.BLOCK_ALL, enforceSSL: true, lifecycleRules: UPLOADS, ...props });
  /** Of the only bucket policy. */
  function statementsOf(template: Template): { Sid?: string }[] {
    const [policy] = Object.values(template.findResources('AWS::S3::BucketPolicy'));
    const { PolicyDocument } = resolve(policy!['Properties'], deployedAs()) as { PolicyDocument: { Statement: { Sid?: string }[] } };
    return PolicyDocument.Statement;
  }
  const PATTERN = 'arn:aws:iam::123456789012:role/rawcloud/eu-central-1/default/*';

  test('of the same app: no other is made, and its policy keeps private grants for VMs by the path of their roles', () => {
    const { stack, template } = withBucket(own({}));
    template.resourceCountIs('AWS::S3::Bucket', 1);
    const [grants] = statementsOf(template).filter(({ Sid }) => Sid === 'PrivateGrantsForVmsOnly');
    expect(grants).toMatchObject({ Effect: 'Deny', Principal: '*', Condition: { ArnNotLike: { 'aws:PrincipalArn': [PATTERN] } } });
    template.hasResourceProperties('AWS::IAM::Role', {
      Path: '/rawcloud/eu-central-1/default/',
      Description: Match.stringLikeRegexp('VMs read'),
    });
    expect(warnings(stack)).toEqual([]);
  });

  test('of another stack of the app: its policy gets the statement there, and no stack waits for itself', () => {
    const app = newApp();
    const data = new Stack(app, 'DataStack', { env: ENV });
    const bucket = own({})(data);
    const stack = new Stack(app, 'Test', { env: ENV });
    new RawCloud(stack, 'RawCloud', { bucket });
    app.synth();
    expect(data.dependencies).toEqual([]);
    expect(JSON.stringify(statementsOf(Template.fromStack(data)))).toContain(PATTERN);
  });

  test('imported: nobody touches its policy, and what must be added to it is told word by word', () => {
    const { stack, template } = withBucket((stack) => Bucket.fromBucketName(stack, 'Data', 'company-data'));
    template.resourceCountIs('AWS::S3::Bucket', 0);
    template.resourceCountIs('AWS::S3::BucketPolicy', 0);
    const [told, ...others] = warnings(stack);
    expect(others).toEqual([]);
    const statement = JSON.parse(/\{.*\}(?=\. 'rawcloud doctor')/.exec(told!)![0]) as object;
    expect(statement).toEqual({
      Sid: 'PrivateGrantsForVmsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: ['s3:GetObject', 's3:GetObjectVersion'],
      Resource: 'arn:aws:s3:::company-data/v1/private/*',
      Condition: { ArnNotLike: { 'aws:PrincipalArn': [PATTERN] } },
    });
  });

  test('in a stack whose account nobody knows yet the words have a place for it', () => {
    const stack = new Stack(newApp(), 'Test');
    new RawCloud(stack, 'RawCloud', { bucket: Bucket.fromBucketName(stack, 'Data', 'company-data') });
    expect(warnings(stack)[0]).toContain('"arn:aws:iam::<account>:role/rawcloud/<region>/default/*"');
  });

  test('with a key of its own: who runs jobs may use it', () => {
    const { template } = withBucket((stack) => own({ encryption: BucketEncryption.KMS, encryptionKey: new Key(stack, 'Key') })(stack));
    const [policy] = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) => id.startsWith('Developer'));
    expect(JSON.stringify(policy)).toContain('kms:GenerateDataKey');
  });

  test.each<[string, BucketProps, RegExp]>([
    ['versions', { versioned: true }, /keeps old versions.*expire old versions under 'v1\/' after a day/],
    [
      'a rule that expires all',
      { lifecycleRules: [...UPLOADS, { id: 'Old', expiration: Duration.days(30) }] },
      /rule 'Old' expires or moves/,
    ],
    [
      'a rule that moves content',
      { lifecycleRules: [...UPLOADS, { prefix: 'v1/files/', expiration: Duration.days(9) }] },
      /rule 'v1\/files\/' exp/,
    ],
    ['no rule for broken uploads', { lifecycleRules: [] }, /keeps what uploads that were broken off have sent.*for 'v1\/'/],
  ])('%s: the app is told so', (_what, props, message) => {
    expect(warnings(withBucket(own(props)).stack)).toEqual([expect.stringMatching(message)]);
  });

  test('may expire results and logs, and whatever is not ours', () => {
    const lifecycleRules = [
      ...UPLOADS,
      { prefix: 'v1/jobs/', expiration: Duration.days(90) },
      { prefix: 'reports/', expiration: Duration.days(9) },
    ];
    expect(warnings(withBucket(own({ lifecycleRules })).stack)).toEqual([]);
  });

  test('fails in another region or account, and with a removal policy that is not its own', () => {
    const at = (env: object) => (stack: Stack) => Bucket.fromBucketAttributes(stack, 'Data', { bucketName: 'company-data', ...env });
    expect(() => withBucket(at({ region: 'us-east-1' }))).toThrow(
      /'bucket' is in the region us-east-1, the scaffolding in eu-central-1: .*; give a bucket of eu-central-1/,
    );
    expect(() => withBucket(at({ account: '210987654321' }))).toThrow(
      /'bucket' is in the account 210987654321, the scaffolding in 123456789012/,
    );
    expect(() => withBucket(own({}), { removalPolicy: RemovalPolicy.DESTROY })).toThrow(
      /'removalPolicy' is that of a bucket which RawCloud makes/,
    );
  });
});
