import { roundUsd } from './ec2/instance-types';
import type { InstanceType } from './ec2/instance-types';

/** A region as the price list names it. */
export interface PricedRegion {
  readonly code: string;
  /** The attribute `location`. */
  readonly location: string;
  /** What stands before usage types: `EUC1-BoxUsage:m7i.large`; us-east-1 has none. */
  readonly prefix: string;
  /** Price of m6i.large relative to us-east-1. Source: EC2 on-demand pricing page, November 2026. */
  readonly factor: number;
}

const ROWS: readonly [code: string, location: string, prefix: string, factor: number][] = [
  ['us-east-1', 'US East (N. Virginia)', '', 1],
  ['us-east-2', 'US East (Ohio)', 'USE2-', 1],
  ['us-west-1', 'US West (N. California)', 'USW1-', 1.167],
  ['us-west-2', 'US West (Oregon)', 'USW2-', 1],
  ['ca-central-1', 'Canada (Central)', 'CAN1-', 1.115],
  ['eu-west-1', 'EU (Ireland)', 'EU-', 1.115],
  ['eu-west-2', 'EU (London)', 'EUW2-', 1.156],
  ['eu-west-3', 'EU (Paris)', 'EUW3-', 1.167],
  ['eu-central-1', 'EU (Frankfurt)', 'EUC1-', 1.198],
  ['eu-north-1', 'EU (Stockholm)', 'EUN1-', 1.063],
  ['eu-south-1', 'EU (Milan)', 'EUS1-', 1.167],
  ['ap-south-1', 'Asia Pacific (Mumbai)', 'APS3-', 1.052],
  ['ap-southeast-1', 'Asia Pacific (Singapore)', 'APS1-', 1.25],
  ['ap-southeast-2', 'Asia Pacific (Sydney)', 'APS2-', 1.25],
  ['ap-northeast-1', 'Asia Pacific (Tokyo)', 'APN1-', 1.292],
  ['ap-northeast-2', 'Asia Pacific (Seoul)', 'APN2-', 1.229],
  ['sa-east-1', 'South America (Sao Paulo)', 'SAE1-', 1.594],
];

export const PRICED_REGIONS: readonly PricedRegion[] = ROWS.map(([code, location, prefix, factor]) => ({ code, location, prefix, factor }));

/** On demand, Linux. Regions that have no price list cost what us-east-1 does. */
export function onDemandUsdPerHour(type: InstanceType, region: string): number {
  return roundUsd(type.usdPerHour * (PRICED_REGIONS.find((r) => r.code === region)?.factor ?? 1));
}
