import { createHash, randomUUID } from 'node:crypto';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { dryRunEnds } from './dry-run';
import { invalidCombination, invalidParameter, missingParameter, tokenMismatch } from './errors';
import { renderReservation } from './instance-xml';
import { mergeSpecs, readLaunchSpec } from './launch-spec';
import type { LaunchSpec } from './launch-spec';
import { findVersion } from './launch-templates';
import { checkLaunch, planLaunch } from './plan-launch';
import { parseParams, structure, text, whole } from './query';
import type { FlatParams, Params } from './query';
import type { InstanceRecord } from './records';
import type { Ec2State } from './state';

/** Parameters of the call itself; the others describe what is launched. */
const OF_THE_CALL = ['Action', 'Version', 'MinCount', 'MaxCount', 'ClientToken', 'LaunchTemplate', 'DryRun'];

/** Source: EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests". */
const MAX_TOKEN = 64;

/**
 * RunInstances. A token that was used before in the same scope gives the same instances again, whatever became of them;
 * with other parameters it is refused.
 */
export async function runInstances({ state, fleet, params, flat }: Ec2Call): Promise<XmlFields> {
  const call = readLaunchSpec(params, OF_THE_CALL);
  const [min, max] = readCounts(params);
  const launch = readToken(params, flat, scopeOf(state, call));
  const before = state.instances.all().filter((i) => i.launch.token === launch.token && i.launch.scope === launch.scope);
  if (before.length > 0) return replay(state, before, launch);
  const { spec } = requestedSpec(state, params);
  if (params['DryRun'] !== undefined) checkLaunch(state, spec);
  dryRunEnds(params);
  // No await from the look for the token up to here: two calls with one token never both launch.
  const planned = planLaunch(state, spec, { min, max, launch });
  const dead = fleet.takeDead(planned.length);
  const instances = planned.map((instance, i) => ({ ...instance, dead: i < dead }));
  await fleet.launch(instances);
  return renderReservation(state, instances);
}

async function replay(state: Ec2State, before: readonly InstanceRecord[], launch: InstanceRecord['launch']): Promise<XmlFields> {
  if (before.some((i) => i.launch.fingerprint !== launch.fingerprint)) throw tokenMismatch();
  // The call before may not be on disk yet; nobody shall hear of instances that a crash could undo.
  await state.instances.flush();
  return renderReservation(
    state,
    [...before].sort((a, b) => a.index - b.index),
  );
}

function readCounts(params: Params): [min: number, max: number] {
  const min = whole(params, 'MinCount', 1, 1000);
  const max = whole(params, 'MaxCount', 1, 1000);
  if (min === undefined) throw missingParameter('MinCount');
  if (max === undefined) throw missingParameter('MaxCount');
  if (min > max)
    throw invalidParameter(`Value (${min}) for parameter MinCount is invalid. MinCount must not be greater than MaxCount (${max}).`);
  return [min, max];
}

function readToken(params: Params, flat: FlatParams, scope: string): InstanceRecord['launch'] {
  const token = text(params, 'ClientToken') ?? '';
  if (token.length > MAX_TOKEN || !/^[\x21-\x7e ]*$/.test(token)) {
    throw invalidParameter(`Value (${token}) for parameter clientToken is invalid. Allowed are up to ${MAX_TOKEN} ASCII characters.`);
  }
  const said = Object.entries(flat).filter(([name]) => !['Action', 'Version', 'ClientToken', 'DryRun'].includes(name));
  const fingerprint = createHash('sha256').update(JSON.stringify(said.sort())).digest('hex');
  return { token: token === '' ? `none ${randomUUID()}` : token, scope, fingerprint };
}

/** Tokens count within a zone when the call names one, else within the region. */
function scopeOf({ network }: Ec2State, { zone, subnetId }: LaunchSpec): string {
  return zone ?? network.subnets.find((s) => s.id === subnetId)?.zone ?? network.region;
}

/** What a call asks for, with what it takes from a template. @throws as {@link runInstances} for what is malformed or not there */
export function requestedSpec(state: Ec2State, params: Params): { readonly spec: LaunchSpec; readonly template?: string } {
  const { template, ...base } = readTemplate(state, params);
  const spec = mergeSpecs(base.spec, readLaunchSpec(params, OF_THE_CALL));
  return template === undefined ? { spec } : { spec, template };
}

function readTemplate(state: Ec2State, params: Params): { readonly spec: LaunchSpec; readonly template?: string } {
  if (params['LaunchTemplate'] === undefined) return { spec: readLaunchSpec({}) };
  const named = structure(params, 'LaunchTemplate');
  const [id, name] = [text(named, 'LaunchTemplateId'), text(named, 'LaunchTemplateName')];
  if ((id === undefined) === (name === undefined)) {
    throw invalidCombination('Specify either the launch template ID or the launch template name, not both.');
  }
  const { template, version } = findVersion(state, { id, name }, text(named, 'Version') ?? '$Default');
  const spec = readLaunchSpec(parseParams(version.data));
  // Source: EC2 user guide, "Launch instances from a launch template".
  const origin = { 'aws:ec2launchtemplate:id': template.id, 'aws:ec2launchtemplate:version': String(version.number) };
  return { spec: { ...spec, tags: { ...spec.tags, instance: { ...spec.tags['instance'], ...origin } } }, template: template.id };
}
