import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { ServiceError } from '../service';
import { invalidCombination, missingParameter, notFound } from './errors';
import { applyFilters } from './filters';
import { randomId } from './ids';
import { readLaunchSpec } from './launch-spec';
import { renderTemplateData } from './launch-template-xml';
import { page } from './paging';
import { parseParams, required, structures, text, texts, under } from './query';
import type { FlatParams, Params } from './query';
import type { TemplateRecord, TemplateVersion } from './records';
import { set, tagSet, timestamp } from './render';
import type { Ec2State } from './state';
import { readTags } from './tags';

interface Named {
  readonly id: string | undefined;
  readonly name: string | undefined;
}

/** @throws InvalidLaunchTemplateId.NotFound, InvalidLaunchTemplateName.NotFoundException */
function findTemplate({ templates }: Ec2State, { id, name }: Named): TemplateRecord {
  if (id !== undefined) {
    const found = templates.get(id);
    if (!found) throw notFound('template', [id]);
    return found;
  }
  const found = templates.all().find((t) => t.name === name);
  if (!found) {
    const message = `At least one of the launch templates specified in the request does not exist. ${name ?? ''}`.trim();
    throw new ServiceError(400, 'InvalidLaunchTemplateName.NotFoundException', message);
  }
  return found;
}

/** @param version a number, `$Default` or `$Latest` @throws InvalidLaunchTemplateId.VersionNotFound */
export function findVersion(state: Ec2State, named: Named, version: string): TemplateVersion {
  return versionOf(findTemplate(state, named), version);
}

function versionOf(template: TemplateRecord, version: string): TemplateVersion {
  const number =
    version === '$Default' ? template.defaultVersion : version === '$Latest' ? template.versions.at(-1)!.number : Number(version);
  const found = template.versions.find((v) => v.number === number);
  if (!found) {
    throw new ServiceError(
      400,
      'InvalidLaunchTemplateId.VersionNotFound',
      `Could not find launch template version '${version}' for launch template '${template.id}'.`,
    );
  }
  return found;
}

export async function createLaunchTemplate({ state, params, flat, principal }: Ec2Call): Promise<XmlFields> {
  const name = required(params, 'LaunchTemplateName');
  const data = readData(flat);
  const token = text(params, 'ClientToken');
  const before = state.templates.all().find((t) => token !== undefined && t.token === token);
  if (before) return { launchTemplate: renderTemplate(before) };
  if (state.templates.all().some((t) => t.name === name)) {
    throw new ServiceError(400, 'InvalidLaunchTemplateName.AlreadyExistsException', `Launch template name already in use.`);
  }
  const spec = structures(params, 'TagSpecification').find((s) => text(s, 'ResourceType') === 'launch-template');
  const description = text(params, 'VersionDescription');
  const createdAt = state.now();
  const template: TemplateRecord = {
    v: 1,
    id: randomId('lt'),
    name,
    createdAt,
    createdBy: principal.arn,
    defaultVersion: 1,
    ...(token === undefined ? {} : { token }),
    versions: [{ number: 1, createdAt, ...(description === undefined ? {} : { description }), data }],
    tags: spec ? readTags(spec) : {},
  };
  await state.templates.put(template);
  return { launchTemplate: renderTemplate(template) };
}

export async function createLaunchTemplateVersion({ state, params, flat }: Ec2Call): Promise<XmlFields> {
  const template = findTemplate(state, readNamed(params));
  const source = text(params, 'SourceVersion');
  const data = { ...(source === undefined ? {} : withoutNamed(versionOf(template, source).data, readData(flat))), ...readData(flat) };
  const description = text(params, 'VersionDescription');
  const version: TemplateVersion = {
    number: template.versions.at(-1)!.number + 1,
    createdAt: state.now(),
    ...(description === undefined ? {} : { description }),
    data,
  };
  const grown = { ...template, versions: [...template.versions, version] };
  await state.templates.put(grown);
  return { launchTemplateVersion: renderVersion(grown, version) };
}

/** A member of the new data replaces that member of the source as a whole. */
function withoutNamed(source: FlatParams, data: FlatParams): FlatParams {
  const named = new Set(Object.keys(data).map(member));
  return Object.fromEntries(Object.entries(source).filter(([name]) => !named.has(member(name))));
}

function member(name: string): string {
  return name.split('.')[0]!;
}

export async function modifyLaunchTemplate({ state, params }: Ec2Call): Promise<XmlFields> {
  const template = findTemplate(state, readNamed(params));
  const version = versionOf(template, required(params, 'SetDefaultVersion'));
  const changed = { ...template, defaultVersion: version.number };
  await state.templates.put(changed);
  return { launchTemplate: renderTemplate(changed) };
}

export async function deleteLaunchTemplate({ state, params }: Ec2Call): Promise<XmlFields> {
  const template = findTemplate(state, readNamed(params));
  await state.templates.delete(template.id);
  return { launchTemplate: renderTemplate(template) };
}

export function describeLaunchTemplates({ state, params }: Ec2Call): XmlFields {
  const ids = texts(params, 'LaunchTemplateId');
  const names = texts(params, 'LaunchTemplateName');
  const named = [...ids.map((id) => ({ id, name: undefined })), ...names.map((name) => ({ id: undefined, name }))];
  const chosen = named.length > 0 ? named.map((n) => findTemplate(state, n)) : state.templates.all();
  const fitting = applyFilters(chosen, params, {
    values: { 'launch-template-name': (t) => t.name, 'create-time': (t) => timestamp(t.createdAt) },
    tags: (t) => t.tags,
  });
  const { items, nextToken } = page(fitting, params, (t) => t.id);
  return { launchTemplates: set(items.map(renderTemplate)), nextToken };
}

export function describeLaunchTemplateVersions({ state, params }: Ec2Call): XmlFields {
  const template = findTemplate(state, readNamed(params));
  const asked = texts(params, 'LaunchTemplateVersion');
  const versions = asked.length > 0 ? asked.map((v) => versionOf(template, v)) : template.versions;
  const { items, nextToken } = page(versions, params, (v) => String(v.number).padStart(6, '0'));
  return { launchTemplateVersionSet: set(items.map((v) => renderVersion(template, v))), nextToken };
}

function readNamed(params: Params): Named {
  const [id, name] = [text(params, 'LaunchTemplateId'), text(params, 'LaunchTemplateName')];
  if (id === undefined && name === undefined) throw missingParameter('LaunchTemplateId');
  if (id !== undefined && name !== undefined)
    throw invalidCombination('Specify either the launch template ID or the launch template name, not both.');
  return { id, name };
}

/** The data as sent, checked. */
function readData(flat: FlatParams): FlatParams {
  const data = under(flat, 'LaunchTemplateData');
  if (Object.keys(data).length === 0) throw missingParameter('LaunchTemplateData');
  readLaunchSpec(parseParams(data));
  return data;
}

function renderTemplate(t: TemplateRecord): XmlFields {
  return {
    launchTemplateId: t.id,
    launchTemplateName: t.name,
    createTime: timestamp(t.createdAt),
    createdBy: t.createdBy,
    defaultVersionNumber: t.defaultVersion,
    latestVersionNumber: t.versions.at(-1)!.number,
    tagSet: tagSet(t.tags),
  };
}

function renderVersion(t: TemplateRecord, version: TemplateVersion): XmlFields {
  return {
    launchTemplateId: t.id,
    launchTemplateName: t.name,
    versionNumber: version.number,
    versionDescription: version.description,
    createTime: timestamp(version.createdAt),
    createdBy: t.createdBy,
    defaultVersion: version.number === t.defaultVersion,
    launchTemplateData: renderTemplateData(readLaunchSpec(parseParams(version.data))),
  };
}
