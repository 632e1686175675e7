import * as v from 'valibot';
import { createJsonService, pageOf } from './json-service';
import type { Policies } from './policy';
import type { Quota, Quotas } from './quotas';
import { ServiceError } from './service';
import type { Service, ServiceRequest } from './service';

const Page = { NextToken: v.optional(v.string()), MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))) };
const OneQuota = v.object({ ServiceCode: v.string(), QuotaCode: v.string() });
const ManyQuotas = v.object({ ServiceCode: v.string(), ...Page });

export interface QuotasServiceOptions {
  readonly quotas: Quotas;
  readonly account: string;
  readonly policies: Pick<Policies, 'refusal'>;
}

/** Service Quotas, as far as one looks at those of EC2. */
export function createQuotasService({ quotas, account, policies }: QuotasServiceOptions): Service {
  const one = (applied: boolean) => (input: unknown, request: ServiceRequest) => {
    const { ServiceCode, QuotaCode } = v.parse(OneQuota, input);
    const quota = ServiceCode === 'ec2' ? quotas.get(QuotaCode) : undefined;
    if (!quota) throw noSuch();
    return { Quota: render(quota, applied, { account, region: request.region }) };
  };
  const many = (applied: boolean) => (input: unknown, request: ServiceRequest) => {
    const { ServiceCode, ...paging } = v.parse(ManyQuotas, input);
    if (ServiceCode !== 'ec2') throw noSuch();
    const { items, next } = pageOf(quotas.all(), paging, 'InvalidPaginationTokenException');
    return { Quotas: items.map((q) => render(q, applied, { account, region: request.region })), ...next };
  };
  return createJsonService({
    name: 'servicequotas',
    target: 'ServiceQuotasV20190624',
    invalidInput: 'IllegalArgumentException',
    // A list knows no resources; of a single quota, the code stands in the body, and policies speak of a whole service at least.
    refusal: ({ principal, region }, action) => {
      const resource = action.startsWith('servicequotas:List') ? '*' : `arn:aws:servicequotas:${region}:${account}:ec2/*`;
      return policies.refusal(principal, action, resource, { 'aws:requestedregion': region });
    },
    operations: {
      GetServiceQuota: one(true),
      GetAWSDefaultServiceQuota: one(false),
      ListServiceQuotas: many(true),
      ListAWSDefaultServiceQuotas: many(false),
    },
  });
}

function noSuch(): ServiceError {
  return new ServiceError(400, 'NoSuchResourceException', 'The request failed because the specified service does not exist.');
}

/** Defaults belong to no account. */
function render(q: Quota, applied: boolean, { account, region }: { readonly account: string; readonly region: string }): object {
  return {
    ServiceCode: 'ec2',
    ServiceName: 'Amazon Elastic Compute Cloud (Amazon EC2)',
    QuotaArn: `arn:aws:servicequotas:${region}:${applied ? account : ''}:ec2/${q.code}`,
    QuotaCode: q.code,
    QuotaName: q.name,
    Value: applied ? q.value : q.defaultValue,
    Unit: 'None',
    Adjustable: true,
    GlobalQuota: false,
    ...(applied ? { QuotaAppliedAtLevel: 'ACCOUNT' } : {}),
  };
}
