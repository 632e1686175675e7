import type { Offer } from '../../contract';

/**
 * What a VM costs besides its hourly price, in dollars. On-demand list prices of us-east-1 as of 2026-11-01;
 * sources: EBS pricing (gp3 storage), VPC pricing (public IPv4 address), S3 pricing (requests, standard storage class),
 * EC2 user guide "On-Demand Instances" (per second, 60 seconds at least).
 */
export const RATES = {
  gp3UsdPerGiBMonth: 0.08,
  /** EBS bills a month as 30 days. */
  hoursPerMonth: 720,
  ipv4UsdPerHour: 0.005,
  putUsd: 0.005 / 1000,
  getUsd: 0.0004 / 1000,
  minimumSeconds: 60,
} as const;

/** A gp3 disk, dollars an hour. @param gp3UsdPerGiBMonth what the region takes */
export function diskUsdPerHour(diskGiB: number, gp3UsdPerGiBMonth: number = RATES.gp3UsdPerGiBMonth): number {
  return (diskGiB * gp3UsdPerGiBMonth) / RATES.hoursPerMonth;
}

/** A public IPv4 address, dollars an hour; nothing where there is none. */
export function addressUsdPerHour({ publicIpv4 = true }: Pick<Offer, 'publicIpv4'>): number {
  return publicIpv4 ? RATES.ipv4UsdPerHour : 0;
}

/** A VM with disk and its address, dollars an hour. */
export function hourlyUsd(offer: Pick<Offer, 'usdPerHour' | 'publicIpv4'>, diskGiB: number, gp3UsdPerGiBMonth?: number): number {
  return offer.usdPerHour + diskUsdPerHour(diskGiB, gp3UsdPerGiBMonth) + addressUsdPerHour(offer);
}
