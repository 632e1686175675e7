import { invalidParameter, unsupported } from './errors';
import { structure, text } from './query';
import type { Params } from './query';

/** How a spot VM is asked for; what is missing was not said. */
export interface SpotSpec {
  /** Dollars an hour, as sent. @default - up to the on-demand price */
  readonly maxPrice?: string;
}

/** Of `InstanceMarketOptions`. @throws InvalidParameterValue, UnsupportedOperation for what does not end with its VM */
export function readSpot(params: Params): SpotSpec | undefined {
  if (params['InstanceMarketOptions'] === undefined) return undefined;
  const market = structure(params, 'InstanceMarketOptions');
  const kind = text(market, 'MarketType');
  if (kind === 'capacity-block' || kind === 'interruptible-capacity-reservation') throw unsupported(`the market type ${kind}`);
  if (kind !== 'spot') throw invalidParameter(`Invalid value '${kind ?? ''}' for MarketType. Allowed values: spot, capacity-block.`);
  const options = structure(market, 'SpotOptions');
  if (text(options, 'SpotInstanceType') === 'persistent') throw unsupported('persistent spot requests');
  const behavior = text(options, 'InstanceInterruptionBehavior') ?? 'terminate';
  // EC2 refuses it as well: what is stopped must have a persistent request to come back by.
  if (behavior !== 'terminate') {
    throw invalidParameter(`The instance interruption behavior '${behavior}' is not supported for one-time Spot Instance requests.`);
  }
  if (options['BlockDurationMinutes'] !== undefined) throw unsupported('spot blocks');
  return readMaxPrice(text(options, 'MaxPrice'));
}

function readMaxPrice(maxPrice: string | undefined): SpotSpec {
  if (maxPrice === undefined) return {};
  if (!/^\d*\.?\d+$/.test(maxPrice) || Number(maxPrice) < 0.001) {
    throw invalidParameter(`Value (${maxPrice}) for parameter spotPrice is invalid. The price must be at least 0.001.`);
  }
  return { maxPrice };
}
