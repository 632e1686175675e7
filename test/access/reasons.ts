import type { Who } from './policies';

/** What a policy allows and no run of the record used, and why it is allowed all the same. */
export interface Unused {
  readonly who: readonly Who[];
  readonly action: RegExp;
  readonly resource: RegExp;
  readonly why: string;
}

/** A line that is not needed fails the tests, for each of those whom it names. */
export const UNUSED: readonly Unused[] = [
  {
    who: ['launch', 'reaper'],
    action: /^logs:/,
    resource: /log-group/,
    why: 'Lambda writes the function’s log with the function’s role',
  },
  {
    who: ['launch', 'reaper'],
    action: /^sqs:SendMessage$/,
    resource: /dead-letters/,
    why: 'Lambda keeps events that failed with the function’s role',
  },
  {
    who: ['job'],
    action: /^secretsmanager:DescribeSecret$/,
    resource: /secret:/,
    why: 'the CDK’s grantRead gives it along',
  },
  {
    who: ['vm', 'job', 'training'],
    action: /^s3:(Get|Put)Object$/,
    resource: /environments/,
    why: 'a job with packages restores its environment, or builds and keeps it; the record has no registry: test/e2e/environments.test.ts',
  },
  {
    who: ['client'],
    action: /^s3:AbortMultipartUpload$/,
    resource: /agent/,
    why: 'Node is uploaded in parts; the local cloud’s images have it',
  },
  {
    who: ['launch', 'reaper'],
    action: /^ec2:DescribeImages$/,
    resource: /^\*$/,
    why: 'a deployed job may have an image of its own',
  },
  {
    who: ['launch'],
    action: /^s3:(GetObject|DeleteObject)$/,
    resource: /active/,
    why: 'a driver like any other: which of them comes to end a job is chance',
  },
  {
    who: ['launch'],
    action: /^ec2:TerminateInstances$/,
    resource: /instance/,
    why: 'a driver like any other: which of them comes to end a VM is chance',
  },
  {
    who: ['launch'],
    action: /^(ec2:RunInstances|iam:PassRole)$/,
    resource: /(launch-template|role)\//,
    why: 'one list of templates and roles for all drivers: one of deployed jobs alone would be empty where there are none, which IAM refuses',
  },
  {
    who: ['reaper'],
    action: /^(ec2:RunInstances|iam:PassRole)$/,
    resource: /(launch-template|role)\//,
    why: 'a job with a role whose VM is lost is started again by the reaper as any other: with the scaffolding’s own role it was',
  },
  {
    who: ['reaper'],
    action: /^s3:PutObject$/,
    resource: /(files|agent)/,
    why: 'a tick that waited is started by the reaper, which copies what was swept meanwhile',
  },
  {
    who: ['reaper'],
    action: /^servicequotas:GetServiceQuota$/,
    resource: /ec2/,
    why: 'a launch that a quota refuses is told with the quota’s value, as by the launch function',
  },
  {
    who: ['reaper'],
    action: /^ssm:GetParametersByPath$/,
    resource: /\/(jobs|roles)\/\*$/,
    why: 'IAM asks for the path, and where it is read recursively for what lies under it',
  },
  {
    who: ['client'],
    action: /^ssmmessages:OpenDataChannel$/,
    resource: /session/,
    why: 'the local cloud opens a channel for whoever shows the token of its session',
  },
  {
    who: ['vm', 'job', 'training'],
    action: /^(ssm:UpdateInstanceInformation|ssmmessages:\w+)$/,
    resource: /^\*$/,
    why: 'what the SSM agent asks for; machines of the local cloud are entered without one, where their role allows it',
  },
  {
    who: ['reaper'],
    action: /^ec2:DeleteNetworkInterface$/,
    resource: /network-interface/,
    why: 'interfaces of the local cloud end with their VM; moto’s are deleted in test/contract/compute-remains.ts',
  },
];

/** What is allowed on all resources though AWS knows some, and why. */
export const ON_ALL: Readonly<Record<string, string>> = {
  'ssm:UpdateInstanceInformation': 'the resource is the VM that asks, which has no name before; it is for VMs with `allowExec` only',
};

/** What is asked without the right to, and what follows from the refusal. */
export interface InVain {
  readonly who: Who;
  readonly action: string;
  readonly resource: RegExp;
  readonly why: string;
}

export const IN_VAIN: readonly InVain[] = [
  {
    who: 'client',
    action: 'ec2:DescribeVpcs',
    resource: /^\*$/,
    why: 'doctor says that it may not look, and what a missing default VPC would mean',
  },
  {
    who: 'client',
    action: 's3:GetObject',
    resource: /\/v1\/private\/rawcloud-doctor$/,
    why: 'doctor sees whether the bucket keeps grants from everybody but VMs',
  },
  {
    who: 'stopper',
    action: 'ec2:TerminateInstances',
    resource: /:instance\//,
    why: 'who may only ask for a stop leaves the end to VM and reaper',
  },
];
