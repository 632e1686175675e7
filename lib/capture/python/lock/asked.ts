import * as v from 'valibot';
import { canonicalName } from '../../../contract';
import type { LockedDependency } from './model';

/** What a project asks for of its own accord. */
export interface Asked extends LockedDependency {
  /** As PEP 440 writes it, '' for any version; undefined where it is written otherwise. */
  readonly specifier: string | undefined;
}

const PoetryConstraint = v.union([
  v.string(),
  v.object({
    version: v.optional(v.string()),
    markers: v.optional(v.string()),
    extras: v.optional(v.array(v.string())),
    optional: v.optional(v.boolean()),
  }),
]);
const PyprojectSchema = v.object({
  project: v.optional(v.object({ name: v.optional(v.string()), dependencies: v.optional(v.array(v.string()), []) })),
  tool: v.optional(
    v.object({
      poetry: v.optional(
        v.object({
          name: v.optional(v.string()),
          dependencies: v.optional(v.record(v.string(), v.union([PoetryConstraint, v.array(PoetryConstraint)])), {}),
        }),
      ),
    }),
  ),
});

const PipfileSchema = v.object({
  packages: v.optional(
    v.record(
      v.string(),
      v.union([
        v.string(),
        v.object({ version: v.optional(v.string()), markers: v.optional(v.string()), extras: v.optional(v.array(v.string())) }),
      ]),
    ),
    {},
  ),
});

export interface Project {
  readonly name?: string;
  /** Without extras and groups. */
  readonly asked: readonly Asked[];
}

/** @throws ValiError */
export function readPyproject(content: unknown): Project {
  const { project, tool } = v.parse(PyprojectSchema, content);
  const name = project?.name ?? tool?.poetry?.name;
  const poetry = Object.entries(tool?.poetry?.dependencies ?? {}).filter(([key]) => key !== 'python');
  const asked = [...(project?.dependencies ?? []).flatMap((line) => parseRequirement(line) ?? [])];
  const known = new Set(asked.map((one) => canonicalName(one.name)));
  // Beside [project], tool.poetry.dependencies only says more about the same packages.
  const others = poetry.filter(([key]) => !known.has(canonicalName(key)));
  return { ...(name ? { name } : {}), asked: [...asked, ...others.flatMap(([key, constraint]) => askedByPoetry(key, constraint))] };
}

/** @throws ValiError */
export function readPipfile(content: unknown): Project {
  const { packages } = v.parse(PipfileSchema, content);
  return {
    asked: Object.entries(packages).map(([name, asked]) => {
      if (typeof asked === 'string') return { name, extras: [], specifier: asked };
      const { markers, extras = [], version } = asked;
      return { name, extras, specifier: version ?? '', ...(markers ? { marker: markers } : {}) };
    }),
  };
}

function askedByPoetry(
  name: string,
  constraint: v.InferOutput<typeof PoetryConstraint> | v.InferOutput<typeof PoetryConstraint>[],
): Asked[] {
  return [constraint].flat().flatMap((one): Asked[] => {
    if (typeof one === 'string') return [{ name, extras: [], specifier: plainSpecifier(one) }];
    if (one.optional) return [];
    const { markers, extras = [], version } = one;
    return [{ name, extras, specifier: version === undefined ? '' : plainSpecifier(version), ...(markers ? { marker: markers } : {}) }];
  });
}

/** Poetry's carets, tildes and alternatives are its own, and are not compared. */
function plainSpecifier(constraint: string): string | undefined {
  if (constraint === '*') return '';
  if (/[\^|]|~(?!=)/.test(constraint)) return undefined;
  return /^\d/.test(constraint) ? `==${constraint}` : constraint;
}

const REQUIREMENT = /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*([^;]*?)\s*(?:;(.*))?$/;

/** A requirement line as packages and projects write it (PEP 508); undefined for what is none. */
export function parseRequirement(line: string): Asked | undefined {
  const [, name, extras = '', rest = '', marker] = REQUIREMENT.exec(line) ?? [];
  if (name === undefined) return undefined;
  return {
    name,
    extras: extras
      .split(',')
      .map((extra) => extra.trim())
      .filter((extra) => extra !== ''),
    specifier: rest.startsWith('@') ? undefined : rest.replace(/^\((.*)\)$/, '$1'),
    ...(marker?.trim() ? { marker: marker.trim() } : {}),
  };
}
