import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { invalidId, missingParameter, notFound, unsupported } from './errors';
import type { IdKind } from './errors';
import { applyFilters } from './filters';
import { page } from './paging';
import { structures, text, texts } from './query';
import type { InstanceRecord, Tags } from './records';
import { set } from './render';
import { visibleInstances } from './state';
import type { Ec2State } from './state';
import { checkTagCount, isReservedTag, readTags } from './tags';

/** Something that carries tags, and how to give it others. */
interface Taggable {
  readonly id: string;
  readonly type: string;
  readonly tags: Tags;
  readonly put: (tags: Tags) => Promise<void>;
}

function taggables(state: Ec2State, instances: readonly InstanceRecord[]): Taggable[] {
  const { templates, groups } = state;
  return [
    ...instances.flatMap((i) => ofInstance(state, i)),
    ...templates
      .all()
      .map((t) => ({ id: t.id, type: 'launch-template', tags: t.tags, put: (tags: Tags) => templates.put({ ...t, tags }) })),
    ...groups.all().map((g) => ({ id: g.id, type: 'security-group', tags: g.tags, put: (tags: Tags) => groups.put({ ...g, tags }) })),
  ];
}

/** Each change starts from the record as it is by then: one call may tag an instance and its volumes. */
function ofInstance({ instances, lag }: Ec2State, { id, tags, volumes, interface: nic, spot }: InstanceRecord): Taggable[] {
  const change = (changed: (now: InstanceRecord) => InstanceRecord): Promise<void> => {
    const now = instances.get(id)!;
    lag.changes(id, now);
    return instances.put(changed(now));
  };
  const ofRequest: Taggable[] = spot
    ? [
        {
          id: spot.requestId,
          type: 'spot-instances-request',
          tags: spot.tags,
          put: (t) => change((i) => ({ ...i, spot: { ...spot, ...i.spot, tags: t } })),
        },
      ]
    : [];
  return [
    { id, type: 'instance', tags, put: (t) => change((i) => ({ ...i, tags: t })) },
    {
      id: nic.id,
      type: 'network-interface',
      tags: nic.tags,
      put: (t) => change((i) => ({ ...i, interface: { ...i.interface, tags: t } })),
    },
    ...ofRequest,
    ...volumes.map((v): Taggable => ({
      id: v.id,
      type: 'volume',
      tags: v.tags,
      put: (t) => change((i) => ({ ...i, volumes: i.volumes.map((w) => (w.id === v.id ? { ...w, tags: t } : w)) })),
    })),
  ];
}

/** Of anything that carries tags, as they are; none for what is not there. */
export function tagsOf(state: Ec2State, id: string): Tags {
  return taggables(state, state.instances.all()).find((t) => t.id === id)?.tags ?? {};
}

export async function createTags({ state, params }: Ec2Call): Promise<XmlFields> {
  const tags = readTags(params);
  if (Object.keys(tags).length === 0) throw missingParameter('Tag');
  const changes = findTaggables(state, params).map((t) => ({ ...t, tags: checkTagCount({ ...t.tags, ...tags }) }));
  dryRunEnds(params);
  for (const { put, tags: changed } of changes) await put(changed);
  return { return: true };
}

/** A tag named with a value goes only when it has that value. */
export async function deleteTags({ state, params }: Ec2Call): Promise<XmlFields> {
  const named = structures(params, 'Tag').map((t) => ({ key: text(t, 'Key') ?? '', value: text(t, 'Value') }));
  const goes = ([key, value]: [string, string]): boolean =>
    named.some((n) => n.key === key && (n.value === undefined || n.value === value));
  const found = findTaggables(state, params);
  dryRunEnds(params);
  for (const { put, tags } of found) {
    const stays = (tag: [string, string]): boolean => isReservedTag(tag[0]) || (named.length > 0 && !goes(tag));
    await put(Object.fromEntries(Object.entries(tags).filter(stays)));
  }
  return { return: true };
}

export function describeTags({ state, params }: Ec2Call): XmlFields {
  const all = taggables(state, visibleInstances(state)).flatMap(({ id, type, tags }) =>
    Object.entries(tags).map(([key, value]) => ({ id, type, key, value })),
  );
  const fitting = applyFilters(all, params, {
    values: {
      'resource-id': (t) => t.id,
      'resource-type': (t) => t.type,
      key: (t) => t.key,
      value: (t) => t.value,
      'tag-key': (t) => t.key,
      'tag-value': (t) => t.value,
    },
  });
  const { items, nextToken } = page(fitting, params, (t) => `${t.id} ${t.key}`);
  return { tagSet: set(items.map(({ id, type, key, value }) => ({ resourceId: id, resourceType: type, key, value }))), nextToken };
}

const KINDS: readonly [prefix: string, kind: IdKind][] = [
  ['i-', 'instance'],
  ['vol-', 'volume'],
  ['eni-', 'interface'],
  ['lt-', 'template'],
  ['sg-', 'group'],
  ['sir-', 'spot'],
];

function missing(id: string): Error {
  if (/^(vpc|subnet|ami)-/.test(id)) return unsupported(`tags of ${id}`);
  const kind = KINDS.find(([prefix]) => id.startsWith(prefix))?.[1];
  return kind === undefined ? invalidId(id) : notFound(kind, [id]);
}

function findTaggables(state: Ec2State, params: Ec2Call['params']): Taggable[] {
  const ids = texts(params, 'ResourceId');
  if (ids.length === 0) throw missingParameter('ResourceId');
  // What is changed is what is, not what shows.
  const instances = visibleInstances(state).map((i) => state.instances.get(i.id)!);
  const known = new Map(taggables(state, instances).map((t) => [t.id, t]));
  return ids.map((id) => {
    const found = known.get(id);
    if (!found) throw missing(id);
    return found;
  });
}
