import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { ServiceError } from '../service';
import { dryRunEnds } from './dry-run';
import { invalidCombination, missingParameter, notFound, tokenMismatch } from './errors';
import { applyFilters } from './filters';
import type { Filterable } from './filters';
import { randomId } from './ids';
import { readLaunchSpec } from './launch-spec';
import { renderTemplateData } from './launch-template-xml';
import { page } from './paging';
import { parseParams, required, structures, text, texts, under, whole } from './query';
import type { FlatParams, Params } from './query';
import type { TemplateRecord, TemplateVersion } from './records';
import { set, tagSet, timestamp } from './render';
import type { Ec2State } from './state';
import { readTags } from './tags';

/** Source: EC2 API reference, DescribeLaunchTemplates and DescribeLaunchTemplateVersions, MaxResults. */
const PAGE = { min: 1, max: 200 };

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
    const message = `The specified launch template, with template name ${name ?? ''}, does not exist.`;
    throw new ServiceError(400, 'InvalidLaunchTemplateName.NotFoundException', message);
  }
  return found;
}

/** @param version a number, `$Default` or `$Latest` @throws InvalidLaunchTemplateId.VersionNotFound */
export function findVersion(state: Ec2State, named: Named, version: string): { template: TemplateRecord; version: TemplateVersion } {
  const template = findTemplate(state, named);
  return { template, version: versionOf(template, version) };
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
  if (before) return replay(before, name, data);
  if (state.templates.all().some((t) => t.name === name)) {
    throw new ServiceError(400, 'InvalidLaunchTemplateName.AlreadyExistsException', `Launch template name already in use.`);
  }
  const spec = structures(params, 'TagSpecification').find((s) => text(s, 'ResourceType') === 'launch-template');
  const description = text(params, 'VersionDescription');
  const createdAt = state.now();
  dryRunEnds(params);
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

/** @throws IdempotentParameterMismatch */
function replay(before: TemplateRecord, name: string, data: FlatParams): XmlFields {
  const first = before.versions[0]?.data ?? {};
  if (before.name !== name || JSON.stringify(first) !== JSON.stringify(data)) throw tokenMismatch();
  return { launchTemplate: renderTemplate(before) };
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
  dryRunEnds(params);
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
  dryRunEnds(params);
  const changed = { ...template, defaultVersion: version.number };
  await state.templates.put(changed);
  return { launchTemplate: renderTemplate(changed) };
}

export async function deleteLaunchTemplate({ state, params }: Ec2Call): Promise<XmlFields> {
  const template = findTemplate(state, readNamed(params));
  dryRunEnds(params);
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
  const { items, nextToken } = page(fitting, params, (t) => t.id, PAGE);
  return { launchTemplates: set(items.map(renderTemplate)), nextToken };
}

/** Of one template, or with neither id nor name the latest or default versions of all. */
export function describeLaunchTemplateVersions({ state, params }: Ec2Call): XmlFields {
  const asked = texts(params, 'LaunchTemplateVersion');
  const ofAll = params['LaunchTemplateId'] === undefined && params['LaunchTemplateName'] === undefined;
  if (ofAll && !(asked.length > 0 && asked.every((v) => v === '$Latest' || v === '$Default'))) throw missingParameter('LaunchTemplateId');
  const templates = ofAll ? state.templates.all() : [findTemplate(state, readNamed(params))];
  const all = templates.flatMap((template) =>
    (asked.length > 0 ? asked.map((v) => versionOf(template, v)) : template.versions).map((version) => ({ template, version })),
  );
  const within = bounds(params);
  const fitting = applyFilters(
    all.filter(({ version }) => within(version.number)),
    params,
    VERSION_FILTERS,
  );
  const { items, nextToken } = page(
    fitting,
    params,
    ({ template, version }) => `${template.id} ${String(version.number).padStart(6, '0')}`,
    PAGE,
  );
  return { launchTemplateVersionSet: set(items.map(({ template, version }) => renderVersion(template, version))), nextToken };
}

function bounds(params: Params): (number: number) => boolean {
  const [min, max] = [whole(params, 'MinVersion', 0, 1e9) ?? 0, whole(params, 'MaxVersion', 0, 1e9) ?? Infinity];
  return (number) => number >= min && number <= max;
}

interface VersionOf {
  readonly template: TemplateRecord;
  readonly version: TemplateVersion;
}

const VERSION_FILTERS: Filterable<VersionOf> = {
  values: {
    'create-time': ({ version }) => timestamp(version.createdAt),
    'image-id': ({ version }) => version.data['ImageId'],
    'instance-type': ({ version }) => version.data['InstanceType'],
    'iam-instance-profile': ({ version }) => version.data['IamInstanceProfile.Arn'] ?? version.data['IamInstanceProfile.Name'],
    'is-default-version': ({ template, version }) => String(template.defaultVersion === version.number),
    'ebs-optimized': ({ version }) => version.data['EbsOptimized'],
    'http-tokens': ({ version }) => version.data['MetadataOptions.HttpTokens'],
  },
};

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
