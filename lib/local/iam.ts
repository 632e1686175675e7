import { readBody } from './body';
import type { Conditions, Policies } from './policy';
import { type Service, ServiceError, type ServiceResponse } from './service';
import { type XmlFields, xmlDocument } from './xml';

const NAMESPACE = 'https://iam.amazonaws.com/doc/2010-05-08/';
const SPOT = 'spot.amazonaws.com';
const SPOT_ROLE = 'AWSServiceRoleForEC2Spot';
const MAX_BODY_BYTES = 65_536;

/** Whether the account has the role that EC2 needs to start spot VMs. */
export class SpotRole {
  present = true;
}

export interface IamOptions {
  readonly spotRole: SpotRole;
  readonly account: string;
  readonly policies: Pick<Policies, 'refusal'>;
  readonly now: () => number;
}

/** IAM, as far as the service-linked role of EC2 Spot goes: CreateServiceLinkedRole, GetRole. */
export function createIam(options: IamOptions): Service {
  return {
    name: 'iam',
    operation: (request, form) => (form ?? request.query).get('Action') ?? '',
    resource: () => '',
    async handle({ id, body, query, principal }) {
      const bytes = await readBody(body, MAX_BODY_BYTES);
      const form = bytes.byteLength > 0 ? new URLSearchParams(bytes.toString('utf8')) : query;
      const action = form.get('Action') ?? '';
      const service = form.get('AWSServiceName');
      const conditions: Conditions = service === null ? {} : { 'iam:awsservicename': service };
      const refusal = options.policies.refusal(principal, `iam:${action}`, roleArn(options.account), conditions);
      if (refusal !== undefined) throw new ServiceError(403, 'AccessDenied', refusal.replaceAll('"', ''));
      return answer(action, id, actionResult(action, form, options));
    },
    renderError: ({ status, code, message }, requestId) => ({
      status,
      headers: { 'content-type': 'text/xml' },
      body: xmlDocument('ErrorResponse', { Error: { Type: 'Sender', Code: code, Message: message }, RequestId: requestId }, NAMESPACE),
    }),
  };
}

function actionResult(action: string, form: URLSearchParams, options: IamOptions): XmlFields {
  switch (action) {
    case 'CreateServiceLinkedRole':
      return create(form.get('AWSServiceName') ?? '', options);
    case 'GetRole':
      return find(form.get('RoleName') ?? '', options);
    default:
      throw new ServiceError(400, 'InvalidAction', `Could not find operation ${action} for version ${form.get('Version') ?? ''}`);
  }
}

function create(service: string, options: IamOptions): XmlFields {
  if (service !== SPOT) {
    throw new ServiceError(400, 'InvalidInput', `Service principal name ${service} is not valid here; the local cloud knows ${SPOT}.`);
  }
  if (options.spotRole.present) {
    const message = `Service role name ${SPOT_ROLE} has been taken in this account, please try a different suffix.`;
    throw new ServiceError(400, 'InvalidInput', message);
  }
  options.spotRole.present = true;
  return { Role: render(options) };
}

function find(name: string, options: IamOptions): XmlFields {
  if (name === SPOT_ROLE && options.spotRole.present) return { Role: render(options) };
  throw new ServiceError(404, 'NoSuchEntity', `The role with name ${name} cannot be found.`);
}

function render({ account, now }: IamOptions): XmlFields {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: [SPOT] } }],
  };
  return {
    Path: `/aws-service-role/${SPOT}/`,
    RoleName: SPOT_ROLE,
    RoleId: 'AROALOCALSPOTROLE0000',
    Arn: roleArn(account),
    CreateDate: new Date(now()).toISOString(),
    AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(trust)),
  };
}

function roleArn(account: string): string {
  return `arn:aws:iam::${account}:role/aws-service-role/${SPOT}/${SPOT_ROLE}`;
}

function answer(action: string, requestId: string, result: XmlFields): ServiceResponse {
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: xmlDocument(`${action}Response`, content, NAMESPACE) };
}
