import { malformed, notFound } from './errors';
import { isId } from './ids';
import type { InstanceRecord } from './records';
import { visibleInstances } from './state';
import type { Ec2State } from './state';

/** @throws InvalidInstanceID.Malformed, InvalidInstanceID.NotFound */
export function findInstances(state: Ec2State, ids: readonly string[]): InstanceRecord[] {
  const bad = ids.find((id) => !isId('i', id));
  if (bad !== undefined) throw malformed('instance', bad);
  const shown = new Map(visibleInstances(state).map((i) => [i.id, i]));
  const missing = ids.filter((id) => !shown.has(id));
  if (missing.length > 0) throw notFound('instance', missing);
  return [...new Set(ids)].map((id) => shown.get(id)!);
}
