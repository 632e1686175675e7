import type { EC2Client, Filter, SecurityGroup, Tag } from '@aws-sdk/client-ec2';
import { TAGS } from '../contract';
import type { RemainKind, Remains, Thing } from '../contract';
import type { AwsContext } from './clients';
import { classify, wording } from './errors';

type Sdk = typeof import('./sdk/ec2.js');

/** One page, and where the next one begins. */
interface Page {
  readonly things: readonly Thing[];
  readonly next: string | undefined;
}
interface Ask {
  readonly Filters: Filter[];
  readonly MaxResults: number;
  readonly NextToken?: string;
}

interface Calls {
  readonly lister: string;
  readonly remover: string;
  readonly page: (sdk: Sdk, client: EC2Client, ask: Ask, abortSignal: AbortSignal | undefined) => Promise<Page>;
  readonly remove: (sdk: Sdk, client: EC2Client, id: string) => Promise<unknown>;
}

/** Asked for per page: what DescribeLaunchTemplates allows at most; others allow 1000. */
const PAGE = 200;

const CALLS: Readonly<Record<RemainKind, Calls>> = {
  volume: {
    lister: 'ec2:DescribeVolumes',
    remover: 'ec2:DeleteVolume',
    page: async (sdk, client, ask, abortSignal) => {
      const { Volumes = [], NextToken } = await client.send(new sdk.DescribeVolumesCommand(ask), { abortSignal });
      const things = Volumes.map(({ VolumeId, Tags, State, CreateTime }) => ({
        ...thing('volume', VolumeId, Tags, State !== 'available'),
        ...(CreateTime ? { createdAt: CreateTime.getTime() } : {}),
      }));
      return { things, next: NextToken };
    },
    remove: (sdk, client, VolumeId) => client.send(new sdk.DeleteVolumeCommand({ VolumeId })),
  },
  interface: {
    lister: 'ec2:DescribeNetworkInterfaces',
    remover: 'ec2:DeleteNetworkInterface',
    page: async (sdk, client, ask, abortSignal) => {
      const { NetworkInterfaces = [], NextToken } = await client.send(new sdk.DescribeNetworkInterfacesCommand(ask), { abortSignal });
      const things = NetworkInterfaces.map((i) => thing('interface', i.NetworkInterfaceId, i.TagSet, i.Status !== 'available'));
      return { things, next: NextToken };
    },
    remove: (sdk, client, NetworkInterfaceId) => client.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId })),
  },
  template: {
    lister: 'ec2:DescribeLaunchTemplates',
    remover: 'ec2:DeleteLaunchTemplate',
    page: async (sdk, client, ask, abortSignal) => {
      const { LaunchTemplates = [], NextToken } = await client.send(new sdk.DescribeLaunchTemplatesCommand(ask), { abortSignal });
      return { things: LaunchTemplates.map((t) => thing('template', t.LaunchTemplateId, t.Tags, false)), next: NextToken };
    },
    remove: (sdk, client, LaunchTemplateId) => client.send(new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateId })),
  },
  group: {
    lister: 'ec2:DescribeSecurityGroups',
    remover: 'ec2:DeleteSecurityGroup',
    page: async (sdk, client, ask, abortSignal) => {
      const { SecurityGroups = [], NextToken } = await client.send(new sdk.DescribeSecurityGroupsCommand(ask), { abortSignal });
      const used = await groupsInUse(sdk, client, ids(SecurityGroups), abortSignal);
      return { things: SecurityGroups.map((g) => thing('group', g.GroupId, g.Tags, used.has(g.GroupId ?? ''))), next: NextToken };
    },
    remove: (sdk, client, GroupId) => client.send(new sdk.DeleteSecurityGroupCommand({ GroupId })),
  },
};

/** What VMs leave behind, through the SDK. */
export function createEc2Remains(context: AwsContext): Remains {
  const sdk = (): Promise<Sdk> => import('./sdk/ec2.js');
  return {
    async list(kind, scaffold, { signal } = {}) {
      const { lister, page } = CALLS[kind];
      return wording(lister, async () => {
        const [loaded, client] = [await sdk(), await context.ec2()];
        const ask: Ask = { Filters: [{ Name: `tag:${TAGS.scaffold}`, Values: [scaffold] }], MaxResults: PAGE };
        const found: Thing[] = [];
        let next: string | undefined;
        do {
          const answer = await page(loaded, client, { ...ask, ...(next ? { NextToken: next } : {}) }, signal);
          found.push(...answer.things);
          next = answer.next;
        } while (next);
        return found;
      });
    },
    async remove(kind, id) {
      const { remover, remove } = CALLS[kind];
      await wording(remover, async () => {
        try {
          await remove(await sdk(), await context.ec2(), id);
        } catch (error) {
          if (!/\.NotFound/.test(classify(error).awsCode)) throw error;
        }
      });
    },
  };
}

/** Those of the groups that an interface is in, whoever's it is. */
async function groupsInUse(
  sdk: Sdk,
  client: EC2Client,
  groups: readonly string[],
  abortSignal: AbortSignal | undefined,
): Promise<Set<string>> {
  const used = new Set<string>();
  if (groups.length === 0) return used;
  let NextToken: string | undefined;
  do {
    const ask = { Filters: [{ Name: 'group-id', Values: [...groups] }], MaxResults: PAGE, ...(NextToken ? { NextToken } : {}) };
    const answer = await client.send(new sdk.DescribeNetworkInterfacesCommand(ask), { abortSignal });
    for (const { Groups = [] } of answer.NetworkInterfaces ?? []) for (const { GroupId = '' } of Groups) used.add(GroupId);
    NextToken = answer.NextToken;
  } while (NextToken);
  return used;
}

function ids(groups: readonly SecurityGroup[]): string[] {
  return groups.map((group) => group.GroupId ?? '');
}

function thing(kind: RemainKind, id: string | undefined, tags: readonly Tag[] | undefined, inUse: boolean): Thing {
  return { kind, id: id ?? '', tags: Object.fromEntries((tags ?? []).map((t) => [t.Key ?? '', t.Value ?? ''])), inUse };
}
