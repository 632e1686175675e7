import path from 'node:path';
import * as v from 'valibot';
import { canonicalName } from '../../contract';
import type { CaptureContext } from '../../contract';
import { upwards } from '../executables';
import { parseToml } from '../toml';
import { readText } from './read-text';

/** An index as a project or a configuration file of uv names it. */
export interface ProjectIndex {
  readonly name?: string;
  readonly url: string;
  /** File that names it. */
  readonly from: string;
  /** 'default': instead of PyPI; 'extra': besides; 'explicit': only for packages that name it. */
  readonly role: 'default' | 'extra' | 'explicit';
  /** Whether its tool takes a version from whichever index has it. */
  readonly isUvs: boolean;
}

export interface ProjectIndexes {
  readonly indexes: readonly ProjectIndex[];
  /** Name of the index by canonical name of a package that asks for one. */
  readonly packages: Readonly<Record<string, string>>;
}

const UvSchema = v.object({
  index: v.optional(
    v.array(
      v.object({ name: v.optional(v.string()), url: v.string(), default: v.optional(v.boolean()), explicit: v.optional(v.boolean()) }),
    ),
    [],
  ),
  'index-url': v.optional(v.string()),
  'extra-index-url': v.optional(v.array(v.string()), []),
  sources: v.optional(v.record(v.string(), v.unknown()), {}),
});
const NamedSchema = v.object({ name: v.string(), url: v.optional(v.string()) });
const PyprojectSchema = v.object({
  tool: v.optional(
    v.object({
      uv: v.optional(UvSchema),
      poetry: v.optional(
        v.object({
          source: v.optional(v.array(v.object({ ...NamedSchema.entries, priority: v.optional(v.string(), 'primary') })), []),
          dependencies: v.optional(v.record(v.string(), v.unknown()), {}),
        }),
      ),
      pdm: v.optional(v.object({ source: v.optional(v.array(NamedSchema), []) })),
    }),
  ),
});
const PipfileSchema = v.object({
  source: v.optional(v.array(NamedSchema), []),
  packages: v.optional(v.record(v.string(), v.unknown()), {}),
});

const NONE: ProjectIndexes = { indexes: [], packages: {} };
const PYPI = /^https:\/\/pypi\.(?:python\.)?org\/simple\/?$/;

/**
 * Indexes that uv, poetry, pdm and pipenv would ask in a project: of the nearest pyproject.toml, uv.toml and Pipfile, and uv's own of the user.
 * What cannot be read counts as nothing: its tool would have said so when it installed.
 */
export async function readProjectIndexes({ cwd, root, env }: Pick<CaptureContext, 'cwd' | 'root' | 'env'>): Promise<ProjectIndexes> {
  const directories = upwards(cwd, root);
  const home = env['HOME'];
  const users = home ? [path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'uv', 'uv.toml')] : [];
  const found = [
    await nearest(
      directories.map((directory) => path.join(directory, 'uv.toml')),
      UvSchema,
      ofUv,
    ),
    await nearest(
      directories.map((directory) => path.join(directory, 'pyproject.toml')),
      PyprojectSchema,
      ofPyproject,
    ),
    await nearest(
      directories.map((directory) => path.join(directory, 'Pipfile')),
      PipfileSchema,
      ofPipfile,
    ),
    await nearest(users, UvSchema, ofUv),
  ];
  return {
    indexes: found.flatMap(({ indexes }) => indexes),
    packages: Object.assign({}, ...found.map(({ packages }) => packages)) as Record<string, string>,
  };
}

async function nearest<const S extends v.GenericSchema>(
  files: readonly string[],
  schema: S,
  read: (content: v.InferOutput<S>, file: string) => ProjectIndexes,
): Promise<ProjectIndexes> {
  for (const file of files) {
    const text = await readText(file);
    if (text === undefined) continue;
    const content = await parseToml(text).catch((error: unknown) => {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    });
    const parsed = v.safeParse(schema, content);
    return parsed.success ? read(parsed.output, file) : NONE;
  }
  return NONE;
}

function ofUv({ index, sources, ...rest }: v.InferOutput<typeof UvSchema>, from: string): ProjectIndexes {
  const named = index.map(({ name, url, default: isDefault, explicit }): ProjectIndex => {
    const role = isDefault ? 'default' : explicit ? 'explicit' : 'extra';
    return { url, from, role, isUvs: true, ...(name ? { name } : {}) };
  });
  const plain = rest['index-url'] === undefined ? [] : [{ url: rest['index-url'], from, role: 'default' as const, isUvs: true }];
  const extra = rest['extra-index-url'].map((url) => ({ url, from, role: 'extra' as const, isUvs: true }));
  return { indexes: [...named, ...plain, ...extra], packages: namesIn(sources, 'index') };
}

function ofPyproject({ tool = {} }: v.InferOutput<typeof PyprojectSchema>, from: string): ProjectIndexes {
  const uv = tool.uv ? ofUv(tool.uv, from) : NONE;
  const sources = (tool.poetry?.source ?? []).flatMap(({ url, ...source }) => (url === undefined ? [] : [{ ...source, url }]));
  const primary = (tool.poetry?.source ?? []).filter(({ priority }) => ['primary', 'default'].includes(priority));
  const hasPypi = primary.some(({ name, url }) => /^pypi$/i.test(name) || (url !== undefined && PYPI.test(url)));
  const poetry = sources.map(({ name, url, priority }): ProjectIndex => {
    const isDefault = !hasPypi && primary[0]?.name === name;
    return { name, url, from, role: priority === 'explicit' ? 'explicit' : isDefault ? 'default' : 'extra', isUvs: false };
  });
  const pdm = (tool.pdm?.source ?? []).flatMap(({ name, url }): ProjectIndex[] =>
    url === undefined ? [] : [{ name, url, from, role: name === 'pypi' ? 'default' : 'extra', isUvs: false }],
  );
  return {
    indexes: [...uv.indexes, ...poetry, ...pdm],
    packages: { ...uv.packages, ...namesIn(tool.poetry?.dependencies ?? {}, 'source') },
  };
}

function ofPipfile({ source, packages }: v.InferOutput<typeof PipfileSchema>, from: string): ProjectIndexes {
  const indexes = source.flatMap(({ name, url }, at): ProjectIndex[] =>
    url === undefined ? [] : [{ name, url, from, role: at === 0 ? 'default' : 'extra', isUvs: false }],
  );
  return { indexes, packages: namesIn(packages, 'index') };
}

/** `name = { index = "own" }` */
function namesIn(table: Readonly<Record<string, unknown>>, key: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, value]) => {
      const index = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
      return typeof index === 'string' ? [[canonicalName(name), index]] : [];
    }),
  );
}
