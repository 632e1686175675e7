/** What a tool finds in the scaffolding, and why it stays. */
export interface Accepted {
  /** The rule, or with what it found: `AwsSolutions-IAM5[Resource::…]`. Tokens of the template read `<…>`. */
  readonly finding: RegExp;
  /** Where it may be found: the path of the construct. */
  readonly at: RegExp;
  readonly why: string;
}

const JOB_ROLES = String.raw`(RawCloud/(LaunchRole|ReaperRole))`;
const VM_ROLES = String.raw`(RawCloud|Nightly/Job|Arrived/Job)/VmRole`;

/** All findings of cdk-nag's AwsSolutions. docs/security.md shows this table; a test compares the two, and all with what is found. */
export const NAG: readonly Accepted[] = [
  {
    finding: /^AwsSolutions-S1$/,
    at: /^Team\/RawCloud\/Bucket\/Resource$/,
    why: 'access logs would need a second bucket, and cost more than what they log; CloudTrail data events tell the same to who wants them',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::<RawCloudBucket\w+\.Arn>\/v1\/(private|jobs\/\*\/vm)\/<aws:userid>\/\*\]$/,
    at: new RegExp(`^Team/${VM_ROLES}/Resource$`),
    why: 'the star stands behind the VM’s own name: its private directory, and its directory of a job',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::<RawCloudBucket\w+\.Arn>\/v1\/jobs\/\*(\/task\/\*|\/outcome\.json)?\]$/,
    at: new RegExp(`^Team/(${VM_ROLES}|${JOB_ROLES})/Resource$`),
    why: 'a job’s prefix holds 128 secret bits, which a VM knows of its own job only, and it may list nothing',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::<RawCloudBucket\w+\.Arn>\/v1\/(files|agent|environments)\/\*\]$/,
    at: new RegExp(`^Team/(${VM_ROLES}|${JOB_ROLES})/Resource$`),
    why: 'content lies under its hash, or a key that nobody else can make; VMs read it, and write environments only; drivers bring the rest, the reaper deletes what is old',
  },
  {
    finding:
      /^AwsSolutions-IAM5\[Resource::<RawCloudBucket\w+\.Arn>\/v1\/(active|index|ledger|market|sealed|sweep|ticks|private|reaper)\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'records of jobs, one directory for each kind; of private grants drivers write and delete, and nobody but the VM reads',
  },
  {
    finding:
      /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:(instance|volume|network-interface|spot-instances-request)\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'what is launched has no name before; the condition demands our tag and one of our templates, and our tag of what is ended',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:(<AWS::AccountId>:subnet|:image)\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'any subnet of the default VPC and any image (the newest Amazon Linux, or a job’s own), but only from one of our templates',
  },
  {
    finding:
      /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:(launch-template|security-group)\/\*\]$/,
    at: /^Team\/RawCloud\/ReaperRole\/Resource$/,
    why: 'leftovers of jobs, with our tag; what the scaffolding itself is made of is denied by name',
  },
  {
    finding:
      /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:(<AWS::AccountId>:parameter\/rawcloud\/default\/jobs|:parameter\/aws\/service\/ami-amazon-linux-latest)\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'the parameters of deployed jobs, which only CloudFormation writes; AWS’s public names of images',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:ssm:\*:<AWS::AccountId>:parameter\/rawcloud\/default\/scaffold\]$/,
    at: /^Team\/RawCloud\/ReaperRole\/Resource$/,
    why: 'one parameter in whatever region something with our tag was found: whether a scaffolding there looks after it',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'deployed jobs’ content among the app’s assets, whose names are hashes; it is read only',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'Describe calls: AWS knows no resources for them, and they change nothing',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:servicequotas:<AWS::Region>:<AWS::AccountId>:ec2\/\*\]$/,
    at: new RegExp(`^Team/${JOB_ROLES}/Resource$`),
    why: 'quotas of EC2, read only: which of them refused a launch is known by then',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    at: new RegExp(`^Team/${VM_ROLES}/Resource$`),
    why: 'with `allowExec` only: what the SSM agent needs knows no resources; it registers the VM that asks, and no other',
  },
  {
    finding: /^AwsSolutions-IAM5\[Resource::<RawCloudLaunch\w+\.Arn>:\*\]$/,
    at: /^Team\/SchedulerRoleForTarget/,
    why: 'the CDK’s own: EventBridge Scheduler may call the launch function, in any version',
  },
];

/** All findings of cfn-lint, by rule. */
export const LINT: readonly { readonly rule: string; readonly at: RegExp; readonly why: string }[] = [
  {
    rule: 'W3005',
    at: /^RawCloud(Launch|Reaper)Role/,
    why: 'the CDK’s own: it lets a function wait for its role’s policies by a DependsOn, and names the role along with them',
  },
];
