import { amazonLinuxParameter, DEFAULT_SCAFFOLD_NAME, execDocumentName, scaffoldParameterName, TAGS, VERSION } from '../contract';
import type { Scaffold, UserDataInput } from '../contract';
import type { Ec2State } from './ec2/state';
import type { TemplateRecord } from './ec2/records';
import { randomId } from './ec2/ids';
import type { CloudFacts } from './facts';
import type { LocalS3 } from './s3';
import type { ParameterFile } from './ssm-parameters';

/** What the bootstrap is made from. */
export type UserDataFacts = UserDataInput;

export interface ScaffoldingParts {
  readonly facts: CloudFacts;
  readonly ec2: Ec2State;
  readonly s3: Pick<LocalS3, 'ensureBucket'>;
  readonly parameters: ParameterFile;
  readonly userData: (facts: UserDataFacts) => string;
}

const NAME = 'rawcloud-local';

/**
 * Lays down what `cdk deploy` lays down in an account, or brings it up to date: bucket, security group, launch template
 * and the parameter that names them. A changed bootstrap becomes a new version of the template; versions that
 * launches on record refer to stay.
 */
export async function layScaffolding({ facts, ec2, s3, parameters, userData }: ScaffoldingParts): Promise<Scaffold> {
  s3.ensureBucket(facts.bucket, facts.region);
  const securityGroupId = await ensureGroup(ec2);
  const template = await ensureTemplate(ec2, templateData(facts, securityGroupId, userData(facts)));
  const scaffold: Scaffold = {
    v: 1,
    name: DEFAULT_SCAFFOLD_NAME,
    account: facts.account,
    region: facts.region,
    bucket: facts.bucket,
    roleId: facts.roleId,
    launchTemplateId: template.id,
    launchTemplateVersion: String(template.versions.at(-1)!.number),
    securityGroupId,
    zones: [...ec2.network.zones],
    exec: { document: execDocumentName(DEFAULT_SCAFFOLD_NAME) },
    version: VERSION,
  };
  publish(parameters, scaffold, ec2.now());
  return scaffold;
}

/** Public parameters that name the images. */
export function imageParameters({ images }: Pick<Ec2State, 'images'>): Record<string, string> {
  return Object.fromEntries(images.map((image) => [amazonLinuxParameter(image.arch), image.id]));
}

async function ensureGroup({ groups, network }: Ec2State): Promise<string> {
  const found = groups.all().find((g) => g.name === NAME);
  if (found) return found.id;
  const id = randomId('sg');
  const tags = { [TAGS.scaffold]: DEFAULT_SCAFFOLD_NAME };
  await groups.put({ v: 1, id, name: NAME, description: 'VMs of rawcloud: nothing comes in', vpcId: network.vpcId, tags });
  return id;
}

/** Flat parameters of LaunchTemplateData; neither image nor type, which go with each call. */
function templateData({ roleName }: CloudFacts, securityGroupId: string, userData: string): Record<string, string> {
  return {
    'IamInstanceProfile.Name': roleName,
    'SecurityGroupId.1': securityGroupId,
    InstanceInitiatedShutdownBehavior: 'terminate',
    'MetadataOptions.HttpTokens': 'required',
    'MetadataOptions.HttpPutResponseHopLimit': '1',
    'TagSpecification.1.ResourceType': 'network-interface',
    'TagSpecification.1.Tag.1.Key': TAGS.scaffold,
    'TagSpecification.1.Tag.1.Value': DEFAULT_SCAFFOLD_NAME,
    UserData: Buffer.from(userData).toString('base64'),
  };
}

async function ensureTemplate({ templates, now, account }: Ec2State, data: Record<string, string>): Promise<TemplateRecord> {
  const found = templates.all().find((t) => t.name === NAME);
  const last = found?.versions.at(-1);
  if (found && last && sameData(last.data, data)) return found;
  const createdAt = now();
  const version = { number: (last?.number ?? 0) + 1, createdAt, description: `rawcloud ${VERSION}`, data };
  const template: TemplateRecord = found
    ? { ...found, defaultVersion: version.number, versions: [...found.versions, version] }
    : {
        v: 1,
        id: randomId('lt'),
        name: NAME,
        createdAt,
        createdBy: `arn:aws:iam::${account}:user/developer`,
        defaultVersion: 1,
        versions: [version],
        tags: { [TAGS.scaffold]: DEFAULT_SCAFFOLD_NAME },
      };
  await templates.put(template);
  return template;
}

function sameData(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

function publish(parameters: ParameterFile, scaffold: Scaffold, now: number): void {
  const name = scaffoldParameterName(scaffold.name);
  const value = JSON.stringify(scaffold);
  const before = parameters.get(name);
  if (before?.value === value) return;
  parameters.set(name, { value, type: 'String', version: (before?.version ?? 0) + 1, modified: now });
}
