import type { LocalCloud } from '../../lib/local/cloud';
import { withLocalCloud } from '../fakes/local-cloud';
import { jsonCall } from './json-call';

const quotas = (cloud: LocalCloud, operation: string, input: object): Promise<unknown> =>
  jsonCall(cloud, { service: 'servicequotas', target: `ServiceQuotasV20190624.${operation}` }, input);

const STANDARD = { ServiceCode: 'ec2', QuotaCode: 'L-1216C47A' };

test('a quota has the value that was set, else what the account was granted, and its default', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const applied = () => quotas(cloud, 'GetServiceQuota', STANDARD);
    expect(await applied()).toMatchObject({
      Quota: {
        ...STANDARD,
        QuotaName: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
        Value: 10_000,
        Adjustable: true,
      },
    });
    cloud.ec2.setQuotas({ 'L-1216C47A': 64 });
    expect(await applied()).toMatchObject({ Quota: { Value: 64 } });
    expect(await quotas(cloud, 'GetAWSDefaultServiceQuota', STANDARD)).toMatchObject({ Quota: { Value: 5 } });
    cloud.ec2.clearQuotas();
    expect(await applied()).toMatchObject({ Quota: { Value: 10_000 } });
  });
});

test('quotas are listed page by page, as applied and as defaults', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    type Page = { readonly Quotas: readonly { readonly QuotaCode: string; readonly Value: number }[]; readonly NextToken?: string };
    const page = async (operation: string, more: object) => (await quotas(cloud, operation, { ServiceCode: 'ec2', ...more })) as Page;
    const first = await page('ListServiceQuotas', { MaxResults: 7 });
    const second = await page('ListServiceQuotas', { MaxResults: 7, NextToken: first.NextToken });
    const all = await page('ListAWSDefaultServiceQuotas', {});
    expect([...first.Quotas, ...second.Quotas].map((q) => q.QuotaCode)).toEqual(all.Quotas.map((q) => q.QuotaCode));
    expect(second.NextToken).toBeUndefined();
    expect(all.Quotas.find((q) => q.QuotaCode === 'L-DB2E81BA')).toMatchObject({ Value: 0 });
  });
});

test('fails for quotas that are not there', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    await expect(quotas(cloud, 'GetServiceQuota', { ...STANDARD, QuotaCode: 'L-0' })).rejects.toThrow(/^NoSuchResourceException/);
    await expect(quotas(cloud, 'ListServiceQuotas', { ServiceCode: 'shoes' })).rejects.toThrow(/^NoSuchResourceException/);
    await expect(quotas(cloud, 'ListServiceQuotas', {})).rejects.toThrow(/^IllegalArgumentException/);
  });
});
