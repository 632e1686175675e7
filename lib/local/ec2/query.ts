import { invalidParameter, missingParameter } from './errors';

/** Parameters of the query protocol as a tree: `Filter.1.Name=a` is `{ Filter: { 1: { Name: 'a' } } }`. */
export interface Params {
  readonly [name: string]: string | Params;
}

/** Flat names and values as sent. */
export type FlatParams = Readonly<Record<string, string>>;

export function parseParams(flat: FlatParams): Params {
  const root: Tree = Object.create(null) as Tree;
  for (const [name, value] of Object.entries(flat)) {
    const path = name.split('.');
    const last = path.pop()!;
    let at = root;
    for (const part of path) {
      const next = at[part];
      at = typeof next === 'object' ? next : (at[part] = Object.create(null) as Tree);
    }
    at[last] = value;
  }
  return root;
}

interface Tree {
  [name: string]: string | Tree;
}

/** The parameters under `prefix`, without it. */
export function under(flat: FlatParams, prefix: string): FlatParams {
  return Object.fromEntries(
    Object.entries(flat).flatMap(([name, value]) => (name.startsWith(`${prefix}.`) ? [[name.slice(prefix.length + 1), value]] : [])),
  );
}

export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws MissingParameter */
export function required(params: Params, name: string): string {
  const value = text(params, name);
  if (value === undefined || value === '') throw missingParameter(name);
  return value;
}

/** @throws InvalidParameterValue unless 'true' or 'false' */
export function flag(params: Params, name: string): boolean | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  if (!/^(true|false)$/i.test(value)) throw invalidParameter(`Invalid value '${value}' for ${name}. Must be true or false.`);
  return value.toLowerCase() === 'true';
}

/** @throws InvalidParameterValue unless a whole number within bounds */
export function whole(params: Params, name: string, min: number, max: number): number | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw invalidParameter(`Value (${value}) for parameter ${name} is invalid. Expecting a value between ${min} and ${max}.`);
  }
  return number;
}

/** A structure; empty when it was not sent. */
export function structure(params: Params, name: string): Params {
  const value = params[name];
  return typeof value === 'object' ? value : {};
}

/** The structures of a list, in order of their numbers. */
export function structures(params: Params, name: string): Params[] {
  return listed(params, name).filter((value) => typeof value === 'object');
}

/** The texts of a list, in order of their numbers. */
export function texts(params: Params, name: string): string[] {
  return listed(params, name).filter((value) => typeof value === 'string');
}

function listed(params: Params, name: string): (string | Params)[] {
  return Object.entries(structure(params, name))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, value]) => value);
}
