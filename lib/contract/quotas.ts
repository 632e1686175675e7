import type { Offer } from './offers';

/** A limit on running vCPUs, by family and by how they are bought. One per account and region. */
export interface VcpuQuota {
  /** As Service Quotas names it, of the service `ec2`. */
  readonly code: string;
  readonly name: string;
}

interface Row {
  /** For people, as `G and VT`. */
  readonly title: string;
  /** What stands before the first digit or dash of a type's name. */
  readonly families: RegExp;
  readonly onDemand: VcpuQuota;
  readonly spot?: VcpuQuota;
}

const quota = (code: string, name: string): VcpuQuota => ({ code, name });

/**
 * The first row that fits counts. Sources: EC2 user guide, "Amazon EC2 instance type quotas" and "Spot Instance quotas";
 * codes as Service Quotas lists them.
 */
const ROWS: readonly Row[] = [
  { families: /^(g|gr|vt)$/, ...pair('G and VT', 'L-DB2E81BA', 'L-3819A6DF') },
  { families: /^inf$/, ...pair('Inf', 'L-1945791B', 'L-B5D1601B') },
  { families: /^trn$/, ...pair('Trn', 'L-2C3B7624', 'L-6B0D517C') },
  { families: /^dl$/, ...pair('DL', 'L-6E869C2A', 'L-85EED4F7') },
  { title: 'HPC', families: /^hpc$/, onDemand: quota('L-F7808C92', 'Running On-Demand HPC instances') },
  { title: 'High Memory', families: /^u$/, onDemand: quota('L-43DA4232', 'Running On-Demand High Memory instances') },
  {
    title: 'P',
    families: /^p$/,
    onDemand: onDemand('P', 'L-417A185B'),
    spot: quota('L-7212CCBC', 'All P4, P3 and P2 Spot Instance Requests'),
  },
  { families: /^f$/, ...pair('F', 'L-74FC7D96', 'L-88CF9481') },
  { families: /^x$/, ...pair('X', 'L-7295265B', 'L-E3A00192') },
  { families: /^[acdhimrtz]/, ...pair('Standard (A, C, D, H, I, M, R, T, Z)', 'L-1216C47A', 'L-34B43A08') },
];

const P5_SPOT = quota('L-C4BD4855', 'All P5 Spot Instance Requests');

function onDemand(families: string, code: string): VcpuQuota {
  return quota(code, `Running On-Demand ${families} instances`);
}

function pair(families: string, onDemandCode: string, spotCode: string): Omit<Row, 'families'> {
  return { title: families, onDemand: onDemand(families, onDemandCode), spot: quota(spotCode, `All ${families} Spot Instance Requests`) };
}

/** The quota that counts VMs of a type; undefined for families that have none (as Mac, which needs a host of its own). */
export function quotaOf(vmType: string, purchase: Offer['purchase']): VcpuQuota | undefined {
  const family = /^[a-z]+/.exec(vmType)?.[0] ?? '';
  if (family === 'mac') return undefined;
  if (purchase === 'spot' && vmType.startsWith('p5')) return P5_SPOT;
  const row = ROWS.find((r) => r.families.test(family));
  return purchase === 'spot' ? row?.spot : row?.onDemand;
}

/** Quotas of one family of VM types. */
export interface FamilyQuotas {
  /** As `Standard (A, C, D, H, I, M, R, T, Z)`. */
  readonly title: string;
  readonly onDemand: VcpuQuota;
  readonly spot?: VcpuQuota;
}

/** The quotas that count the VMs that are chosen when nothing is asked for: families m, c and r. */
export const STANDARD_QUOTAS: FamilyQuotas = ROWS.at(-1)!;

/** All others, in no particular order. */
export const SPECIAL_QUOTAS: readonly FamilyQuotas[] = ROWS.slice(0, -1);

/** The command that asks for more. */
export function raiseCommand({ code }: VcpuQuota, desired: number, region: string): string {
  return `aws service-quotas request-service-quota-increase --service-code ec2 --quota-code ${code} --desired-value ${desired} --region ${region}`;
}

/** How far a quota reaches, in vCPUs. `used` is undefined when it could not be counted. */
export interface QuotaState {
  readonly quota: VcpuQuota;
  readonly value: number;
  readonly used?: number | undefined;
}

/** `quota "Running On-Demand …" (L-1216C47A): 5 vCPU, 4 in use, 2 asked for` */
export function quotaWords({ quota: { name, code }, value, used }: QuotaState, asked: number): string {
  return `quota "${name}" (${code}): ${value} vCPU${used === undefined ? '' : `, ${used} in use`}, ${asked} asked for`;
}

/** How to have a quota raised, with the command to type. */
export function quotaRemedy({ quota, value, used }: QuotaState, asked: number, region: string): string {
  const desired = Math.max(value + asked, (used ?? 0) + asked);
  return `Raise it in Service Quotas: ${raiseCommand(quota, desired, region)}; or take a smaller VM, or let others end first.`;
}
