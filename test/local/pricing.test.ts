import { INSTANCE_TYPES } from '../../lib/local/ec2/instance-types';
import type { LocalCloud } from '../../lib/local/cloud';
import { CATALOG, priceOf } from '../../lib/runtime/plan/catalog';
import { onDemandUsdPerHour } from '../../lib/local/pricing-regions';
import { withLocalCloud } from '../fakes/local-cloud';
import { jsonCall } from './json-call';

const pricing = (cloud: LocalCloud, operation: string, input: object): Promise<unknown> =>
  jsonCall(cloud, { service: 'pricing', target: `AWSPriceListService.${operation}` }, input);

interface Products {
  readonly PriceList: readonly string[];
  readonly NextToken?: string;
}

interface Entry {
  readonly product: { readonly productFamily: string; readonly sku: string; readonly attributes: Readonly<Record<string, string>> };
  readonly terms: { readonly OnDemand: Readonly<Record<string, { readonly priceDimensions: Readonly<Record<string, Dimension>> }>> };
}
interface Dimension {
  readonly unit: string;
  readonly pricePerUnit: { readonly USD: string };
}

async function products(cloud: LocalCloud, fields: Readonly<Record<string, string>>, more: object = {}): Promise<Products> {
  const Filters = Object.entries(fields).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value }));
  return (await pricing(cloud, 'GetProducts', { ServiceCode: 'AmazonEC2', Filters, ...more })) as Products;
}

const LINUX = { operatingSystem: 'Linux', tenancy: 'Shared', preInstalledSw: 'NA', capacitystatus: 'Used' };

function priceIn(text: string): { type: string; unit: string; usd: number } {
  const entry = JSON.parse(text) as Entry;
  const [dimension] = Object.values(Object.values(entry.terms.OnDemand)[0]!.priceDimensions);
  return { type: entry.product.attributes['instanceType']!, unit: dimension!.unit, usd: Number(dimension!.pricePerUnit.USD) };
}

test('every type of the local EC2 has one on-demand Linux price in a region, read page by page', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const prices = new Map<string, number>();
    let NextToken: string | undefined;
    do {
      const page = await products(cloud, { ...LINUX, regionCode: 'eu-central-1' }, { MaxResults: 60, ...(NextToken ? { NextToken } : {}) });
      expect(page.PriceList.length).toBeLessThanOrEqual(60);
      for (const { type, unit, usd } of page.PriceList.map(priceIn)) {
        expect([unit, prices.has(type)]).toEqual(['Hrs', false]);
        prices.set(type, usd);
      }
      NextToken = page.NextToken;
    } while (NextToken);
    expect([...prices.keys()].sort()).toEqual([...INSTANCE_TYPES.keys()].sort());
    expect(prices.get('m7i.large')).toBeCloseTo(0.1008 * 1.198, 6);
  });
});

test('the price list agrees with the built-in table of the runtime, in every type and region', () => {
  for (const type of CATALOG) {
    const local = INSTANCE_TYPES.get(type.name);
    expect({ ...local }).toMatchObject({ arch: type.arch, vcpu: type.vcpu, memoryMiB: type.memoryGiB * 1024, burstable: type.burstable });
    for (const region of ['us-east-1', 'eu-central-1', 'sa-east-1']) {
      expect(onDemandUsdPerHour(local!, region)).toBeCloseTo(priceOf(type, region).usdPerHour, 6);
    }
  }
});

test('one product is one JSON text with its price, as the price list documents it', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const { PriceList } = await products(cloud, { ...LINUX, instanceType: 'c7g.xlarge', location: 'US East (N. Virginia)' });
    expect(PriceList).toHaveLength(1);
    const entry = JSON.parse(PriceList[0]!) as Entry;
    expect(entry).toMatchObject({
      serviceCode: 'AmazonEC2',
      product: { productFamily: 'Compute Instance', attributes: { vcpu: '4', memory: '8 GiB', usagetype: 'BoxUsage:c7g.xlarge' } },
    });
    const code = `${entry.product.sku}.JRTCKXETXF`;
    expect(entry.terms.OnDemand[code]!.priceDimensions[`${code}.6YS6EN2CT7`]).toMatchObject({ pricePerUnit: { USD: '0.1450000000' } });
  });
});

test('disks and public addresses have prices, too', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    const disk = await products(cloud, { volumeApiName: 'gp3', productFamily: 'Storage', regionCode: 'us-east-1' });
    expect(disk.PriceList.map((p) => priceIn(p).usd)).toEqual([0.08]);
    const Filters = [
      { Type: 'EQUALS', Field: 'regionCode', Value: 'us-east-1' },
      { Type: 'CONTAINS', Field: 'usagetype', Value: 'PublicIPv4:InUse' },
    ];
    const address = (await pricing(cloud, 'GetProducts', { ServiceCode: 'AmazonVPC', Filters })) as Products;
    expect(address.PriceList.map((p) => priceIn(p).usd)).toEqual([0.005]);
  });
});

test('services and the values of their attributes are listed', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    expect(await pricing(cloud, 'DescribeServices', { ServiceCode: 'AmazonEC2' })).toMatchObject({
      Services: [
        { ServiceCode: 'AmazonEC2', AttributeNames: expect.arrayContaining(['instanceType', 'vcpu', 'volumeApiName']) as string[] },
      ],
    });
    const regions = await pricing(cloud, 'GetAttributeValues', { ServiceCode: 'AmazonEC2', AttributeName: 'regionCode', MaxResults: 2 });
    expect(regions).toMatchObject({
      AttributeValues: [{ Value: 'ap-northeast-1' }, { Value: 'ap-northeast-2' }],
      NextToken: expect.any(String) as string,
    });
  });
});

test('fails for a service, an attribute, a filter or a token that is not there', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    await expect(pricing(cloud, 'GetProducts', { ServiceCode: 'AmazonShoes' })).rejects.toThrow(/^InvalidParameterException/);
    await expect(pricing(cloud, 'GetAttributeValues', { ServiceCode: 'AmazonEC2', AttributeName: 'size' })).rejects.toThrow(/size/);
    await expect(
      pricing(cloud, 'GetProducts', { ServiceCode: 'AmazonEC2', Filters: [{ Type: 'LIKE', Field: 'a', Value: 'b' }] }),
    ).rejects.toThrow(/^InvalidParameterException: Filters.0.Type/);
    await expect(pricing(cloud, 'GetProducts', { ServiceCode: 'AmazonEC2', NextToken: 'x' })).rejects.toThrow(/^InvalidNextTokenException/);
    await expect(pricing(cloud, 'ListPriceLists', {})).rejects.toThrow(/^UnknownOperationException/);
  });
});
