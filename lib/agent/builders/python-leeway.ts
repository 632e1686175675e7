import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, isRawcloudError } from '../../contract';
import type { BuildIo, Notice, PythonRecipe } from '../../contract';
import type { FailureKind, FailureWatch } from './python-failure';
import type { Installer } from './python-installer';
import type { Venv } from './python-local';

/*
 * What a recipe leaves to the VM (`leeway`): another version of the same minor release where the recorded one cannot be had, what is
 * to be solved, and what the packages need besides on this platform. What was taken is read off the environment itself, so that a VM
 * that restores one tells the same as the one that built it.
 */

/** Failures that another version may not have. */
const MAY_YIELD: readonly FailureKind[] = ['no-version', 'no-build', 'not-built', 'python'];

interface Yielding {
  readonly recipe: PythonRecipe;
  readonly io: BuildIo;
  readonly failure: FailureWatch;
  readonly install: (lines: readonly string[]) => Promise<void>;
}

/** Installs lines as they are; those that may yield are tried again as `name==1.26.*` when the installer gives up on them. */
export async function installYielding(lines: readonly string[], { recipe, io, failure, install }: Yielding): Promise<void> {
  const open = new Set(recipe.leeway?.yielding);
  let wanted = [...lines];
  for (;;) {
    try {
      return await install(wanted);
    } catch (error) {
      io.signal.throwIfAborted();
      const { name = '', kind } = failure.found ?? {};
      const at = wanted.findIndex((line) => pinOf(line)?.name === canonicalName(name));
      if (kind === undefined || !MAY_YIELD.includes(kind) || at === -1 || !open.delete(canonicalName(name))) throw error;
      const pin = pinOf(wanted[at]!)!;
      const yielded = `${pin.name}==${seriesOf(pin.version)}`;
      io.log(`${pin.name} ${pin.version} ${failure.found!.how}: trying ${yielded}`);
      // What could not be built here is taken as a wheel or not at all.
      wanted = [...(kind === 'not-built' ? [`--only-binary ${pin.name}`] : []), ...wanted.with(at, yielded)];
      failure.reset();
    }
  }
}

interface Solving {
  readonly recipe: PythonRecipe;
  readonly io: BuildIo;
  readonly venv: Venv;
  readonly installer: Installer;
  readonly failure: FailureWatch;
}

/**
 * Has the installer choose what the recipe leaves open, within what is pinned.
 * @throws when what was asked for cannot be had; what packages need besides is a warning only, as much may run without it
 */
export async function solveLeeway(solving: Solving): Promise<void> {
  const { recipe, io, installer, failure } = solving;
  const { directory: venv, site, provided = new Map<string, string>() } = solving.venv;
  const { leeway } = recipe;
  if (!leeway) return;
  const pins = await pinsThere(recipe, site);
  const pinned = new Set([...pins, ...leeway.solve].map(nameOf));
  const others = [...provided].flatMap(([name, version]) => (pinned.has(name) ? [] : [`${name}==${version}`]));
  const constraints = await write(io, 'constraints.txt', [...pins, ...others]);
  const options = { constraints, onLine: failure.onLine };
  if (leeway.solve.length > 0) await installer.solve(venv, await write(io, 'solve.txt', leeway.solve), options);
  if (!leeway.completes || pins.length === 0) return;
  const none = leeway.without.map((name) => `${name}; sys_platform == 'none'`);
  const overrides = none.length > 0 ? { overrides: await write(io, 'overrides.txt', none) } : {};
  try {
    await installer.solve(venv, await write(io, 'solve.txt', [...pins, ...leeway.solve]), { ...options, ...overrides });
  } catch (error) {
    io.signal.throwIfAborted();
    if (!isRawcloudError(error)) throw error;
    failure.reset();
    io.log('what the packages need besides on this platform could not be solved: going on without it');
  }
}

async function write(io: BuildIo, name: string, lines: readonly string[]): Promise<string> {
  const file = path.join(io.directory, name);
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

/** Of the packages that are pinned by version: the versions that are there. */
async function pinsThere({ requirements }: PythonRecipe, site: string): Promise<string[]> {
  const there = await versionsIn(site);
  return requirements.flatMap((line) => {
    const pin = pinOf(line);
    return pin ? [`${pin.name}==${isOther(pin.version, there.get(pin.name)) ? there.get(pin.name)! : pin.version}`] : [];
  });
}

/** What of the environment the recipe does not say. */
export async function leewayNotices(
  recipe: PythonRecipe,
  site: string,
  platform: string,
  provided: ReadonlyMap<string, string> = new Map(),
): Promise<Notice[]> {
  if (!recipe.leeway) return [];
  const there = await versionsIn(site);
  const yielded = recipe.leeway.yielding.flatMap((name) => {
    const pin = recipe.requirements.map(pinOf).find((one) => one?.name === name);
    const version = there.get(name);
    return pin && isOther(pin.version, version) ? [`${name} ${version} in place of ${pin.version}`] : [];
  });
  const known = new Set([...recipe.requirements.map(nameOf), ...(recipe.local ?? []).map(({ name }) => canonicalName(name)), ...SEEDS]);
  const solved = [...there]
    .filter(([name, version]) => !known.has(name) && provided.get(name) !== version)
    .map(([name, version]) => `${name} ${version}`);
  return [
    ...(yielded.length > 0
      ? [
          {
            level: 'warning' as const,
            text: `not to be had as it is here, taken from the same minor release for ${platform}: ${yielded.join(', ')}`,
          },
        ]
      : []),
    ...(solved.length > 0 ? [{ level: 'info' as const, text: `solved on the VM: ${solved.sort().join(', ')}` }] : []),
  ];
}

/** What a virtual environment has by itself. */
const SEEDS = ['pip', 'setuptools', 'wheel'];

async function versionsIn(site: string): Promise<ReadonlyMap<string, string>> {
  const records = (await readdir(site)).map((name) => /^(.+)-([^-]+)\.dist-info$/.exec(name));
  return new Map(records.flatMap((record) => (record ? [[canonicalName(record[1]!), record[2]!] as const] : [])));
}

interface Pin {
  readonly name: string;
  readonly version: string;
}

/** undefined for lines that pin no version. */
function pinOf(line: string): Pin | undefined {
  const [, name, version] = /^([\w.-]+)==([^\s;*]+)(?=$|[\s;])/.exec(line) ?? [];
  return name !== undefined && version !== undefined ? { name: canonicalName(name), version } : undefined;
}

function nameOf(line: string): string {
  return canonicalName(/^[\w.-]+/.exec(line)?.[0] ?? '');
}

/** `1.26.*` of `1.26.4`. */
function seriesOf(version: string): string {
  const [, epoch = '', major, minor] = /^(\d+!)?(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return major === undefined ? version : `${epoch}${major}${minor === undefined ? '' : `.${minor}`}.*`;
}

/** Another version, and not another spelling or build of the same. */
function isOther(version: string, there: string | undefined): boolean {
  return there !== undefined && plain(version) !== plain(there);
}

function plain(version: string): string {
  const [release = ''] = version.toLowerCase().split('+', 1);
  return release
    .replace(/[-_]/g, '.')
    .replace(/\b0+(?=\d)/g, '')
    .replace(/(\.0)+$/, '');
}

/** By which the cache tells what a VM solved: it means the same for the same recipe alone. */
export function solvedId({ requirements, leeway, index, indexes }: PythonRecipe): string | undefined {
  if (!leeway || (leeway.solve.length === 0 && !leeway.completes)) return undefined;
  const recipe = JSON.stringify([requirements, leeway, index, indexes]);
  return `solved ${createHash('sha256').update(recipe).digest('hex').slice(0, 16)}`;
}
