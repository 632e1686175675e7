import { CONTENT_DIRECTORIES, driverStatements, objectsUnder } from './access';
import type { More } from './access';
import type { AccessFacts } from './access-facts';
import { busSource } from './bus-events';
import { deployedPath } from './definition';
import { jobRolePath } from './job-role';
import type { PolicyStatement } from './scaffold';
import { scaffoldParameterName } from './scaffold';
import { TAGS } from './tags';

/** What the launch function may do: what every driver may, know deployed jobs, and copy their content ({@link assetsStatement}). */
export function launchFunctionStatements(facts: AccessFacts): PolicyStatement[] {
  return [...driverStatements(facts), ...deployedJobs(facts)];
}

function deployedJobs({ partition, account, region, scaffold, otherStacks = false }: AccessFacts): PolicyStatement[] {
  return [
    {
      Sid: 'DeployedJobs',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `${partition}:ssm:${region}:${account}:parameter/rawcloud/${scaffold}/jobs/*`,
    },
    ...(otherStacks ? [contentOfOtherStacks({ partition, account, region })] : []),
  ];
}

/** Where deployed jobs lie among an app's assets. @param assets ARNs of objects; IAM refuses a statement that has none */
export function assetsStatement(assets: readonly string[]): PolicyStatement {
  return { Sid: 'DeployedContent', Effect: 'Allow', Action: 's3:GetObject', Resource: assets };
}

/** The buckets that `cdk bootstrap` makes in this account and region, whatever its qualifier. */
function contentOfOtherStacks({ partition, account, region }: Pick<AccessFacts, 'partition' | 'account' | 'region'>): PolicyStatement {
  return {
    Sid: 'ContentOfOtherStacks',
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: `${partition}:s3:::cdk-*-assets-${account}-${region}/*`,
    Condition: { StringEquals: { 's3:ResourceAccount': account } },
  };
}

const OF_REAPER: More = {
  reads: ['environments', 'reaper'],
  readsKeys: [],
  forgets: [],
  onOurVms: [],
  looks: ['ec2:DescribeLaunchTemplates', 'ec2:DescribeSecurityGroups', 'ec2:DescribeRegions'],
};

/**
 * What the reaper may do: what the launch function may, remember what it found, sweep old content, know what deployed jobs need, and delete
 * what carries our tag, but for what the scaffolding itself is made of.
 */
export function reaperStatements(facts: AccessFacts): PolicyStatement[] {
  const { partition, account, region, scaffold, bucketArn, securityGroupId, launchTemplateArns } = facts;
  const ec2 = (resource: string): string => `${partition}:ec2:${region}:${account}:${resource}`;
  const paths = [deployedPath(scaffold), jobRolePath(scaffold)].map((path) => `${partition}:ssm:${region}:${account}:parameter${path}`);
  return [
    ...driverStatements(facts, OF_REAPER),
    ...deployedJobs(facts),
    { Sid: 'MarksAndSweep', Effect: 'Allow', Action: 's3:PutObject', Resource: objectsUnder(bucketArn, ['reaper', 'sweep']) },
    {
      Sid: 'SweepContent',
      Effect: 'Allow',
      Action: 's3:DeleteObject',
      Resource: objectsUnder(bucketArn, [...CONTENT_DIRECTORIES, 'environments']),
    },
    {
      Sid: 'TemplatesOfJobs',
      Effect: 'Allow',
      Action: 'ssm:GetParametersByPath',
      Resource: paths.flatMap((path) => [path, `${path}/*`]),
    },
    // In every region: what carries the scaffolding's tag.
    {
      Sid: 'LookElsewhere',
      Effect: 'Allow',
      Action: ['ec2:DescribeInstances', 'ec2:DescribeVolumes', 'ec2:DescribeNetworkInterfaces'],
      Resource: '*',
    },
    // In other regions: whether there is a scaffolding of this name that looks after what carries its tag.
    {
      Sid: 'Namesakes',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `${partition}:ssm:*:${account}:parameter${scaffoldParameterName(scaffold)}`,
    },
    {
      Sid: 'DeleteLeftovers',
      Effect: 'Allow',
      Action: ['ec2:DeleteVolume', 'ec2:DeleteNetworkInterface', 'ec2:DeleteLaunchTemplate', 'ec2:DeleteSecurityGroup'],
      Resource: ['volume', 'network-interface', 'launch-template', 'security-group'].map((kind) => ec2(`${kind}/*`)),
      Condition: { StringEquals: { [`aws:ResourceTag/${TAGS.scaffold}`]: scaffold } },
    },
    {
      Sid: 'Tell',
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Resource: `${partition}:events:${region}:${account}:event-bus/default`,
      // One call has many events, and each of them a source.
      Condition: { 'ForAllValues:StringEquals': { 'events:source': busSource(scaffold) }, Null: { 'events:source': 'false' } },
    },
    keepTemplates(launchTemplateArns),
    { Sid: 'KeepGroup', Effect: 'Deny', Action: 'ec2:DeleteSecurityGroup', Resource: ec2(`security-group/${securityGroupId}`) },
  ];
}

/** What VMs are launched from is not deleted, whatever it carries. */
export function keepTemplates(launchTemplateArns: readonly string[]): PolicyStatement {
  return { Sid: 'KeepTemplates', Effect: 'Deny', Action: 'ec2:DeleteLaunchTemplate', Resource: launchTemplateArns };
}
