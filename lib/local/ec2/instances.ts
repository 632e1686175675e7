import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { invalidCombination, missingParameter } from './errors';
import { applyFilters } from './filters';
import { findInstances } from './find-instances';
import { instanceFilters } from './instance-filters';
import { renderReservation, renderState } from './instance-xml';
import { requested } from './life-cycle';
import type { PowerWish } from './life-cycle';
import { page } from './paging';
import { required, texts } from './query';
import type { InstanceRecord } from './records';
import { set, timestamp } from './render';
import { forgetOld, launchOrder, visibleInstances } from './state';

export async function describeInstances({ state, params }: Ec2Call): Promise<XmlFields> {
  await forgetOld(state);
  const ids = texts(params, 'InstanceId');
  if (ids.length > 0 && params['MaxResults'] !== undefined) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  const chosen = ids.length > 0 ? findInstances(state, ids) : visibleInstances(state);
  const { items, nextToken } = page(applyFilters(chosen, params, instanceFilters(state)), params, launchOrder);
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

export const terminateInstances = powerAction('terminate');
export const stopInstances = powerAction('stop');
export const startInstances = powerAction('start');

function powerAction(wish: PowerWish): (call: Ec2Call) => Promise<XmlFields> {
  return async ({ state, fleet, params }) => {
    const instances = named({ state, params });
    // One that may not spoils it for all, before anything is done.
    for (const instance of instances) requested(instance, wish, state.now());
    dryRunEnds(params);
    const changes: XmlFields[] = [];
    for (const before of instances) {
      const after = await fleet.wish(before, wish);
      changes.push({ instanceId: before.id, currentState: renderState(after.state), previousState: renderState(before.state) });
    }
    return { instancesSet: set(changes) };
  };
}

export async function rebootInstances({ state, fleet, params }: Ec2Call): Promise<XmlFields> {
  const instances = named({ state, params });
  dryRunEnds(params);
  for (const { id } of instances) await fleet.reboot(id);
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
  // What is changed is what is, not what shows.
  return findInstances(state, ids).map((i) => state.instances.get(i.id)!);
}
