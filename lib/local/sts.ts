import { readBody } from './body';
import type { Policies } from './policy';
import type { Principals } from './principals';
import { type Service, ServiceError, type ServiceRequest, type ServiceResponse } from './service';
import { type XmlFields, xmlDocument } from './xml';

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
/** Seconds that GetSessionToken allows and takes by itself. Source: STS API reference, GetSessionToken. */
const SESSION_S = { min: 900, max: 129_600, default: 43_200 } as const;
const MAX_BODY_BYTES = 65_536;

export interface StsOptions {
  readonly principals: Pick<Principals, 'issueForDeveloper'>;
  readonly policies: Pick<Policies, 'refusal'>;
}

/** STS, as far as a developer's identity is looked at and forwarded: GetCallerIdentity, GetSessionToken. */
export function createSts({ principals, policies }: StsOptions): Service {
  return {
    name: 'sts',
    operation: (request, form) => (form ?? request.query).get('Action') ?? '',
    resource: () => '',
    async handle(request) {
      const body = await readBody(request.body, MAX_BODY_BYTES);
      const form = body.byteLength > 0 ? new URLSearchParams(body.toString('utf8')) : request.query;
      switch (form.get('Action')) {
        case 'GetCallerIdentity':
          return getCallerIdentity(request);
        case 'GetSessionToken':
          // Every user may, unless a policy denies it. Source: IAM user guide, "Permissions for GetSessionToken".
          if (/explicit deny/.test(policies.refusal(request.principal, 'sts:GetSessionToken', '*') ?? '')) {
            throw new ServiceError(403, 'AccessDenied', 'User is not authorized to perform: sts:GetSessionToken with an explicit deny');
          }
          return getSessionToken(request, form, principals);
        default:
          throw new ServiceError(
            400,
            'InvalidAction',
            `Could not find operation ${form.get('Action') ?? ''} for version ${form.get('Version') ?? ''}`,
          );
      }
    },
    renderError,
  };
}

function getCallerIdentity({ id, principal }: ServiceRequest): ServiceResponse {
  return answer('GetCallerIdentity', id, { Arn: principal.arn, UserId: principal.userId, Account: principal.account });
}

function getSessionToken(
  request: ServiceRequest,
  form: URLSearchParams,
  principals: Pick<Principals, 'issueForDeveloper'>,
): ServiceResponse {
  if (request.principal.accessKeyId.startsWith('ASIA')) {
    throw new ServiceError(403, 'AccessDenied', 'Cannot call GetSessionToken with session credentials');
  }
  const keys = principals.issueForDeveloper(readDuration(form.get('DurationSeconds')));
  return answer('GetSessionToken', request.id, {
    Credentials: {
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      SessionToken: keys.sessionToken,
      Expiration: new Date(keys.expiresAt).toISOString(),
    },
  });
}

function readDuration(text: string | null): number {
  const seconds = text === null ? SESSION_S.default : Number(text);
  if (Number.isInteger(seconds) && seconds >= SESSION_S.min && seconds <= SESSION_S.max) return seconds;
  const bound = seconds > SESSION_S.max ? `less than or equal to ${SESSION_S.max}` : `greater than or equal to ${SESSION_S.min}`;
  throw new ServiceError(
    400,
    'ValidationError',
    `1 validation error detected: Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`,
  );
}

function answer(operation: string, requestId: string, result: XmlFields): ServiceResponse {
  const content = { [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return { status: 200, headers: { 'content-type': 'text/xml' }, body: xmlDocument(`${operation}Response`, content, NAMESPACE) };
}

function renderError(error: ServiceError, requestId: string): ServiceResponse {
  const content = {
    Error: { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message },
    RequestId: requestId,
  };
  return { status: error.status, headers: { 'content-type': 'text/xml' }, body: xmlDocument('ErrorResponse', content, NAMESPACE) };
}
