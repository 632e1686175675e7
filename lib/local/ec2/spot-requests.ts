import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { missingParameter, notFound } from './errors';
import { applyFilters } from './filters';
import { page } from './paging';
import { texts } from './query';
import type { InstanceRecord, SpotRecord } from './records';
import { set, tagSet, timestamp } from './render';
import type { Ec2State } from './state';

/** A one-time request, which lives and dies with its instance. */
interface SpotRequest {
  readonly instance: InstanceRecord;
  readonly spot: SpotRecord;
  readonly state: 'active' | 'closed' | 'cancelled';
  readonly status: readonly [code: string, message: string];
}

function requestsOf({ instances }: Ec2State): SpotRequest[] {
  return instances
    .all()
    .flatMap((instance) => (instance.spot ? [{ instance, spot: instance.spot, ...progress(instance, instance.spot) }] : []));
}

/** Source: EC2 user guide, "Get the status of a Spot Instance request". */
function progress(instance: InstanceRecord, spot: SpotRecord): Pick<SpotRequest, 'state' | 'status'> {
  const ended = instance.state === 'terminated' || instance.state === 'shutting-down';
  if (!ended) {
    if (spot.cancelled) return { state: 'cancelled', status: ['request-canceled-and-instance-running', 'Your Spot request is canceled.'] };
    if (spot.notice) return { state: 'active', status: ['marked-for-termination', 'Your Spot Instance is marked for termination.'] };
    return { state: 'active', status: ['fulfilled', 'Your Spot request is fulfilled.'] };
  }
  return instance.stateReason?.code === 'Server.SpotInstanceTermination'
    ? { state: 'closed', status: ['instance-terminated-no-capacity', 'Your Spot Instance was terminated: there is no capacity.'] }
    : { state: 'closed', status: ['instance-terminated-by-user', 'Spot Instance terminated due to user-initiated termination.'] };
}

function find(state: Ec2State, params: Ec2Call['params']): SpotRequest[] {
  const all = requestsOf(state);
  const ids = texts(params, 'SpotInstanceRequestId');
  const missing = ids.filter((id) => !all.some((r) => r.spot.requestId === id));
  if (missing.length > 0) throw notFound('spot', missing);
  return ids.length > 0 ? all.filter((r) => ids.includes(r.spot.requestId)) : all;
}

export function describeSpotInstanceRequests({ state, params }: Ec2Call): XmlFields {
  const fitting = applyFilters(find(state, params), params, {
    values: {
      'spot-instance-request-id': (r) => r.spot.requestId,
      'instance-id': (r) => r.instance.id,
      state: (r) => r.state,
      'status-code': (r) => r.status[0],
      'launched-availability-zone': (r) => r.instance.zone,
      'launch.instance-type': (r) => r.instance.type,
      'launch.image-id': (r) => r.instance.imageId,
      type: () => 'one-time',
      'product-description': () => 'Linux/UNIX',
    },
    tags: (r) => r.spot.tags,
  });
  const { items, nextToken } = page(fitting, params, (r) => r.spot.requestId);
  return { spotInstanceRequestSet: set(items.map((r) => render(state, r))), nextToken };
}

/** The instance lives on, as on EC2. */
export async function cancelSpotInstanceRequests({ state, params }: Ec2Call): Promise<XmlFields> {
  if (texts(params, 'SpotInstanceRequestId').length === 0) throw missingParameter('SpotInstanceRequestId');
  const requests = find(state, params);
  dryRunEnds(params);
  for (const { instance, spot } of requests) await state.instances.put({ ...instance, spot: { ...spot, cancelled: true } });
  return { spotInstanceRequestSet: set(requests.map((r) => ({ spotInstanceRequestId: r.spot.requestId, state: 'cancelled' }))) };
}

function render({ market }: Ec2State, { instance, spot, state, status }: SpotRequest): XmlFields {
  const time = timestamp(instance.launchedAt);
  return {
    spotInstanceRequestId: spot.requestId,
    spotPrice: Number(spot.maxPrice ?? market.onDemand(instance.type)).toFixed(6),
    type: 'one-time',
    state,
    status: {
      code: status[0],
      message: status[1],
      updateTime: timestamp(instance.terminatedAt ?? spot.notice?.noticedAt ?? instance.launchedAt),
    },
    instanceId: instance.id,
    instanceInterruptionBehavior: 'terminate',
    launchedAvailabilityZone: instance.zone,
    productDescription: 'Linux/UNIX',
    createTime: time,
    launchSpecification: {
      imageId: instance.imageId,
      instanceType: instance.type,
      placement: { availabilityZone: instance.zone },
      monitoring: { enabled: false },
    },
    tagSet: tagSet(spot.tags),
  };
}
