/** What a tool finds in the scaffolding, and why it stays. */
export interface Accepted {
  /** The rule, or with what it found: `AwsSolutions-IAM5[Resource::…]`. Tokens of the template read `<…>`. */
  readonly finding: RegExp;
  /** Where it may be found: the path of the construct. */
  readonly at: RegExp;
  readonly why: string;
}

const FUNCTIONS = String.raw`(Team|Full)/RawCloud/(LaunchRole|ReaperRole)`;
const VM_ROLES = String.raw`(Team/(RawCloud|Nightly/Job|Arrived/Job)|Full/RawCloud|Guests/Guest/Job)/VmRole`;
const at = (...places: readonly string[]): RegExp => new RegExp(`^(${places.join('|')})/Resource$`);
/** Of the grants that are managed policies. */
const grants = (...names: readonly string[]): string => `Full/RawCloud/(${names.join('|')})Policy`;

/** Objects in the bucket of the scaffolding: its own, the app's, and as another stack knows it. */
const objects = (rest: string): RegExp =>
  new RegExp(
    String.raw`^AwsSolutions-IAM5\[Resource::(<(RawCloud|My)Bucket\w+\.Arn>|arn:<AWS::Partition>:s3:::<SsmParameterValue\w+>)\/v1\/${rest}\]$`,
  );
const resource = (arn: string): RegExp => new RegExp(String.raw`^AwsSolutions-IAM5\[Resource::${arn}\]$`);
const ec2 = (kinds: string): RegExp => resource(String.raw`arn:<AWS::Partition>:ec2:<AWS::Region>:${kinds}\/\*`);

/** All findings of cdk-nag's AwsSolutions. docs/security.md shows this table; a test compares the two, and all with what is found. */
export const NAG: readonly Accepted[] = [
  {
    finding: /^AwsSolutions-S1$/,
    at: at('Team/RawCloud/Bucket', 'Full/MyBucket'),
    why: 'access logs would need a second bucket, and cost more than what they log; CloudTrail data events tell the same to who wants them',
  },
  {
    finding: objects(String.raw`(private|jobs\/\*\/vm)\/<aws:userid>\/\*`),
    at: at(VM_ROLES),
    why: 'the star stands behind the VM’s own name: its private directory, and its directory of a job',
  },
  {
    finding: objects(String.raw`jobs\/\*(\/task\/\*|\/outcome\.json)?`),
    at: at(VM_ROLES, FUNCTIONS),
    why: 'a job’s prefix holds 128 secret bits, which a VM knows of its own job only, and it may list nothing',
  },
  {
    finding: objects(String.raw`(files|agent|environments)\/\*`),
    at: at(VM_ROLES, FUNCTIONS),
    why: 'content lies under its hash, or a key that nobody else can make; VMs read it, and write environments only; drivers bring the rest, the reaper deletes what is old',
  },
  {
    finding: objects(String.raw`environments\/\*\/use`),
    at: at(grants('Run')),
    why: 'what people are told of environments, whose keys nobody but VMs can make; what is in an environment they do not read',
  },
  {
    finding: objects(String.raw`(active|index|ledger|market|sealed|sweep|ticks|private|reaper)\/\*`),
    at: at(FUNCTIONS),
    why: 'records of jobs, one directory for each kind; of private grants drivers write and delete, and nobody but the VM reads',
  },
  {
    finding: objects(String.raw`\w+\/\*(\/control\.json)?`),
    at: at(grants('Run', 'Read', 'Stop')),
    why: 'who runs jobs, reads or stops them may do so with all of the scaffolding’s, which is one trust domain; each directory by itself',
  },
  {
    finding: ec2(String.raw`<AWS::AccountId>:(instance|volume|network-interface|spot-instances-request)`),
    at: at(FUNCTIONS, grants('Run', 'Launch', 'Exec', 'Read', 'Stop')),
    why: 'what is launched has no name before; the condition demands our tag and a launch template, and our tag of what is ended, looked at or entered',
  },
  {
    finding: ec2(String.raw`(<AWS::AccountId>:subnet|:image)`),
    at: at(FUNCTIONS, grants('Launch')),
    why: 'any subnet of the default VPC and any image (the newest Amazon Linux, or a job’s own), but only in launches from a template, which must be ours',
  },
  {
    finding: ec2(String.raw`<AWS::AccountId>:(launch-template|security-group)`),
    at: at('(Team|Full)/RawCloud/ReaperRole'),
    why: 'leftovers of jobs, with our tag; what the scaffolding itself is made of is denied by name',
  },
  {
    finding: ec2('<AWS::AccountId>:launch-template'),
    at: at('Full/RawCloud/LaunchRole', grants('Launch')),
    why: 'with `shared` only: the templates of jobs in other stacks, which are known by our tag',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:iam::<AWS::AccountId>:role\/rawcloud\/<AWS::Region>\/full\/\*`),
    at: at('Full/RawCloud/(LaunchRole|ReaperRole)', grants('Launch')),
    why: 'with `shared` only: the VM roles of jobs in other stacks, which are known by their path; to EC2 alone',
  },
  {
    finding: resource(
      String.raw`arn:<AWS::Partition>:ssm:<AWS::Region>:(<AWS::AccountId>:parameter\/rawcloud\/(default|full)\/(jobs|roles)|:parameter\/aws\/service\/ami-amazon-linux-latest)\/\*`,
    ),
    at: at(FUNCTIONS, grants('Run')),
    why: 'the parameters of deployed jobs and of roles for jobs, which only CloudFormation writes; AWS’s public names of images',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:ssm:\*:<AWS::AccountId>:parameter\/rawcloud\/(default|full)\/scaffold`),
    at: at('(Team|Full)/RawCloud/ReaperRole'),
    why: 'one parameter in whatever region something with our tag was found: whether a scaffolding there looks after it',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:s3:::cdk-(hnb659fds|\*)-assets-<AWS::AccountId>-<AWS::Region>\/\*`),
    at: at(FUNCTIONS),
    why: 'deployed jobs’ content among the assets of apps, whose names are hashes; it is read only',
  },
  {
    finding: resource(String.raw`\*`),
    at: at(FUNCTIONS, grants('Run', 'Read', 'Stop')),
    why: 'Describe calls, prices, and sessions of one’s own: AWS knows no resources for them, and they change nothing',
  },
  {
    finding: resource(String.raw`\*`),
    at: at('Full/Developers/DefaultPolicy'),
    why: 'a session of one’s own: STS knows no resources for it',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:servicequotas:<AWS::Region>:<AWS::AccountId>:ec2\/\*`),
    at: at(FUNCTIONS, grants('Run')),
    why: 'quotas of EC2, read only: which of them refused a launch is known by then',
  },
  {
    finding: resource(String.raw`\*`),
    at: at(VM_ROLES),
    why: 'with `allowExec` only: what the SSM agent needs knows no resources but the VM itself, which has no name before; it registers the VM that asks, and no other',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:session\/\*`),
    at: at(grants('Exec')),
    why: 'with `allowExec` only: a session has no name before; the condition demands that it is one’s own, and its channel the token of it',
  },
  {
    finding: resource(String.raw`arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key\/\*`),
    at: at('Guests/Guest/Job/VmRole/DefaultPolicy'),
    why: 'with `shared` only: the key of the scaffolding’s bucket, which another stack does not know; through S3, and for that bucket alone',
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
