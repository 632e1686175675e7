import { PRICED_REGIONS } from '../pricing-regions';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidParameter } from './errors';
import { applyFilters } from './filters';
import { texts } from './query';
import { set } from './render';

/** The regions that have prices, all of them opted in; the local cloud itself is only in its own. */
export function describeRegions({ state, params }: Ec2Call): XmlFields {
  const names = [...new Set([...PRICED_REGIONS.map((r) => r.code), state.network.region])];
  const asked = texts(params, 'RegionName');
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalidParameter(`Invalid region names provided: ${unknown}`);
  const endpointOf = (name: string): string => `ec2.${name}.amazonaws.com`;
  const shown = applyFilters(asked.length > 0 ? asked : names, params, {
    values: { 'region-name': (name) => name, endpoint: endpointOf, 'opt-in-status': () => 'opt-in-not-required' },
  });
  const regions = shown.map((name) => ({ regionName: name, regionEndpoint: endpointOf(name), optInStatus: 'opt-in-not-required' }));
  return { regionInfo: set(regions) };
}

export function describeAccountAttributes({ state, params }: Ec2Call): XmlFields {
  // Source: EC2 API reference, AccountAttribute; the figures are those of a new account.
  const attributes: Readonly<Record<string, string>> = {
    'supported-platforms': 'VPC',
    'default-vpc': state.network.vpcId,
    'max-instances': '20',
    'vpc-max-security-groups-per-interface': '5',
    'max-elastic-ips': '5',
    'vpc-max-elastic-ips': '5',
  };
  const asked = texts(params, 'AttributeName');
  const unknown = asked.find((name) => !Object.hasOwn(attributes, name));
  if (unknown !== undefined) throw invalidParameter(`Value (${unknown}) for parameter attribute is invalid. Unknown attribute.`);
  const shown = asked.length > 0 ? asked : Object.keys(attributes);
  const render = (name: string): XmlFields => ({
    attributeName: name,
    attributeValueSet: set([{ attributeValue: attributes[name] }]),
  });
  return { accountAttributeSet: set(shown.map(render)) };
}
