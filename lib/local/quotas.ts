import { RawcloudError } from '../contract';

/** How VMs are bought, as quotas tell them apart. */
export type Purchase = 'on-demand' | 'spot';

/** An applied quota of EC2. */
export interface Quota {
  readonly code: string;
  readonly name: string;
  readonly value: number;
  /** What AWS gives a new account. */
  readonly defaultValue: number;
}

interface Row {
  readonly code: string;
  readonly name: string;
  readonly defaultValue: number;
  readonly purchase: Purchase;
  /** First letters of families, lower case. */
  readonly families: readonly string[];
}

const STANDARD = ['a', 'c', 'd', 'h', 'i', 'm', 'r', 't', 'z'];

/** In vCPUs. Source: EC2 user guide, "Amazon EC2 instance type quotas", and Service Quotas, EC2, default values. */
const ROWS: readonly Row[] = [
  row('L-1216C47A', 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances', 'on-demand', STANDARD, 5),
  row('L-34B43A08', 'All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests', 'spot', STANDARD, 5),
  row('L-DB2E81BA', 'Running On-Demand G and VT instances', 'on-demand', ['g', 'vt'], 0),
  row('L-3819A6DF', 'All G and VT Spot Instance Requests', 'spot', ['g', 'vt'], 0),
  row('L-417A185B', 'Running On-Demand P instances', 'on-demand', ['p'], 0),
  row('L-7212CCBC', 'All P4, P3 and P2 Spot Instance Requests', 'spot', ['p'], 0),
  row('L-74FC7D96', 'Running On-Demand F instances', 'on-demand', ['f'], 0),
  row('L-88CF9481', 'All F Spot Instance Requests', 'spot', ['f'], 0),
  row('L-7295265B', 'Running On-Demand X instances', 'on-demand', ['x'], 0),
  row('L-E3A00192', 'All X Spot Instance Requests', 'spot', ['x'], 0),
  row('L-1945791B', 'Running On-Demand Inf instances', 'on-demand', ['inf'], 0),
  row('L-B5D1601B', 'All Inf Spot Instance Requests', 'spot', ['inf'], 0),
];

function row(code: string, name: string, purchase: Purchase, families: readonly string[], defaultValue: number): Row {
  return { code, name, purchase, families, defaultValue };
}

/** What this account was granted: enough for every test that does not ask for less. */
const GRANTED_VCPUS = 10_000;

/** EC2's vCPU quotas of the account. */
export class Quotas {
  readonly #set = new Map<string, number>();

  all(): Quota[] {
    return ROWS.map((r) => this.#quota(r));
  }

  get(code: string): Quota | undefined {
    return this.all().find((q) => q.code === code);
  }

  /** The quota that counts VMs of a type; undefined for families without one. */
  of(vmType: string, purchase: Purchase): Quota | undefined {
    const family = /^[a-z]+/.exec(vmType)?.[0] ?? '';
    const rows = ROWS.filter((r) => r.purchase === purchase);
    const found = rows.find((r) => r.families.includes(family)) ?? rows.find((r) => r.families.includes(family.slice(0, 1)));
    return found && this.#quota(found);
  }

  /** @param values vCPUs by quota code @throws E_LOCAL_CLOUD for a code that is not there, or a value that is none */
  set(values: Readonly<Record<string, number>>): void {
    for (const [code, value] of Object.entries(values)) {
      if (!ROWS.some((r) => r.code === code)) throw unknownCode(code);
      if (!(value >= 0)) throw new RawcloudError('E_LOCAL_CLOUD', `the quota ${code} is to be ${value}; allowed are numbers from 0`);
    }
    for (const [code, value] of Object.entries(values)) this.#set.set(code, value);
  }

  /** Back to what the account was granted. */
  clear(): void {
    this.#set.clear();
  }

  #quota({ code, name, defaultValue }: Row): Quota {
    return { code, name, defaultValue, value: this.#set.get(code) ?? Math.max(defaultValue, GRANTED_VCPUS) };
  }
}

function unknownCode(code: string): RawcloudError {
  return new RawcloudError('E_LOCAL_CLOUD', `there is no quota ${code}; there are ${ROWS.map((r) => `${r.code} (${r.name})`).join(', ')}`);
}
