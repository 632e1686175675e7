import type { DeployEvent, DeploySurvey, Question } from '../../lib/runtime/deploy/deps';

/* What `deploy` asks and tells, without an account. */

export const SURVEY: DeploySurvey = {
  name: 'team-a',
  account: '123456789012',
  region: 'eu-west-1',
  arn: 'arn:aws:iam::123456789012:user/admin',
  stack: 'RawCloud-team-a',
  version: '0.1.0',
  bootstrap: true,
  afterFailure: true,
  options: ['--max-vms 7'],
  changed: [],
  resources: [
    { id: 'RawCloudBucket', type: 'AWS::S3::Bucket', action: 'create', properties: [] },
    { id: 'RawCloudRoleA', type: 'AWS::IAM::Role', action: 'create', properties: [] },
    { id: 'RawCloudRoleB', type: 'AWS::IAM::Role', action: 'create', properties: [] },
  ],
  roles: [
    {
      id: 'RawCloudRoleA',
      trusted: ['ec2.amazonaws.com'],
      managed: [],
      statements: [
        { effect: 'Allow', actions: ['s3:PutObject', 's3:GetObject'], resources: ['*'], conditions: [] },
        { effect: 'Deny', actions: ['s3:DeleteBucket'], resources: ['*'], conditions: [] },
        { effect: 'Allow', actions: ['ssm:GetParameter'], resources: ['*'], conditions: [] },
      ],
    },
  ],
  roleChanges: [],
  standing: { reaperUsd: 0.15, metricsAtMostUsd: 0 },
};
export const UPDATE: DeploySurvey = {
  ...SURVEY,
  from: '0.0.9',
  bootstrap: false,
  afterFailure: false,
  changed: [{ option: '--max-vms', to: '7' }],
  resources: [
    { id: 'RawCloudScaffold', type: 'AWS::SSM::Parameter', action: 'update', properties: ['Value'] },
    { id: 'RawCloudBucket', type: 'AWS::S3::Bucket', action: 'replace', properties: ['BucketName'] },
  ],
  roles: [],
  roleChanges: [
    { id: 'RawCloudRoleA', added: [{ effect: 'Allow', actions: ['a:B'], resources: ['r'], conditions: ['X y: z'] }], removed: [] },
  ],
  standing: { reaperUsd: 0.75, metricsAtMostUsd: 1.2 },
};
export const INSTALL: Question = { about: 'install', packages: { constructs: '10.0.0' }, directory: '/cache' };
export const BOOTSTRAP: Question = {
  about: 'bootstrap',
  account: '123456789012',
  region: 'eu-west-1',
  policies: [],
  command: 'npx aws-cdk bootstrap',
};
export const DEPLOY: Question = { about: 'deploy', survey: SURVEY };
export const REST: readonly DeployEvent[] = [
  { type: 'deploying', stack: 'RawCloud-team-a' },
  { type: 'step', step: { id: 'RawCloudBucket', type: 'AWS::S3::Bucket', status: 'CREATE_COMPLETE', done: 2, total: 20 } },
  { type: 'step', step: { id: 'RawCloudRoleA', type: 'AWS::IAM::Role', status: 'CREATE_FAILED', reason: 'no', physicalId: 'r', done: 3 } },
  { type: 'deployed', stack: 'RawCloud-team-a', changed: true },
  { type: 'verdict', well: false, checks: [{ id: 'quotas', state: 'failed', text: 'none', remedy: 'Ask.' }], next: 'rawcloud doctor' },
];
export const WHOLE: readonly (DeployEvent | Question)[] = [
  { type: 'notice', text: 'not looked at' },
  { type: 'waiting', stack: 'RawCloud-team-a', status: 'UPDATE_IN_PROGRESS' },
  BOOTSTRAP,
  INSTALL,
  { type: 'installing', directory: '/cache' },
  { type: 'installed', directory: '/cache' },
  { type: 'survey', survey: SURVEY },
  DEPLOY,
  { type: 'bootstrapping', account: '123456789012', region: 'eu-west-1' },
  { type: 'bootstrapped', account: '123456789012', region: 'eu-west-1' },
  ...REST,
];
