import { RawcloudError } from '../contract';
import type { FoundStack, StackEnd, StackResource, StackState, Template } from '../contract';
import type { AwsContext } from './clients';
import { classify, toRawcloudError } from './errors';
import { callService, dnsSuffix } from './service-call';

/**
 * The stack that made a resource; undefined when none did.
 * @param likely name of a stack to look into when CloudFormation does not find it by the resource, as emulators do not
 */
export async function stackOf(context: AwsContext, physicalId: string, likely: string): Promise<FoundStack | undefined> {
  for (const [name, value] of [
    ['PhysicalResourceId', physicalId],
    ['StackName', likely],
  ] as const) {
    const answer = await call(context, 'DescribeStackResources', { [name]: value }).catch(undefinedIfNone);
    const members = membersOf(answer ?? '');
    if (members.some((member) => text(member, 'PhysicalResourceId') === physicalId)) return stackWith(context, members);
  }
  return undefined;
}

async function stackWith(context: AwsContext, members: readonly string[]): Promise<FoundStack> {
  const id = text(members[0]!, 'StackId');
  const stack = await call(context, 'DescribeStacks', { StackName: id });
  return {
    id,
    name: text(stack, 'StackName'),
    description: descriptionIn(stack),
    // Each of CloudFormation's has an id; moto has entries without for what it does not make.
    resources: members.map(resourceOf).filter(({ logicalId }) => logicalId !== ''),
  };
}

/** Of the template: parameters and outputs have descriptions, too. */
function descriptionIn(stack: string): string {
  return text(stack.replace(/<Parameters>[^]*<\/Parameters>|<Outputs>[^]*<\/Outputs>/g, ''), 'Description');
}

/** A stack by its name; undefined when there is none. */
export async function stackNamed(context: AwsContext, name: string): Promise<StackState | undefined> {
  const stack = await call(context, 'DescribeStacks', { StackName: name }).catch(undefinedIfNone);
  if (stack === undefined || text(stack, 'StackStatus') === 'DELETE_COMPLETE') return undefined;
  return {
    id: text(stack, 'StackId'),
    name: text(stack, 'StackName'),
    status: text(stack, 'StackStatus'),
    reason: text(stack, 'StackStatusReason'),
    description: descriptionIn(stack),
  };
}

/** @throws E_AWS_REQUEST for a template that is not written in JSON, as those of the CDK are */
export async function templateOf(context: AwsContext, stack: string): Promise<Template> {
  const body = text(await call(context, 'GetTemplate', { StackName: stack, TemplateStage: 'Original' }), 'TemplateBody');
  try {
    return JSON.parse(body) as Template;
  } catch (cause) {
    throw new RawcloudError('E_AWS_REQUEST', `the template of the stack ${stack} is not JSON`, { cause });
  }
}

export async function deleteStack(context: AwsContext, id: string): Promise<void> {
  await call(context, 'DeleteStack', { StackName: id });
}

/** @param id the stack's id: by its name CloudFormation does not know what is gone */
export async function stackEnd(context: AwsContext, id: string): Promise<StackEnd> {
  const answer = await call(context, 'DescribeStacks', { StackName: id }).catch(undefinedIfNone);
  const status = text(answer ?? '', 'StackStatus');
  if (answer === undefined || status === 'DELETE_COMPLETE') return { state: 'gone' };
  if (status === 'DELETE_IN_PROGRESS') return { state: 'going' };
  return { state: 'failed', reason: `${status}: ${text(answer, 'StackStatusReason')}` };
}

/** What CloudFormation does not know is a ValidationError, and told from others only by its words. */
function undefinedIfNone(error: unknown): undefined {
  const { awsCode } = classify((error as { cause?: unknown }).cause ?? error);
  if (awsCode === 'ValidationError' && /does not exist/.test((error as Error).message)) return undefined;
  throw error;
}

/** One call of AWS's query protocol. @returns the XML of the answer */
async function call(context: AwsContext, operation: string, input: Readonly<Record<string, string>>): Promise<string> {
  const { region } = context;
  const what = `cloudformation:${operation}`;
  try {
    return await callService(context, {
      service: 'cloudformation',
      region,
      host: `cloudformation.${region}.${dnsSuffix(region)}`,
      what,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Action: operation, Version: '2010-05-15', ...input }).toString(),
    });
  } catch (error) {
    throw toRawcloudError(error, what);
  }
}

function resourceOf(member: string): StackResource {
  return {
    logicalId: text(member, 'LogicalResourceId'),
    physicalId: text(member, 'PhysicalResourceId'),
    type: text(member, 'ResourceType'),
  };
}

function membersOf(xml: string): string[] {
  return [...xml.matchAll(/<member>([^]*?)<\/member>/g)].map(([, member]) => member!);
}

/** Content of the first element of that name; '' when there is none. */
function text(xml: string, name: string): string {
  const content = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return content.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(lt|gt|quot|apos|amp));/gi, (_, hex?: string, decimal?: string, name?: string) =>
    name === undefined ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) : ENTITIES[name]!,
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
