import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidParameter } from './errors';
import { applyFilters } from './filters';
import { INSTANCE_TYPES } from './instance-types';
import { zoneId, zonesWith } from './network';
import { page } from './paging';
import { text } from './query';
import { set } from './render';
import type { Ec2State } from './state';

interface Offering {
  readonly type: string;
  readonly location: string;
}

export function describeInstanceTypeOfferings({ state, params }: Ec2Call): XmlFields {
  const locationType = text(params, 'LocationType') ?? 'region';
  const all = [...INSTANCE_TYPES.keys()].flatMap((type) =>
    locations(state, type, locationType).map((location): Offering => ({ type, location })),
  );
  const fitting = applyFilters(all, params, { values: { 'instance-type': (o) => o.type, location: (o) => o.location } });
  const { items, nextToken } = page(fitting, params, (o) => `${o.type} ${o.location}`, { min: 5, max: 1000, otherwise: 1000 });
  return { instanceTypeOfferingSet: set(items.map(({ type, location }) => ({ instanceType: type, locationType, location }))), nextToken };
}

function locations({ network }: Ec2State, type: string, locationType: string): readonly string[] {
  switch (locationType) {
    case 'region':
      return [network.region];
    case 'availability-zone':
      return zonesWith(network, type);
    case 'availability-zone-id':
      return zonesWith(network, type).map(zoneId);
    default:
      throw invalidParameter(
        `Invalid value '${locationType}' for LocationType. Allowed values: region, availability-zone, availability-zone-id.`,
      );
  }
}
