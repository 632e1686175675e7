import { findRawcloudError, RawcloudError } from '../../contract';
import type { DeploymentLook, FoundSubnet, ScaffoldChoices } from '../../contract';

type Chosen = NonNullable<ScaffoldChoices['vpc']>;

/**
 * A VPC with the subnets that were named, else with those that give public addresses and so reach S3 for certain, one for each zone.
 * @throws E_NO_NETWORK
 */
export async function chosenVpc(
  look: Pick<DeploymentLook, 'region' | 'subnets'>,
  vpcId: string,
  ids: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<Chosen> {
  const found = await look.subnets({ vpcId }, signal);
  if (found.length === 0) {
    throw new RawcloudError('E_NO_NETWORK', `there is no VPC ${vpcId} with subnets in ${look.region}`, {
      remedy: `What there is: aws ec2 describe-subnets --region ${look.region} --query 'Subnets[].[VpcId,SubnetId,AvailabilityZone]' --output text`,
    });
  }
  const subnets = ids ? named(found, ids, vpcId) : onePerZone(found.filter((subnet) => subnet.public));
  if (subnets.length === 0) {
    throw new RawcloudError('E_NO_NETWORK', `VPC ${vpcId} has no subnet that gives public addresses; it has ${listed(found)}`, {
      remedy: `Name private ones by --subnets, one for each zone. They need a way to S3: a gateway endpoint costs nothing.`,
    });
  }
  return { id: vpcId, subnets: subnets.map(({ id, zone, public: gives }) => ({ id, zone, public: gives })) };
}

function named(found: readonly FoundSubnet[], ids: readonly string[], vpcId: string): FoundSubnet[] {
  const unknown = ids.filter((id) => !found.some((subnet) => subnet.id === id));
  if (unknown.length > 0) {
    throw new RawcloudError('E_NO_NETWORK', `${unknown.join(', ')} is no subnet of ${vpcId}; it has ${listed(found)}`, {
      remedy: 'Give --subnets of that VPC, one for each zone.',
    });
  }
  const chosen = found.filter(({ id }) => ids.includes(id));
  if (onePerZone(chosen).length === chosen.length) return chosen;
  throw new RawcloudError('E_NO_NETWORK', `several of ${listed(chosen)} are in one zone; allowed is one for each zone`, {
    remedy: 'Leave out all but one of each zone.',
  });
}

/** Of each zone the one with most room. */
function onePerZone(subnets: readonly FoundSubnet[]): FoundSubnet[] {
  const byRoom = [...subnets].sort((a, b) => b.freeAddresses - a.freeAddresses || a.id.localeCompare(b.id));
  const first = byRoom.filter(({ zone }, at) => byRoom.findIndex((other) => other.zone === zone) === at);
  return first.sort((a, b) => a.zone.localeCompare(b.zone));
}

function listed(subnets: readonly FoundSubnet[]): string {
  return subnets.map(({ id, zone, public: gives }) => `${id} (${zone}${gives ? '' : ', private'})`).join(', ');
}

/**
 * That the default VPC can take VMs.
 * @returns what could not be looked at; undefined when all is well
 * @throws E_NO_NETWORK with the ways out
 */
export async function checkDefaultVpc(
  look: Pick<DeploymentLook, 'region' | 'defaultVpc' | 'subnets'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { region } = look;
  try {
    const vpcId = await look.defaultVpc(signal);
    const own = 'or take a VPC of yours: rawcloud deploy --vpc vpc-… [--subnets subnet-…,subnet-…]';
    if (vpcId === undefined) {
      throw new RawcloudError('E_NO_NETWORK', `${region} has no default VPC, in which VMs would be launched`, {
        remedy: `Make it anew, free of charge: aws ec2 create-default-vpc --region ${region}; ${own}`,
      });
    }
    if ((await look.subnets({ vpcId }, signal)).some((subnet) => subnet.public)) return undefined;
    throw new RawcloudError('E_NO_NETWORK', `the default VPC ${vpcId} of ${region} has no subnet that gives public addresses`, {
      remedy: `Make one: aws ec2 create-default-subnet --availability-zone ${region}a --region ${region}; ${own}`,
    });
  } catch (error) {
    const known = findRawcloudError(error);
    if (known?.code !== 'E_PERMISSION') throw error;
    // Who deploys through the CDK's roles needs no right to look at the network.
    return `whether ${region} has a default VPC could not be looked at: ${known.message}`;
  }
}
