import * as v from 'valibot';
import { decodeJson, RawcloudError } from '../contract';
import type { AwsContext } from './clients';
import { callService, dnsSuffix, jsonCall } from './service-call';

/** Products on a page. The price list allows 100 at most. */
const PAGE = 100;
/** A list that does not end is cut off here. */
const MOST_PAGES = 100;

const PageSchema = v.object({ PriceList: v.optional(v.array(v.string()), []), NextToken: v.optional(v.nullable(v.string())) });

const ProductSchema = v.object({
  product: v.object({ attributes: v.record(v.string(), v.string()) }),
  terms: v.object({
    OnDemand: v.optional(
      v.record(
        v.string(),
        v.object({
          priceDimensions: v.record(v.string(), v.object({ unit: v.string(), pricePerUnit: v.record(v.string(), v.string()) })),
        }),
      ),
      {},
    ),
  }),
});
type Product = v.InferOutput<typeof ProductSchema>;

/** Regions with an endpoint of the price list. Source: AWS General Reference, "AWS Price List endpoints and quotas". */
function endpointRegion(region: string): string {
  if (region.startsWith('cn-')) return 'cn-northwest-1';
  if (region.startsWith('eu-')) return 'eu-central-1';
  return region.startsWith('ap-') ? 'ap-south-1' : 'us-east-1';
}

/** On-demand prices of Linux VMs with shared tenancy, dollars an hour by type. */
export async function onDemandPrices(context: AwsContext, signal?: AbortSignal): Promise<Map<string, number>> {
  const filters = {
    regionCode: context.region,
    operatingSystem: 'Linux',
    tenancy: 'Shared',
    preInstalledSw: 'NA',
    capacitystatus: 'Used',
    currentGeneration: 'Yes',
  };
  const products = await getProducts(context, filters, signal);
  const prices = products.map((p): [string, number | undefined] => [p.product.attributes['instanceType'] ?? '', priceOf(p, 'Hrs')]);
  return new Map(prices.filter((row): row is [string, number] => row[0] !== '' && row[1] !== undefined && row[1] > 0));
}

/** Dollars per GiB and month of gp3 storage; undefined when the list has none. */
export async function gp3Price(context: AwsContext, signal?: AbortSignal): Promise<number | undefined> {
  const products = await getProducts(context, { regionCode: context.region, volumeApiName: 'gp3', productFamily: 'Storage' }, signal);
  return products.map((p) => priceOf(p, 'GB-Mo')).find((usd) => usd !== undefined && usd > 0);
}

async function getProducts(context: AwsContext, filters: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Product[]> {
  const region = endpointRegion(context.region);
  const host = `api.pricing.${region}.${dnsSuffix(region)}`;
  const Filters = Object.entries(filters).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value }));
  const found: Product[] = [];
  let NextToken: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const input = { ServiceCode: 'AmazonEC2', FormatVersion: 'aws_v1', MaxResults: PAGE, Filters, ...(NextToken ? { NextToken } : {}) };
    const call = jsonCall({ service: 'pricing', region, host, what: 'pricing:GetProducts' }, 'AWSPriceListService.GetProducts', input);
    const page = decodeJson(PageSchema, Buffer.from(await callService(context, call, signal)), 'a page of the price list');
    found.push(...page.PriceList.map((text) => decodeJson(ProductSchema, Buffer.from(text), 'a product of the price list')));
    if (!page.NextToken) return found;
    NextToken = page.NextToken;
  }
  throw new RawcloudError('E_AWS', `the price list of ${context.region} does not end after ${MOST_PAGES} pages`);
}

/** China's list is in yuan: then there is no price in dollars. */
function priceOf(product: Product, unit: string): number | undefined {
  const dimensions = Object.values(product.terms.OnDemand).flatMap((term) => Object.values(term.priceDimensions));
  const usd = dimensions.find((d) => d.unit === unit)?.pricePerUnit['USD'];
  return usd === undefined ? undefined : Number(usd);
}
