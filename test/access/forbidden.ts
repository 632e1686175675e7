import { bucketKeys, jobKeys, jobPrefix, TAGS } from '../../lib/contract';
import type { AccessQuestion, Conditions } from '../../lib/local/policy';
import type { Who } from './policies';
import type { Place } from './recording';
import { ACCOUNT } from './verdicts';

/** Whoever administers the account, too, as far as the bucket's own policy goes. */
export type Caller = Who | 'administrator';

/** A call that must be refused. */
export interface Line {
  readonly what: string;
  readonly who: readonly Caller[];
  readonly question: AccessQuestion;
  /** A statement must deny it: whatever else somebody is granted does not help. @default - that nothing allows it is enough */
  readonly denied?: true;
}

/** Who brings jobs to their end. */
export const DRIVERS: readonly Who[] = ['client', 'launch', 'reaper'];
/** What jobs run on. */
export const VMS: readonly Who[] = ['vm', 'job', 'training'];
/** Who looks at jobs, and stops them. */
const LOOKERS: readonly Who[] = ['reader', 'stopper'];
const ALL: readonly Who[] = [...DRIVERS, ...LOOKERS, ...VMS, 'limited', 'sharer', 'guest'];

const OTHER_REGION = 'ap-southeast-2';
const VM = 'i-0aaaaaaaaaaaaaaaa';
export const OTHER_VM = 'i-0bbbbbbbbbbbbbbbb';
const PREFIX = jobPrefix('j1', '0123456789abcdef0123456789abcdef');
const HASH = 'a'.repeat(64);

/** What identifies a caller in questions. */
export function identityOf(
  who: Caller,
  { roleId, jobRoleId, trainingRoleId }: Place,
): { readonly arn: string; readonly context: Conditions } {
  const vms: Partial<Record<Caller, readonly [role: string, id: string]>> = {
    vm: ['rawcloud-local-vm', roleId],
    job: ['app-nightly', jobRoleId],
    training: ['role-training', trainingRoleId],
    guest: ['guest', 'AROAGUEST'],
  };
  const [role, id] = vms[who] ?? [who, `AROA${who.toUpperCase()}`];
  const name = vms[who] ? VM : who;
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`;
  const userId = `${id}:${name}`;
  return {
    arn,
    context: { 'aws:userid': userId, 'aws:principalarn': arn, 'aws:principalaccount': ACCOUNT, 'aws:securetransport': 'true' },
  };
}

/** All that a launch asks for, as EC2 would ask for it; each part is a variation's place. */
export function launchOf(
  { region, template, group, roleName }: Place,
  tags: Readonly<Record<string, string>>,
): Record<LaunchPart, AccessQuestion> {
  const ec2 = (resource: string): string => `arn:aws:ec2:${region}:${ACCOUNT}:${resource}`;
  const from = { 'ec2:launchtemplate': ec2(`launch-template/${template}`) };
  const given = requestTags(tags);
  const run = (resource: string, context: Conditions): AccessQuestion => ({ action: 'ec2:RunInstances', resource, context });
  return {
    instance: run(ec2('instance/*'), { ...from, ...given, 'ec2:instancetype': 'c7i.large', 'ec2:instancemarkettype': 'on-demand' }),
    volume: run(ec2('volume/*'), { ...from, ...given }),
    interface: run(ec2('network-interface/*'), { ...from, ...given }),
    spot: run(ec2('spot-instances-request/*'), given),
    template: run(ec2(`launch-template/${template}`), from),
    subnet: run(ec2('subnet/subnet-0123456789abcdef0'), from),
    group: run(ec2(`security-group/${group}`), from),
    image: run(`arn:aws:ec2:${region}::image/ami-0123456789abcdef0`, from),
    tags: { action: 'ec2:CreateTags', resource: ec2('instance/*'), context: { ...given, 'ec2:createaction': 'RunInstances' } },
    role: {
      action: 'iam:PassRole',
      resource: `arn:aws:iam::${ACCOUNT}:role/${roleName}`,
      context: { 'iam:passedtoservice': 'ec2.amazonaws.com' },
    },
  };
}

export type LaunchPart = 'instance' | 'volume' | 'interface' | 'spot' | 'template' | 'subnet' | 'group' | 'image' | 'tags' | 'role';

function requestTags(tags: Readonly<Record<string, string>>): Conditions {
  const entries = Object.entries(tags).map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value] as const);
  return entries.length === 0 ? {} : { ...Object.fromEntries(entries), 'aws:tagkeys': Object.keys(tags) };
}

const resourceTags = (scaffold: string): Conditions => ({ [`aws:resourcetag/${TAGS.scaffold}`]: scaffold });

/** Tags of a launch in the default scaffolding, and in the one whose owner wants one of his own. */
export const OUR_TAGS = { [TAGS.scaffold]: 'default' };
export const LIMITED_TAGS = { [TAGS.scaffold]: 'limited', CostCenter: '4711' };

/** The place of the scaffolding with limits: it is in the template only. */
export function limitedPlace(place: Place): Place {
  return { ...place, bucket: 'limited-bucket', template: 'lt-0000000000limited', group: 'sg-0000000000limited', roleName: 'limited-vm' };
}

export const SHARED_TAGS = { [TAGS.scaffold]: 'shared' };

/** The place of the scaffolding that is shared, likewise. */
export function sharedPlace(place: Place): Place {
  return { ...place, bucket: 'shared-bucket', template: 'lt-00000000000shared', group: 'sg-00000000000shared', roleName: 'shared-vm' };
}

/** Template and role of a job that another stack brought into that one. */
export function guestVms({ region }: Pick<Place, 'region'>): Record<'template' | 'role', AccessQuestion> {
  const template = ec2In({ region })('launch-template/lt-000000000000guest');
  return {
    template: ask('ec2:RunInstances', template, { 'ec2:launchtemplate': template, ...resourceTags('shared') }),
    role: ask('iam:PassRole', roleUnder('shared', region), { 'iam:passedtoservice': 'ec2.amazonaws.com' }),
  };
}

function roleUnder(scaffold: string, region: string): string {
  return `arn:aws:iam::${ACCOUNT}:role/rawcloud/${region}/${scaffold}/guest`;
}

/** Each boundary at least once for everybody who might try. */
export function forbidden(place: Place): Line[] {
  return [
    ...othersVms(place),
    ...launches(place),
    ...limitedLaunches(place),
    ...roles(place),
    ...templatesAndGroups(place),
    ...grants(place),
    ...objectsOfVms(place),
    ...objectsOfDrivers(place),
    ...bucketSettings(place),
    ...parameters(place),
    ...events(place),
    ...leftovers(place),
    ...functions(place),
    ...lookers(place),
    ...sessions(place),
    ...keys(place),
    ...otherStacks(place),
  ];
}

function ask(action: string, resource: string, context: Conditions = {}): AccessQuestion {
  return { action, resource, context };
}

function ec2In({ region }: Pick<Place, 'region'>): (resource: string) => string {
  return (resource) => `arn:aws:ec2:${region}:${ACCOUNT}:${resource}`;
}

function othersVms(place: Place): Line[] {
  const instance = ec2In(place)(`instance/${OTHER_VM}`);
  const [theirs, ours] = [resourceTags('limited'), resourceTags('default')];
  const until = requestTags({ [TAGS.until]: '2099-01-01T00:00:00.000Z' });
  return [
    { what: 'end another team’s VM', who: [...DRIVERS, ...LOOKERS, ...VMS], question: ask('ec2:TerminateInstances', instance, theirs) },
    { what: 'end a VM of our scaffolding from another team', who: ['limited'], question: ask('ec2:TerminateInstances', instance, ours) },
    { what: 'end a VM without our tag', who: ALL, question: ask('ec2:TerminateInstances', instance) },
    {
      what: 'end a VM in another region',
      who: DRIVERS,
      question: ask('ec2:TerminateInstances', ec2In({ region: OTHER_REGION })(`instance/${OTHER_VM}`), ours),
    },
    { what: 'read another team’s console', who: [...DRIVERS, ...LOOKERS, ...VMS], question: ask('ec2:GetConsoleOutput', instance, theirs) },
    { what: 'read the console of a VM without our tag', who: ALL, question: ask('ec2:GetConsoleOutput', instance) },
    {
      what: 'move the lifetime of another team’s VM',
      who: [...DRIVERS, ...LOOKERS, ...VMS],
      question: ask('ec2:CreateTags', instance, { ...theirs, ...until }),
    },
    { what: 'move the lifetime of a VM without our tag', who: ALL, question: ask('ec2:CreateTags', instance, until) },
    { what: 'make somebody’s VM ours by its tag', who: ALL, question: ask('ec2:CreateTags', instance, requestTags(OUR_TAGS)) },
    {
      what: 'give our VM to another team by its tag',
      who: DRIVERS,
      question: ask('ec2:CreateTags', instance, { ...ours, ...requestTags({ [TAGS.scaffold]: 'limited' }) }),
    },
    {
      what: 'give our VM to another job by its tag',
      who: DRIVERS,
      question: ask('ec2:CreateTags', instance, { ...ours, ...requestTags({ [TAGS.job]: 'j2' }) }),
    },
    {
      what: 'slip another tag in beside the lifetime',
      who: DRIVERS,
      question: ask('ec2:CreateTags', instance, { ...ours, ...requestTags({ [TAGS.until]: '2099-01-01T00:00:00.000Z', Name: 'x' }) }),
    },
    {
      what: 'tag as if another call had made it',
      who: DRIVERS,
      question: ask('ec2:CreateTags', ec2In(place)('volume/*'), { ...requestTags(OUR_TAGS), 'ec2:createaction': 'CreateVolume' }),
    },
    { what: 'take a tag off our VM', who: ALL, question: ask('ec2:DeleteTags', instance, { ...ours, ...requestTags(OUR_TAGS) }) },
    ...['StopInstances', 'StartInstances', 'RebootInstances', 'ModifyInstanceAttribute', 'ModifyInstanceMetadataOptions'].map(
      (action): Line => ({
        what: `${action} of our VM`,
        who: ALL,
        question: ask(`ec2:${action}`, instance, ours),
      }),
    ),
    { what: 'give a VM another role while it runs', who: ALL, question: ask('ec2:AssociateIamInstanceProfile', instance, ours) },
  ];
}

/** Each a launch as it should be, but for one thing. */
function launches(place: Place): Line[] {
  const proper = launchOf(place, OUR_TAGS);
  const ec2 = ec2In(place);
  const other = { 'ec2:launchtemplate': ec2('launch-template/lt-0bbbbbbbbbbbbbbbb') };
  const who = DRIVERS;
  const made = (['instance', 'volume', 'interface', 'spot'] as const).flatMap((part): Line[] => {
    const { action, resource, context } = proper[part];
    const { [`aws:requesttag/${TAGS.scaffold}`]: _tag, 'aws:tagkeys': _keys, ...untagged } = context;
    const wrong = { ...context, ...requestTags({ [TAGS.scaffold]: 'limited' }) };
    return [
      { what: `launch without our tag: ${part}`, who, question: { action, resource, context: untagged } },
      { what: `launch with another team’s tag: ${part}`, who, question: { action, resource, context: wrong } },
      {
        what: `launch in another region: ${part}`,
        who,
        question: { action, resource: resource.replace(place.region, OTHER_REGION), context },
      },
    ];
  });
  const withoutTemplate = (['instance', 'volume', 'interface', 'subnet', 'group', 'image'] as const).map((part): Line => {
    const { action, resource, context } = proper[part];
    const { 'ec2:launchtemplate': _template, ...without } = context;
    return { what: `launch without a template: ${part}`, who, question: { action, resource, context: without } };
  });
  const use = (what: string, resource: string): Line => ({ what, who, question: ask('ec2:RunInstances', resource, proper.subnet.context) });
  return [
    ...made,
    ...withoutTemplate,
    // For the template EC2 asks in every launch from one.
    { what: 'use another template', who, question: ask('ec2:RunInstances', other['ec2:launchtemplate'], other) },
    {
      what: 'use another template that has our tag',
      who,
      question: ask('ec2:RunInstances', other['ec2:launchtemplate'], { ...other, ...resourceTags('default') }),
    },
    {
      what: 'use the template of another team',
      who,
      question: ask('ec2:RunInstances', ec2(`launch-template/${limitedPlace(place).template}`)),
    },
    use('launch into another security group', ec2('security-group/sg-0bbbbbbbbbbbbbbbb')),
    use('launch with a key pair', ec2('key-pair/mine')),
    use('launch into a placement group', ec2('placement-group/mine')),
    use('launch from somebody’s snapshot', `arn:aws:ec2:${place.region}::snapshot/snap-0123456789abcdef0`),
    use('launch into a capacity reservation', ec2('capacity-reservation/cr-0123456789abcdef0')),
    { what: 'launch from a VM', who: VMS, question: proper.instance },
    { what: 'launch a VM of our scaffolding from another team', who: ['limited'], question: proper.instance },
  ];
}

/** What the account's owner allows, IAM holds. */
function limitedLaunches(place: Place): Line[] {
  const { instance, volume, interface: nic, spot } = launchOf(limitedPlace(place), LIMITED_TAGS);
  const who = ['limited'] as const;
  const vary = (what: string, change: Conditions): Line => ({
    what,
    who,
    question: { ...instance, context: { ...instance.context, ...change } },
  });
  const untagged = ({ context, ...rest }: AccessQuestion): AccessQuestion => {
    const { 'aws:requesttag/costcenter': _tag, ...left } = context;
    return { ...rest, context: { ...left, 'aws:tagkeys': [TAGS.scaffold] } };
  };
  return [
    vary('launch a type that is not allowed', { 'ec2:instancetype': 'p5.48xlarge' }),
    vary('launch a type whose name only begins like one that is allowed', { 'ec2:instancetype': 'c7in.large' }),
    vary('buy on a market that is not allowed', { 'ec2:instancemarkettype': 'spot' }),
    vary('launch with another value of a tag that the company wants', requestTags({ ...LIMITED_TAGS, CostCenter: '1' })),
    { what: 'launch without a tag that the company wants: instance', who, question: untagged(instance) },
    { what: 'launch without a tag that the company wants: volume', who, question: untagged(volume) },
    { what: 'launch without a tag that the company wants: interface', who, question: untagged(nic) },
    { what: 'launch without a tag that the company wants: spot request', who, question: untagged(spot) },
  ];
}

function roles(place: Place): Line[] {
  const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
  const pass = (name: string, service = 'ec2.amazonaws.com'): AccessQuestion =>
    ask('iam:PassRole', role(name), { 'iam:passedtoservice': service });
  const slr = 'aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling';
  return [
    { what: 'pass an administrator’s role', who: ALL, question: pass('Admin') },
    { what: 'pass another team’s VM role', who: [...DRIVERS, ...LOOKERS, ...VMS], question: pass('limited-vm') },
    { what: 'pass our VM role from another team', who: ['limited'], question: pass(place.roleName) },
    { what: 'pass a function’s role', who: ALL, question: pass('reaper') },
    { what: 'pass our VM role to Lambda', who: ALL, question: pass(place.roleName, 'lambda.amazonaws.com') },
    { what: 'pass our VM role to ECS', who: ALL, question: pass(place.roleName, 'ecs-tasks.amazonaws.com') },
    { what: 'pass the role of the VM from itself', who: VMS, question: pass(place.roleName) },
    {
      what: 'make another service’s role',
      who: ALL,
      question: ask('iam:CreateServiceLinkedRole', role(slr), { 'iam:awsservicename': 'autoscaling.amazonaws.com' }),
    },
    ...['PutRolePolicy', 'AttachRolePolicy', 'UpdateAssumeRolePolicy', 'DeleteRolePermissionsBoundary'].map((action): Line => ({
      what: `iam:${action} of our VM role`,
      who: ALL,
      question: ask(`iam:${action}`, role(place.roleName)),
    })),
    { what: 'become an administrator', who: ALL, question: ask('sts:AssumeRole', role('Admin')) },
    { what: 'become the reaper', who: ALL, question: ask('sts:AssumeRole', role('reaper')) },
  ];
}

function templatesAndGroups(place: Place): Line[] {
  const ec2 = ec2In(place);
  const template = ec2(`launch-template/${place.template}`);
  const group = ec2(`security-group/${place.group}`);
  const ours = resourceTags('default');
  return [
    { what: 'change what our template launches', who: ALL, question: ask('ec2:CreateLaunchTemplateVersion', template, ours) },
    { what: 'make another version of our template the default', who: ALL, question: ask('ec2:ModifyLaunchTemplate', template, ours) },
    { what: 'make a template', who: ALL, question: ask('ec2:CreateLaunchTemplate', ec2('launch-template/*'), requestTags(OUR_TAGS)) },
    { what: 'open our security group', who: ALL, question: ask('ec2:AuthorizeSecurityGroupIngress', group, ours) },
  ];
}

function grants(place: Place): Line[] {
  const object = objectsIn(place);
  const theirs = object(bucketKeys.grant(`${place.roleId}:${OTHER_VM}`));
  const ofJob = object(bucketKeys.grant(`${place.jobRoleId}:${OTHER_VM}`));
  const ofTraining = object(bucketKeys.grant(`${place.trainingRoleId}:${OTHER_VM}`));
  const ofScaffold = object(bucketKeys.grant(`${place.roleId}:${VM}`));
  return [
    {
      what: 'read a private grant',
      who: [...DRIVERS, ...LOOKERS, 'limited', 'administrator'],
      question: ask('s3:GetObject', theirs),
      denied: true,
    },
    {
      what: 'read a private grant of a job’s VM',
      who: [...DRIVERS, ...LOOKERS, 'limited', 'administrator'],
      question: ask('s3:GetObject', ofJob),
      denied: true,
    },
    {
      what: 'read a private grant of a VM of a role for jobs',
      who: [...DRIVERS, ...LOOKERS, 'limited', 'administrator'],
      question: ask('s3:GetObject', ofTraining),
      denied: true,
    },
    {
      what: 'read an old version of a private grant',
      who: [...DRIVERS, 'administrator'],
      question: ask('s3:GetObjectVersion', theirs),
      denied: true,
    },
    { what: 'read another VM’s grant', who: ['vm'], question: ask('s3:GetObject', theirs) },
    { what: 'read the grant of another VM of the same job', who: ['job'], question: ask('s3:GetObject', ofJob) },
    { what: 'read the grant of a VM with another role', who: ['job', 'training'], question: ask('s3:GetObject', ofScaffold) },
    { what: 'read the grant of another VM of the same role', who: ['training'], question: ask('s3:GetObject', ofTraining) },
    { what: 'read the grant of a VM of a role for jobs', who: ['vm', 'job'], question: ask('s3:GetObject', ofTraining) },
    { what: 'delete another VM’s grant', who: VMS, question: ask('s3:DeleteObject', theirs) },
    { what: 'write a grant', who: VMS, question: ask('s3:PutObject', theirs) },
    { what: 'read a sealed object', who: [...VMS, 'limited'], question: ask('s3:GetObject', object(bucketKeys.sealed('j1'))) },
  ];
}

function objectsIn({ bucket }: Pick<Place, 'bucket'>): (key: string) => string {
  return (key) => `arn:aws:s3:::${bucket}/${key}`;
}

const RECORDS = [
  bucketKeys.active('j1'),
  bucketKeys.index(0, 'owner', 'j1'),
  bucketKeys.ledger(0, 'j1'),
  bucketKeys.market('eu-central-1'),
  bucketKeys.lastTick('nightly'),
  bucketKeys.reaperMarks,
  bucketKeys.sweep,
];

function objectsOfVms(place: Place): Line[] {
  const object = objectsIn(place);
  const other = `${place.roleId}:${OTHER_VM}`;
  const written = [
    ['content', bucketKeys.file(HASH)],
    ['an agent or Node', bucketKeys.agent(HASH)],
    ['a job’s spec', jobKeys.spec(PREFIX)],
    ['a launch record', jobKeys.launch(PREFIX, 0)],
    ['a job’s control', jobKeys.control(PREFIX)],
    ['a job’s end', jobKeys.end(PREFIX)],
    ['another VM’s heartbeat', jobKeys.beat(PREFIX, other)],
    ['another VM’s log', jobKeys.log(PREFIX, other, 0)],
    ['another VM’s results', jobKeys.out(PREFIX, other, 'manifest')],
    ['a sealed object', bucketKeys.sealed('j1')],
    ...RECORDS.map((key): [string, string] => [`a record: ${key.split('/')[1]}`, key]),
  ] as const;
  const deleted = [
    ['content', bucketKeys.file(HASH)],
    ['an agent or Node', bucketKeys.agent(HASH)],
    ['an environment', `${bucketKeys.environments}${HASH}/manifest`],
    ['what it wrote itself', jobKeys.beat(PREFIX, `${place.roleId}:${VM}`)],
    ['a job’s outcome', jobKeys.outcome(PREFIX)],
  ] as const;
  return [
    { what: 'list a job', who: VMS, question: ask('s3:ListBucket', `arn:aws:s3:::${place.bucket}`) },
    { what: 'list unfinished uploads', who: VMS, question: ask('s3:ListBucketMultipartUploads', `arn:aws:s3:::${place.bucket}`) },
    ...RECORDS.map((key): Line => ({ what: `read a record: ${key.split('/')[1]}`, who: VMS, question: ask('s3:GetObject', object(key)) })),
    ...written.map(([what, key]): Line => ({ what: `write ${what}`, who: VMS, question: ask('s3:PutObject', object(key)) })),
    ...deleted.map(([what, key]): Line => ({ what: `delete ${what}`, who: VMS, question: ask('s3:DeleteObject', object(key)) })),
    {
      what: 'read what another team’s job has',
      who: VMS,
      question: ask('s3:GetObject', objectsIn(limitedPlace(place))(jobKeys.spec(PREFIX))),
    },
  ];
}

function objectsOfDrivers(place: Place): Line[] {
  const object = objectsIn(place);
  const theirs = objectsIn(limitedPlace(place));
  const kept = [
    ['results', jobKeys.out(PREFIX, `${place.roleId}:${VM}`, 'manifest')],
    ['a job’s end', jobKeys.end(PREFIX)],
    ['the ledger', bucketKeys.ledger(0, 'j1')],
    ['the index', bucketKeys.index(0, 'owner', 'j1')],
    ['a tick', bucketKeys.lastTick('nightly')],
    ['the reaper’s marks', bucketKeys.reaperMarks],
  ] as const;
  const content = [bucketKeys.file(HASH), bucketKeys.agent(HASH)];
  const environment = object(bucketKeys.environmentManifest(HASH));
  const use = object(bucketKeys.environmentUse(HASH));
  return [
    { what: 'read an environment', who: ['client', 'launch', ...LOOKERS], question: ask('s3:GetObject', environment) },
    { what: 'read what is told of an environment', who: ['launch', ...LOOKERS, 'limited'], question: ask('s3:GetObject', use) },
    { what: 'write an environment', who: [...DRIVERS, ...LOOKERS], question: ask('s3:PutObject', environment) },
    { what: 'delete an environment', who: ['launch', ...LOOKERS, 'limited'], question: ask('s3:DeleteObject', environment) },
    ...kept.map(([what, key]): Line => ({ what: `delete ${what}`, who: DRIVERS, question: ask('s3:DeleteObject', object(key)) })),
    ...content.map((key): Line => ({
      what: `delete content: ${key.split('/')[1]}`,
      who: ['client', 'launch'],
      question: ask('s3:DeleteObject', object(key)),
    })),
    { what: 'write the reaper’s marks', who: ['client', 'launch'], question: ask('s3:PutObject', object(bucketKeys.reaperMarks)) },
    { what: 'write that content is being deleted', who: ['client', 'launch'], question: ask('s3:PutObject', object(bucketKeys.sweep)) },
    { what: 'write beside what the protocol knows', who: DRIVERS, question: ask('s3:PutObject', object('v2/anything')) },
    { what: 'read another team’s jobs', who: [...DRIVERS, ...LOOKERS], question: ask('s3:GetObject', theirs(jobKeys.spec(PREFIX))) },
    {
      what: 'list another team’s bucket',
      who: [...DRIVERS, ...LOOKERS, ...VMS],
      question: ask('s3:ListBucket', 'arn:aws:s3:::limited-bucket'),
    },
    { what: 'read our jobs from another team', who: ['limited'], question: ask('s3:GetObject', object(jobKeys.spec(PREFIX))) },
    { what: 'list our bucket from another team', who: ['limited'], question: ask('s3:ListBucket', `arn:aws:s3:::${place.bucket}`) },
    { what: 'write into our bucket from another team', who: ['limited'], question: ask('s3:PutObject', object(bucketKeys.agent(HASH))) },
    { what: 'read somebody’s bucket', who: ALL, question: ask('s3:GetObject', 'arn:aws:s3:::somebody/secret.txt') },
    { what: 'list all buckets', who: ALL, question: ask('s3:ListAllMyBuckets', '*') },
    { what: 'read assets of apps', who: ['client', ...LOOKERS, ...VMS, 'limited'], question: ask('s3:GetObject', assetIn(place)) },
    { what: 'write assets of apps', who: ALL, question: ask('s3:PutObject', assetIn(place)) },
  ];
}

function assetIn({ region }: Place): string {
  return `arn:aws:s3:::cdk-hnb659fds-assets-${ACCOUNT}-${region}/${HASH}.bin`;
}

/** Everything about the bucket itself, by everybody; and whatever is not encrypted on its way, by administrators as well. */
function bucketSettings({ bucket }: Place): Line[] {
  const settings = [
    'PutBucketPolicy',
    'DeleteBucketPolicy',
    'PutBucketPublicAccessBlock',
    'PutBucketAcl',
    'PutBucketOwnershipControls',
    'PutEncryptionConfiguration',
    'PutLifecycleConfiguration',
    'PutReplicationConfiguration',
    'PutBucketNotification',
    'PutBucketVersioning',
    'DeleteBucket',
  ];
  const open = { 'aws:securetransport': 'false' };
  return [
    ...settings.map((action): Line => ({ what: `s3:${action}`, who: ALL, question: ask(`s3:${action}`, `arn:aws:s3:::${bucket}`) })),
    { what: 'make an object public', who: ALL, question: ask('s3:PutObjectAcl', `arn:aws:s3:::${bucket}/${jobKeys.end(PREFIX)}`) },
    {
      what: 'read without TLS',
      who: [...ALL, 'administrator'],
      question: ask('s3:GetObject', `arn:aws:s3:::${bucket}/${jobKeys.spec(PREFIX)}`, open),
      denied: true,
    },
    {
      what: 'list without TLS',
      who: [...ALL, 'administrator'],
      question: ask('s3:ListBucket', `arn:aws:s3:::${bucket}`, open),
      denied: true,
    },
  ];
}

function parameters(place: Place): Line[] {
  const parameter = (name: string, region = place.region): string => `arn:aws:ssm:${region}:${ACCOUNT}:parameter/${name}`;
  const secret = `arn:aws:secretsmanager:${place.region}:${ACCOUNT}:secret:other/password-a1b2c3`;
  const ours = `arn:aws:secretsmanager:${place.region}:${ACCOUNT}:secret:app/password-a1b2c3`;
  return [
    { what: 'read somebody’s parameter', who: ALL, question: ask('ssm:GetParameter', parameter('prod/db/password')) },
    {
      what: 'read another team’s scaffolding',
      who: [...DRIVERS, ...LOOKERS, ...VMS],
      question: ask('ssm:GetParameter', parameter('rawcloud/limited/scaffold')),
    },
    {
      what: 'read another team’s deployed jobs',
      who: [...DRIVERS, ...LOOKERS, ...VMS],
      question: ask('ssm:GetParameter', parameter('rawcloud/limited/jobs/nightly')),
    },
    {
      what: 'read our scaffolding in another region',
      who: ['client', 'launch', ...LOOKERS, ...VMS],
      question: ask('ssm:GetParameter', parameter('rawcloud/default/scaffold', OTHER_REGION)),
    },
    {
      what: 'read what is deployed',
      who: ['client', ...LOOKERS, ...VMS, 'limited'],
      question: ask('ssm:GetParameter', parameter('rawcloud/default/jobs/nightly')),
    },
    {
      what: 'list what is deployed',
      who: ['client', 'launch', ...LOOKERS, ...VMS, 'limited'],
      question: ask('ssm:GetParametersByPath', parameter('rawcloud/default/jobs')),
    },
    {
      what: 'list the roles of jobs',
      who: ['launch', ...LOOKERS, ...VMS, 'limited'],
      question: ask('ssm:GetParametersByPath', parameter('rawcloud/default/roles')),
    },
    { what: 'list somebody’s parameters', who: ALL, question: ask('ssm:GetParametersByPath', parameter('prod')) },
    { what: 'change our scaffolding', who: ALL, question: ask('ssm:PutParameter', parameter('rawcloud/default/scaffold')) },
    { what: 'change what a role of jobs is', who: ALL, question: ask('ssm:PutParameter', parameter('rawcloud/default/roles/training')) },
    { what: 'change what a deployed job is', who: ALL, question: ask('ssm:PutParameter', parameter('rawcloud/default/jobs/nightly')) },
    { what: 'delete our scaffolding’s parameter', who: ALL, question: ask('ssm:DeleteParameter', parameter('rawcloud/default/scaffold')) },
    { what: 'read somebody’s secret', who: ALL, question: ask('secretsmanager:GetSecretValue', secret) },
    { what: 'read a job’s secret', who: NOT_JOB, question: ask('secretsmanager:GetSecretValue', ours) },
    { what: 'change a job’s secret', who: ALL, question: ask('secretsmanager:PutSecretValue', ours) },
    { what: 'run a command on a VM', who: ALL, question: ask('ssm:SendCommand', ec2In(place)(`instance/${VM}`), resourceTags('default')) },
  ];
}

function events({ region }: Place): Line[] {
  const bus = (name: string): string => `arn:aws:events:${region}:${ACCOUNT}:event-bus/${name}`;
  const put = (source: string, name = 'default'): AccessQuestion => ask('events:PutEvents', bus(name), { 'events:source': [source] });
  return [
    { what: 'send events in another’s name', who: ALL, question: put('aws.s3') },
    { what: 'send events of another team', who: [...DRIVERS, ...LOOKERS, ...VMS], question: put('rawcloud.limited') },
    { what: 'send our events', who: ['client', 'launch', ...LOOKERS, ...VMS, 'limited'], question: put('rawcloud.default') },
    {
      what: 'send somebody’s events among ours',
      who: ['reaper'],
      question: ask('events:PutEvents', bus('default'), { 'events:source': ['rawcloud.default', 'aws.s3'] }),
    },
    { what: 'send events to another bus', who: ALL, question: put('rawcloud.default', 'orders') },
    { what: 'change a rule', who: ALL, question: ask('events:PutRule', `arn:aws:events:${region}:${ACCOUNT}:rule/RawCloud`) },
  ];
}

/** Kind of the resource, what deletes it, an id. */
const LEFTOVERS = [
  ['volume', 'DeleteVolume', 'vol-0bbbbbbbbbbbbbbbb'],
  ['network-interface', 'DeleteNetworkInterface', 'eni-0bbbbbbbbbbbbbbbb'],
  ['launch-template', 'DeleteLaunchTemplate', 'lt-0bbbbbbbbbbbbbbbb'],
  ['security-group', 'DeleteSecurityGroup', 'sg-0bbbbbbbbbbbbbbbb'],
] as const;

function leftovers(place: Place): Line[] {
  const ec2 = ec2In(place);
  const elsewhere = ec2In({ region: OTHER_REGION });
  const ours = resourceTags('default');
  return [
    ...LEFTOVERS.flatMap(([kind, action, id]): Line[] => [
      { what: `delete a ${kind} without our tag`, who: ALL, question: ask(`ec2:${action}`, ec2(`${kind}/${id}`)) },
      {
        what: `delete another team’s ${kind}`,
        who: DRIVERS,
        question: ask(`ec2:${action}`, ec2(`${kind}/${id}`), resourceTags('limited')),
      },
      {
        what: `delete a ${kind} with our tag`,
        who: ['client', 'launch', ...LOOKERS, ...VMS, 'limited'],
        question: ask(`ec2:${action}`, ec2(`${kind}/${id}`), ours),
      },
      { what: `delete a ${kind} in another region`, who: ['reaper'], question: ask(`ec2:${action}`, elsewhere(`${kind}/${id}`), ours) },
    ]),
    {
      what: 'delete the scaffolding’s own template',
      who: ['reaper'],
      question: ask('ec2:DeleteLaunchTemplate', ec2(`launch-template/${place.template}`), ours),
      denied: true,
    },
    {
      what: 'delete a deployed job’s template',
      who: ['reaper'],
      question: ask('ec2:DeleteLaunchTemplate', ec2(`launch-template/${place.jobTemplate}`), ours),
      denied: true,
    },
    {
      what: 'delete the scaffolding’s own group',
      who: ['reaper'],
      question: ask('ec2:DeleteSecurityGroup', ec2(`security-group/${place.group}`), ours),
      denied: true,
    },
    {
      what: 'delete an image',
      who: ALL,
      question: ask('ec2:DeregisterImage', `arn:aws:ec2:${place.region}::image/ami-0123456789abcdef0`, ours),
    },
  ];
}

/** Whoever may call the launch function can start what is deployed; its code and its role are out of reach. */
function functions({ region }: Place): Line[] {
  const name = `arn:aws:lambda:${region}:${ACCOUNT}:function:launch`;
  return [
    { what: 'call the launch function', who: ALL, question: ask('lambda:InvokeFunction', name) },
    { what: 'change a function’s code', who: ALL, question: ask('lambda:UpdateFunctionCode', name) },
    { what: 'change a function’s role or environment', who: ALL, question: ask('lambda:UpdateFunctionConfiguration', name) },
    {
      what: 'change the stack',
      who: ALL,
      question: ask('cloudformation:UpdateStack', `arn:aws:cloudformation:${region}:${ACCOUNT}:stack/RawCloud/1`),
    },
    {
      what: 'look at VMs of another region',
      who: ['client', 'launch', ...LOOKERS, 'limited'],
      question: ask('ec2:DescribeInstances', '*', { 'aws:requestedregion': OTHER_REGION }),
    },
  ];
}

/** Who only looks changes nothing and learns no secret; who may stop a job does so by its control record alone. */
function lookers(place: Place): Line[] {
  const object = objectsIn(place);
  const instance = ec2In(place)(`instance/${OTHER_VM}`);
  const ours = resourceTags('default');
  const launch = launchOf(place, OUR_TAGS);
  const until = requestTags({ [TAGS.until]: '2099-01-01T00:00:00.000Z' });
  const written = [
    ['a grant', bucketKeys.grant(`${place.roleId}:${OTHER_VM}`)],
    ['content', bucketKeys.file(HASH)],
    ['an agent or Node', bucketKeys.agent(HASH)],
    ['a job’s spec', jobKeys.spec(PREFIX)],
    ['a launch record', jobKeys.launch(PREFIX, 0)],
    ['a job’s end', jobKeys.end(PREFIX)],
    ['results', jobKeys.out(PREFIX, `${place.roleId}:${VM}`, 'manifest')],
    ...RECORDS.map((key): [string, string] => [`a record: ${key.split('/')[1]}`, key]),
  ] as const;
  return [
    ...(['instance', 'volume', 'interface', 'spot', 'template', 'subnet', 'group', 'image', 'tags', 'role'] as const).map((part): Line => ({
      what: `launch: ${part}`,
      who: LOOKERS,
      question: launch[part],
    })),
    { what: 'end our VM', who: LOOKERS, question: ask('ec2:TerminateInstances', instance, ours) },
    { what: 'move the lifetime of our VM', who: LOOKERS, question: ask('ec2:CreateTags', instance, { ...ours, ...until }) },
    { what: 'ask a job to stop', who: ['reader'], question: ask('s3:PutObject', object(jobKeys.control(PREFIX))) },
    ...written.map(([what, key]): Line => ({ what: `write ${what}`, who: LOOKERS, question: ask('s3:PutObject', object(key)) })),
    { what: 'read a sealed object', who: LOOKERS, question: ask('s3:GetObject', object(bucketKeys.sealed('j1'))) },
    { what: 'read a job’s files', who: LOOKERS, question: ask('s3:GetObject', object(bucketKeys.file(HASH))) },
    { what: 'delete a record', who: LOOKERS, question: ask('s3:DeleteObject', object(bucketKeys.active('j1'))) },
    {
      what: 'delete results',
      who: LOOKERS,
      question: ask('s3:DeleteObject', object(jobKeys.out(PREFIX, `${place.roleId}:${VM}`, 'manifest'))),
    },
    { what: 'have a session of one’s own', who: LOOKERS, question: ask('sts:GetSessionToken', '*') },
  ];
}

const NOT_JOB = ALL.filter((who) => who !== 'job');
const NOT_LIMITED = ALL.filter((who) => who !== 'limited');
const NOT_CLIENT = ALL.filter((who) => who !== 'client');

/** `rawcloud exec`: our VMs by our document, and one's own sessions. */
function sessions(place: Place): Line[] {
  const { region } = place;
  const instance = ec2In(place)(`instance/${OTHER_VM}`);
  const document = (name: string, owner = ACCOUNT): string => `arn:aws:ssm:${region}:${owner}:document/${name}`;
  const session = `arn:aws:ssm:${region}:${ACCOUNT}:session/somebody-0123456789abcdef0`;
  const tagged = (scaffold: string): Conditions => ({ [`ssm:resourcetag/${TAGS.scaffold}`]: scaffold });
  const others = { 'ssm:resourcetag/aws:ssmmessages:session-id': 'AROASOMEBODY:somebody' };
  return [
    { what: 'enter another team’s VM', who: NOT_LIMITED, question: ask('ssm:StartSession', instance, tagged('limited')) },
    { what: 'enter a VM without our tag', who: ALL, question: ask('ssm:StartSession', instance) },
    { what: 'enter our VM without grantRun', who: NOT_CLIENT, question: ask('ssm:StartSession', instance, tagged('default')) },
    {
      what: 'enter a VM in another region',
      who: ALL,
      question: ask('ssm:StartSession', ec2In({ region: OTHER_REGION })(`instance/${OTHER_VM}`), tagged('default')),
    },
    {
      what: 'start a session by our document without grantRun',
      who: NOT_CLIENT,
      question: ask('ssm:StartSession', document('rawcloud-default-exec')),
    },
    {
      what: 'start a session by another team’s document',
      who: NOT_LIMITED,
      question: ask('ssm:StartSession', document('rawcloud-limited-exec')),
    },
    ...['SSM-SessionManagerRunShell', 'somebodys-shell'].map((name): Line => ({
      what: `start a session by the document ${name}`,
      who: ALL,
      question: ask('ssm:StartSession', document(name)),
    })),
    { what: 'forward a port', who: ALL, question: ask('ssm:StartSession', document('AWS-StartPortForwardingSession', '')) },
    ...['ResumeSession', 'TerminateSession'].map((action): Line => ({
      what: `${action} of somebody else`,
      who: ALL,
      question: ask(`ssm:${action}`, session, others),
    })),
    ...['UpdateDocument', 'UpdateDocumentDefaultVersion', 'DeleteDocument'].map((action): Line => ({
      what: `${action}: what a session does`,
      who: ALL,
      question: ask(`ssm:${action}`, document('rawcloud-default-exec')),
    })),
  ];
}

/** A use of a key as S3 makes it. */
function through(service: string, arn: string): Conditions {
  return { 'kms:viaservice': service, 'kms:encryptioncontext:aws:s3:arn': arn };
}

/** The key of the bucket is used by who reads and writes there, for nothing else, and managed by nobody. */
function keys({ region, bucket, key }: Place): Line[] {
  const other = `arn:aws:kms:${region}:${ACCOUNT}:key/ffffffff-89ab-cdef-0123-456789abcdef`;
  const manage = ['ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy', 'CreateGrant', 'ReEncryptFrom', 'Encrypt'];
  const strangers = ['limited', 'sharer', 'guest'] as const;
  const [s3, ours] = [`s3.${region}.amazonaws.com`, `arn:aws:s3:::${bucket}`];
  const proper = through(s3, ours);
  return [
    ...['Decrypt', 'GenerateDataKey'].flatMap((action): Line[] => [
      { what: `${action} with another key`, who: ALL, question: ask(`kms:${action}`, other, proper) },
      { what: `${action} with our key from another team`, who: strangers, question: ask(`kms:${action}`, key, proper) },
      {
        what: `${action} with our key for another bucket`,
        who: ALL,
        question: ask(`kms:${action}`, key, through(s3, 'arn:aws:s3:::somebody')),
      },
      {
        what: `${action} with our key for a bucket whose name only begins like ours`,
        who: ALL,
        question: ask(`kms:${action}`, key, through(s3, `${ours}-2/secret.txt`)),
      },
      {
        what: `${action} with our key without S3`,
        who: ALL,
        question: ask(`kms:${action}`, key, { 'kms:encryptioncontext:aws:s3:arn': ours }),
      },
      {
        what: `${action} with our key through another service`,
        who: ALL,
        question: ask(`kms:${action}`, key, through(`secretsmanager.${region}.amazonaws.com`, ours)),
      },
    ]),
    { what: 'write with our key though one only looks', who: ['reader'], question: ask('kms:GenerateDataKey', key, proper) },
    ...manage.map((action): Line => ({ what: `${action} of our key`, who: ALL, question: ask(`kms:${action}`, key, proper) })),
  ];
}

/** A shared scaffolding knows jobs of other stacks by path and tag: nothing beside those, and their VMs no more than other VMs. */
function otherStacks(place: Place): Line[] {
  const { region } = place;
  const shared = sharedPlace(place);
  const object = objectsIn(shared);
  const toEc2 = { 'iam:passedtoservice': 'ec2.amazonaws.com' };
  const template = ec2In(place)('launch-template/lt-0bbbbbbbbbbbbbbbb');
  const from = { 'ec2:launchtemplate': template };
  const proper = launchOf(shared, SHARED_TAGS);
  const who = ['sharer'] as const;
  const untemplated = (['instance', 'volume', 'interface', 'subnet', 'group', 'image'] as const).map((part): Line => {
    const { 'ec2:launchtemplate': _template, ...context } = proper[part].context;
    return { what: `launch without a template where jobs are shared: ${part}`, who, question: { ...proper[part], context } };
  });
  const other = `AROAOTHERGUEST:${OTHER_VM}`;
  const written = [
    ['another job’s heartbeat', jobKeys.beat(PREFIX, other)],
    ['another job’s log', jobKeys.log(PREFIX, other, 0)],
    ['another job’s spec', jobKeys.spec(PREFIX)],
    ['a job’s end', jobKeys.end(PREFIX)],
    ['content', bucketKeys.file(HASH)],
    ['an agent or Node', bucketKeys.agent(HASH)],
    ['a grant', bucketKeys.grant(other)],
    ['a sealed object', bucketKeys.sealed('j1')],
  ] as const;
  const key = `arn:aws:kms:${region}:${ACCOUNT}:key/aaaaaaaa-89ab-cdef-0123-456789abcdef`;
  const s3 = `s3.${region}.amazonaws.com`;
  return [
    ...untemplated,
    { what: 'use a template without our tag', who, question: ask('ec2:RunInstances', template, from) },
    {
      what: 'use a template with another team’s tag',
      who,
      question: ask('ec2:RunInstances', template, { ...from, ...resourceTags('default') }),
    },
    { what: 'pass a role of another team’s path', who, question: ask('iam:PassRole', roleUnder('default', region), toEc2) },
    { what: 'pass a role of another region’s path', who, question: ask('iam:PassRole', roleUnder('shared', OTHER_REGION), toEc2) },
    { what: 'pass a role whose path only begins so', who, question: ask('iam:PassRole', roleUnder('shared-2', region), toEc2) },
    {
      what: 'pass a job’s role to Lambda',
      who,
      question: ask('iam:PassRole', roleUnder('shared', region), { 'iam:passedtoservice': 'lambda.amazonaws.com' }),
    },
    {
      what: 'pass a job’s role from a VM of it',
      who: ['guest', ...VMS],
      question: ask('iam:PassRole', roleUnder('shared', region), toEc2),
    },
    { what: 'launch from a VM of a job of another stack', who: ['guest'], question: proper.instance },
    { what: 'list where it is a guest', who: ['guest'], question: ask('s3:ListBucket', 'arn:aws:s3:::shared-bucket') },
    { what: 'read the grant of another job', who: ['guest'], question: ask('s3:GetObject', object(bucketKeys.grant(other))) },
    { what: 'read a sealed object where it is a guest', who: ['guest'], question: ask('s3:GetObject', object(bucketKeys.sealed('j1'))) },
    {
      what: 'read a job of another scaffolding',
      who: ['guest', 'sharer'],
      question: ask('s3:GetObject', objectsIn(place)(jobKeys.spec(PREFIX))),
    },
    { what: 'read a job of a scaffolding that is shared', who: NOT_GUESTS, question: ask('s3:GetObject', object(jobKeys.spec(PREFIX))) },
    ...RECORDS.map((record): Line => ({
      what: `read a record where it is a guest: ${record.split('/')[1]}`,
      who: ['guest'],
      question: ask('s3:GetObject', object(record)),
    })),
    ...written.map(([what, written]): Line => ({
      what: `write ${what} as a guest`,
      who: ['guest'],
      question: ask('s3:PutObject', object(written)),
    })),
    {
      what: 'use a key for another bucket',
      who: ['guest'],
      question: ask('kms:Decrypt', key, through(s3, 'arn:aws:s3:::somebody/secret.txt')),
    },
    {
      what: 'use a key without S3',
      who: ['guest'],
      question: ask('kms:Decrypt', key, { 'kms:encryptioncontext:aws:s3:arn': 'arn:aws:s3:::shared-bucket' }),
    },
    {
      what: 'use a key through another service',
      who: ['guest'],
      question: ask('kms:Decrypt', key, through(`secretsmanager.${region}.amazonaws.com`, 'arn:aws:s3:::shared-bucket')),
    },
  ];
}

const NOT_GUESTS = ALL.filter((who) => who !== 'guest' && who !== 'sharer');
