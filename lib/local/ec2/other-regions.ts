import { unsupported } from './errors';
import { localImages } from './images';
import { defaultNetwork } from './network';
import { RecordTable } from './record-table';
import type { InstanceRecord } from './records';
import { SpotMarket } from './spot-market';
import type { Ec2State } from './state';

/** The account's other regions: they answer, nothing runs in them, and what a test has put there is shown. Gone with the process. */
export class OtherRegions {
  readonly #home: Ec2State;
  readonly #states = new Map<string, Ec2State>();

  constructor(home: Ec2State) {
    this.#home = home;
  }

  /** What EC2 knows in a region. */
  state(region: string): Ec2State {
    const state = this.#states.get(region) ?? this.#empty(region);
    this.#states.set(region, state);
    return state;
  }

  /** An instance that shows in a region as it stands here, volumes and interface with it, and has no machine. */
  async put(region: string, instance: InstanceRecord): Promise<void> {
    await this.state(region).instances.put(instance);
  }

  #empty(region: string): Ec2State {
    const network = defaultNetwork(region);
    const { defaultGroupId: id, vpcId } = network;
    return {
      ...this.#home,
      network,
      images: localImages(region),
      market: new SpotMarket(region, this.#home.now),
      instances: RecordTable.inMemory(),
      templates: RecordTable.inMemory(),
      groups: RecordTable.inMemory([{ v: 1, id, name: 'default', description: 'default VPC security group', vpcId, tags: {} }]),
    };
  }
}

/** @throws UnsupportedOperation for what is no question */
export function refuseChange(action: string, region: string): void {
  if (!action.startsWith('Describe')) throw unsupported(`${action} in ${region}: it has machines in one region`);
}
