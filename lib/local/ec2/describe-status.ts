import type { XmlContent, XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidCombination } from './errors';
import { applyFilters } from './filters';
import { findInstances } from './find-instances';
import { renderState, stateCode } from './instance-xml';
import { zoneId } from './network';
import { page } from './paging';
import { flag, texts } from './query';
import type { InstanceRecord } from './records';
import { set, timestamp } from './render';
import { launchOrder, visibleInstances } from './state';

/** Only instances that run, unless IncludeAllInstances. Checks pass from the moment an instance runs. */
export function describeInstanceStatus({ state, params }: Ec2Call): XmlFields {
  const ids = texts(params, 'InstanceId');
  if (ids.length > 0 && params['MaxResults'] !== undefined) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  const chosen = ids.length > 0 ? findInstances(state, ids) : visibleInstances(state);
  const all = flag(params, 'IncludeAllInstances') ? chosen : chosen.filter((i) => i.state === 'running');
  const fitting = applyFilters(all, params, {
    values: {
      'availability-zone': (i) => i.zone,
      'availability-zone-id': (i) => zoneId(i.zone),
      'instance-state-name': (i) => i.state,
      'instance-state-code': (i) => stateCode(i.state),
      'instance-status.status': checks,
      'instance-status.reachability': (i) => (i.state === 'running' ? 'passed' : undefined),
      'system-status.status': checks,
      'system-status.reachability': (i) => (i.state === 'running' ? 'passed' : undefined),
      'event.code': () => undefined,
    },
    tags: (i) => i.tags,
  });
  const { items, nextToken } = page(fitting, params, launchOrder);
  return { instanceStatusSet: set(items.map(render)), nextToken };
}

function checks({ state }: InstanceRecord): string {
  return state === 'running' ? 'ok' : 'not-applicable';
}

function render(i: InstanceRecord): XmlFields {
  const details: XmlContent = i.state === 'running' ? set([{ name: 'reachability', status: 'passed' }]) : undefined;
  const summary = { status: checks(i), details };
  return {
    instanceId: i.id,
    availabilityZone: i.zone,
    availabilityZoneId: zoneId(i.zone),
    instanceState: renderState(i.state),
    systemStatus: summary,
    instanceStatus: summary,
    attachedEbsStatus: i.state === 'running' ? { status: 'ok' } : undefined,
    launchTime: timestamp(i.launchedAt),
  };
}
