import * as v from 'valibot';
import { createJsonService, pageOf } from './json-service';
import type { Policies } from './policy';
import { ec2Products, priceListEntry, vpcProducts } from './pricing-products';
import type { Product } from './pricing-products';
import { PRICED_REGIONS } from './pricing-regions';
import type { PricedRegion } from './pricing-regions';
import { ServiceError } from './service';
import type { Service } from './service';

const Page = { NextToken: v.optional(v.string()), MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))) };
const Format = v.optional(v.literal('aws_v1'));
const Filter = v.object({
  Type: v.picklist(['TERM_MATCH', 'EQUALS', 'CONTAINS', 'ANY_OF', 'NONE_OF']),
  Field: v.string(),
  Value: v.string(),
});
type Filter = v.InferOutput<typeof Filter>;
const Products = v.object({
  ServiceCode: v.string(),
  Filters: v.optional(v.pipe(v.array(Filter), v.maxLength(50)), []),
  FormatVersion: Format,
  ...Page,
});
const Services = v.object({ ServiceCode: v.optional(v.string()), FormatVersion: Format, ...Page });
const Attribute = v.object({ ServiceCode: v.string(), AttributeName: v.string(), ...Page });

const SERVICES: Readonly<Record<string, (region: PricedRegion) => Product[]>> = { AmazonEC2: ec2Products, AmazonVPC: vpcProducts };

/** The price list: DescribeServices, GetAttributeValues, GetProducts, with prices of the types that the local EC2 has. */
export function createPricing({ policies }: { readonly policies: Pick<Policies, 'refusal'> }): Service {
  return createJsonService({
    name: 'pricing',
    target: 'AWSPriceListService',
    invalidInput: 'InvalidParameterException',
    refusal: ({ principal, region }, action) => policies.refusal(principal, action, '*', { 'aws:requestedregion': region }),
    operations: { DescribeServices: describeServices, GetAttributeValues: getAttributeValues, GetProducts: getProducts },
  });
}

function describeServices(input: unknown): object {
  const { ServiceCode, ...paging } = v.parse(Services, input);
  const codes = ServiceCode === undefined ? Object.keys(SERVICES) : [known(ServiceCode)];
  const { items, next } = pageOf(codes, paging, 'InvalidNextTokenException');
  const services = items.map((code) => ({ ServiceCode: code, AttributeNames: attributeNames(code) }));
  return { Services: services, FormatVersion: 'aws_v1', ...next };
}

function attributeNames(serviceCode: string): string[] {
  const names = productsOf(serviceCode, PRICED_REGIONS.slice(0, 1)).flatMap((p) => Object.keys(fieldsOf(p)));
  return [...new Set(names)].sort();
}

function getAttributeValues(input: unknown): object {
  const { ServiceCode, AttributeName, ...paging } = v.parse(Attribute, input);
  // All regions have the same but for the attributes that name them.
  const regions = /^(location|regionCode|usagetype)$/.test(AttributeName) ? PRICED_REGIONS : PRICED_REGIONS.slice(0, 1);
  const values = productsOf(known(ServiceCode), regions).flatMap((p) => fieldsOf(p)[AttributeName] ?? []);
  if (values.length === 0) {
    throw new ServiceError(400, 'InvalidParameterException', `The attribute name ${AttributeName} is not valid for ${ServiceCode}.`);
  }
  const { items, next } = pageOf([...new Set(values)].sort(), paging, 'InvalidNextTokenException');
  return { AttributeValues: items.map((Value) => ({ Value })), ...next };
}

function getProducts(input: unknown): object {
  const { ServiceCode, Filters, ...paging } = v.parse(Products, input);
  const fitting = productsOf(known(ServiceCode), regionsOf(Filters)).filter((p) => Filters.every((f) => fits(f, fieldsOf(p)[f.Field])));
  const { items, next } = pageOf(fitting, paging, 'InvalidNextTokenException');
  return { FormatVersion: 'aws_v1', PriceList: items.map(priceListEntry), ...next };
}

/** Only what filters leave over is made: the whole list is 17 regions of a thousand products. */
function regionsOf(filters: readonly Filter[]): readonly PricedRegion[] {
  const fitting = (field: string, valueOf: (r: PricedRegion) => string) => (r: PricedRegion) =>
    filters.every((f) => f.Field !== field || fits(f, valueOf(r)));
  return PRICED_REGIONS.filter(fitting('regionCode', (r) => r.code)).filter(fitting('location', (r) => r.location));
}

function productsOf(serviceCode: string, regions: readonly PricedRegion[]): Product[] {
  return regions.flatMap(SERVICES[serviceCode]!);
}

function fieldsOf({ family, attributes, serviceCode }: Product): Readonly<Record<string, string>> {
  return { ...attributes, productFamily: family, ServiceCode: serviceCode };
}

/** Text is compared without regard to case, as the price list does. Values of ANY_OF and NONE_OF are separated by commas. */
function fits({ Type, Value }: Filter, got: string | undefined): boolean {
  const [have, want] = [got?.toLowerCase(), Value.toLowerCase()];
  switch (Type) {
    case 'TERM_MATCH':
    case 'EQUALS':
      return have === want;
    case 'CONTAINS':
      return have?.includes(want) ?? false;
    case 'ANY_OF':
      return have !== undefined && want.split(',').includes(have);
    case 'NONE_OF':
      return have === undefined || !want.split(',').includes(have);
  }
}

function known(serviceCode: string): string {
  if (Object.hasOwn(SERVICES, serviceCode)) return serviceCode;
  throw new ServiceError(400, 'InvalidParameterException', `Service code ${serviceCode} is not valid.`);
}
