import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRun, invalidCombination, malformed, missingParameter, notFound } from './errors';
import { applyFilters } from './filters';
import type { Filterable } from './filters';
import { isId } from './ids';
import { clientToken, renderReservation, renderState, stateCode } from './instance-xml';
import type { PowerWish } from './life-cycle';
import { page } from './paging';
import { flag, required, texts } from './query';
import type { InstanceRecord } from './records';
import { set, timestamp } from './render';
import { forgetOld, launchOrder, shownInstances } from './state';
import type { Ec2State } from './state';

const FILTERS: Filterable<InstanceRecord> = {
  values: {
    'instance-id': (i) => i.id,
    'instance-state-name': (i) => i.state,
    'instance-state-code': (i) => stateCode(i.state),
    'instance-type': (i) => i.type,
    'availability-zone': (i) => i.zone,
    'client-token': clientToken,
    'reservation-id': (i) => i.reservation,
    'image-id': (i) => i.imageId,
    'subnet-id': (i) => i.subnetId,
    'private-ip-address': (i) => i.interface.privateIp,
    'instance.group-id': (i) => i.groupIds,
    'key-name': (i) => i.keyName,
    'launch-time': (i) => timestamp(i.launchedAt),
    'launch-index': (i) => String(i.index),
    'state-reason-code': (i) => i.stateReason?.code,
    architecture: (i) => i.arch,
    'instance-lifecycle': (i) => (i.spot ? 'spot' : undefined),
    'spot-instance-request-id': (i) => i.spot?.requestId,
  },
  tags: (i) => i.tags,
};

export async function describeInstances({ state, params }: Ec2Call): Promise<XmlFields> {
  await forgetOld(state);
  const ids = texts(params, 'InstanceId');
  if (ids.length > 0 && params['MaxResults'] !== undefined) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  const chosen = ids.length > 0 ? findInstances(state, ids) : shownInstances(state);
  const { items, nextToken } = page(applyFilters(chosen, params, FILTERS), params, launchOrder);
  return { reservationSet: set(reservationsOf(items).map((r) => renderReservation(state, r))), nextToken };
}

function reservationsOf(instances: readonly InstanceRecord[]): InstanceRecord[][] {
  const reservations = new Map<string, InstanceRecord[]>();
  for (const instance of instances) {
    const together = reservations.get(instance.reservation) ?? [];
    reservations.set(instance.reservation, [...together, instance]);
  }
  return [...reservations.values()];
}

/** @throws InvalidInstanceID.Malformed, InvalidInstanceID.NotFound */
export function findInstances(state: Ec2State, ids: readonly string[]): InstanceRecord[] {
  const bad = ids.find((id) => !isId('i', id));
  if (bad !== undefined) throw malformed('instance', bad);
  const shown = new Map(shownInstances(state).map((i) => [i.id, i]));
  const missing = ids.filter((id) => !shown.has(id));
  if (missing.length > 0) throw notFound('instance', missing);
  return [...new Set(ids)].map((id) => shown.get(id)!);
}

export const terminateInstances = powerAction('terminate');
export const stopInstances = powerAction('stop');
export const startInstances = powerAction('start');

function powerAction(wish: PowerWish): (call: Ec2Call) => Promise<XmlFields> {
  return async ({ state, fleet, params }) => {
    const instances = named({ state, params });
    if (flag(params, 'DryRun')) throw dryRun();
    const changes: XmlFields[] = [];
    for (const before of instances) {
      const after = await fleet.wish(before, wish);
      changes.push({ instanceId: before.id, currentState: renderState(after.state), previousState: renderState(before.state) });
    }
    return { instancesSet: set(changes) };
  };
}

export async function rebootInstances({ state, fleet, params }: Ec2Call): Promise<XmlFields> {
  for (const { id } of named({ state, params })) await fleet.reboot(id);
  return { return: true };
}

export async function consoleOutput({ state, fleet, params }: Ec2Call): Promise<XmlFields> {
  const [{ id }] = findInstances(state, [required(params, 'InstanceId')]) as [InstanceRecord];
  const output = Buffer.from(await fleet.consoleOutput(id));
  return { instanceId: id, timestamp: timestamp(state.now()), output: output.byteLength > 0 ? output.toString('base64') : undefined };
}

function named({ state, params }: Pick<Ec2Call, 'state' | 'params'>): InstanceRecord[] {
  const ids = texts(params, 'InstanceId');
  if (ids.length === 0) throw missingParameter('InstanceId');
  return findInstances(state, ids);
}
