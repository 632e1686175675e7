import * as v from 'valibot';
import { decodeJson } from '../contract';
import type { AwsContext } from './clients';
import { callService, dnsSuffix, jsonCall } from './service-call';

const QuotaSchema = v.object({ QuotaCode: v.string(), Value: v.number() });
const OneSchema = v.object({ Quota: QuotaSchema });
const ManySchema = v.object({ Quotas: v.optional(v.array(QuotaSchema), []), NextToken: v.optional(v.nullable(v.string())) });

/** Pages that EC2's quotas may have: it has about two hundred, a hundred a page. */
const MOST_PAGES = 10;

/** Applied values of all quotas of EC2, by code. */
export async function ec2Quotas(context: AwsContext, signal?: AbortSignal): Promise<Record<string, number>> {
  const values: Record<string, number> = {};
  let NextToken: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const input = { ServiceCode: 'ec2', MaxResults: 100, ...(NextToken ? { NextToken } : {}) };
    const page = decodeJson(ManySchema, await call(context, 'ListServiceQuotas', input, signal), 'a page of the quotas');
    for (const { QuotaCode, Value } of page.Quotas) values[QuotaCode] = Value;
    if (!page.NextToken) break;
    NextToken = page.NextToken;
  }
  return values;
}

/** The applied value of one quota of EC2. */
export async function ec2Quota(context: AwsContext, code: string, signal?: AbortSignal): Promise<number> {
  const answer = await call(context, 'GetServiceQuota', { ServiceCode: 'ec2', QuotaCode: code }, signal);
  return decodeJson(OneSchema, answer, `the quota ${code}`).Quota.Value;
}

async function call(context: AwsContext, operation: string, input: object, signal?: AbortSignal): Promise<Buffer> {
  const { region } = context;
  const to = { service: 'servicequotas', region, host: `servicequotas.${region}.${dnsSuffix(region)}`, what: `servicequotas:${operation}` };
  return Buffer.from(await callService(context, jsonCall(to, `ServiceQuotasV20190624.${operation}`, input), signal));
}
