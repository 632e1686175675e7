import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isValiError } from 'valibot';
import { canonicalName, RawcloudError } from '../../contract';
import type { CaptureContext, LocalPackage, Notice, PythonLeeway } from '../../contract';
import { isFile, upwards } from '../executables';
import type { Need } from '../needs';
import { parseToml } from '../toml';
import { callsUv, findPython, runnersOf } from './environment';
import { readPyproject } from './lock/asked';
import type { Asked } from './lock/asked';
import { directoriesOf } from './lock/directories';
import type { Target } from './lock/hashes';
import { linesOf } from './lock/lines';
import type { LockedLines } from './lock/lines';
import { isNamed, LOCKFILES, lockfilesIn, readLockfile } from './lock/lockfile';
import type { Lockfile } from './lock/lockfile';
import type { LockedPackage } from './lock/model';
import { evaluateMarker, markerEnvironment } from './lock/marker';
import { readRequirementsLock } from './lock/requirements-lock';
import { satisfies } from './lock/version';
import { leewayFor } from './platform/adapt';
import { adaptLocked } from './platform/adapt-locked';
import type { LockedSet } from './platform/adapt-locked';
import { readText } from './read-text';
import { readRequirements, REQUIREMENTS, requirementsOf, WRITE_IT } from './requirements-file';

/** What a job gets whose packages come from a lockfile, whatever is installed on the machine that deploys it. */
export interface LockedPython {
  /** For people. */
  readonly title: string;
  readonly minor: string;
  readonly requirements: readonly string[];
  /** What is left to the VM. */
  readonly leeway?: PythonLeeway;
  /** By package, where the lockfile names one. */
  readonly indexes: Readonly<Record<string, string>>;
  /** `name==version` of builds that the default index cannot have. */
  readonly unknownBuilds: readonly string[];
  readonly local: readonly LocalPackage[];
  /** The lockfile; absent when the job has none. */
  readonly file?: string;
  readonly uv: boolean;
  readonly runners: readonly string[];
  readonly notices: readonly Notice[];
}

/** What declares packages without fixing them. */
const DECLARATIONS = ['Pipfile', 'requirements.in', 'environment.yml'];

/**
 * The nearest lockfile from the working directory up to the root; of several in a directory requirements.txt.
 * @returns undefined when the command may not need Python, and nothing there says that it does
 * @throws E_PACKAGE when packages are declared and not locked, or locked otherwise than declared
 */
export async function findLocked(need: Need, context: CaptureContext): Promise<LockedPython | undefined> {
  const file = await lockedFile(context);
  if (file === undefined && need.kind === 'possible') return undefined;
  const { minor, notices } = await minorOf(need, context);
  const target = { platform: context.platform, minor };
  const title = `Python ${minor}${file === undefined ? '' : ` (${path.relative(context.root, file)})`}`;
  const content = await contentOf(file, target, context.cwd);
  const adapted = await adaptLocked(content, { ...target, choices: context.packageChoices ?? {}, title });
  const { lines: kept, indexes } = content.linesOf(adapted.packages);
  const requirements = [...kept, ...adapted.others].sort();
  const leeway = leewayFor(requirements, adapted.leeway);
  const standard = file === undefined && leeway === undefined ? [NO_PACKAGES] : [];
  return {
    title,
    minor,
    requirements,
    ...(leeway ? { leeway } : {}),
    indexes: { ...adapted.indexes, ...indexes },
    unknownBuilds: adapted.unknownBuilds,
    local: file === undefined ? [] : await directoriesOf(adapted.packages, { file, root: context.root, carried: new Set() }),
    ...(file === undefined ? {} : { file }),
    uv: callsUv(need),
    runners: runnersOf(need),
    notices: [...notices, ...standard, ...adapted.notices],
  };
}

interface Content extends LockedSet {
  /** How packages are asked for. @throws E_PACKAGE naming what a VM cannot fetch */
  readonly linesOf: (packages: readonly LockedPackage[]) => LockedLines;
}

/** @throws E_PACKAGE when the lockfile cannot be read, leaves something open, or does not fit its project */
async function contentOf(file: string | undefined, target: Target, cwd: string): Promise<Content> {
  if (file === undefined) return { packages: [], asked: [], linesOf: () => ({ lines: [], indexes: {} }) };
  if (path.basename(file) === REQUIREMENTS) return requirementsIn(file);
  const lockfile = await readLockfile(file, target, cwd);
  checkFits(lockfile, target);
  return {
    packages: lockfile.selected,
    asked: lockfile.project.asked,
    file,
    linesOf: (packages) => linesOf(packages, file, target),
  };
}

const NO_PACKAGES: Notice = {
  level: 'info',
  text: `no ${REQUIREMENTS} and no other lockfile: Python starts with its standard library only`,
};

async function lockedFile({ cwd, root }: CaptureContext): Promise<string | undefined> {
  for (const directory of upwards(cwd, root)) {
    const requirements = requirementsOf(directory);
    if (await isFile(requirements)) return requirements;
    const [lockfile] = await lockfilesIn(directory);
    if (lockfile !== undefined) return lockfile;
    const declared = await declaredIn(directory);
    if (declared !== undefined) throw notLocked(directory, declared);
  }
  return undefined;
}

async function declaredIn(directory: string): Promise<string | undefined> {
  for (const name of DECLARATIONS) if (await isFile(path.join(directory, name))) return name;
  const asked = await askedBeside(directory);
  return asked.length > 0 ? 'pyproject.toml' : undefined;
}

async function askedBeside(directory: string): Promise<readonly Asked[]> {
  const text = await readText(path.join(directory, 'pyproject.toml'));
  if (text === undefined) return [];
  try {
    return readPyproject(await parseToml(text)).asked;
  } catch (cause) {
    if (!(cause instanceof SyntaxError || isValiError(cause))) throw cause;
    const [why] = cause.message.split('\n');
    throw new RawcloudError('E_PACKAGE', `${path.join(directory, 'pyproject.toml')} cannot be read: ${why}`, {
      remedy: 'Correct what it says there.',
      cause,
    });
  }
}

function notLocked(directory: string, declared: string): RawcloudError {
  const what = `${path.join(directory, declared)} names packages, but there is no lockfile beside it`;
  return new RawcloudError('E_PACKAGE', `${what}, from which a deployed job's packages are taken`, {
    remedy: `Write one with its tool (${Object.keys(LOCKFILES).join(', ')} are read). ${WRITE_IT}`,
  });
}

/** Its lines are taken as they stand: markers and extras are the installer's to read. */
async function requirementsIn(file: string): Promise<Content> {
  const { lines, names } = await readRequirements(file);
  const asked = await askedBeside(path.dirname(file));
  const missing = asked.filter((one) => isUnconditional(one) && !names.has(canonicalName(one.name)));
  if (missing.length > 0)
    throw doesNotFit(
      file,
      missing.map(({ name }) => `${name} is not in it`),
      WRITE_IT,
    );
  const { packages } = readRequirementsLock({ lines, names });
  const lineOf = new Map(packages.map((found, index) => [found, lines[index]!]));
  return { packages, asked, file, linesOf: (some) => ({ lines: some.map((found) => lineOf.get(found)!), indexes: {} }) };
}

/** @throws E_PACKAGE when the project asks for what its lockfile does not have */
function checkFits({ file, selected, project }: Lockfile, target: Target): void {
  const problems = project.asked.flatMap((asked) => {
    const known = selected.find((found) => isNamed(found, asked.name));
    if (!known) return isWanted(asked, target) ? [`${asked.name} is not in it`] : [];
    const { version, origin } = known;
    const isOther = origin.kind === 'index' && version !== undefined && asked.specifier && satisfies(version, asked.specifier) === false;
    return isOther && isWanted(asked, target) ? [`it has ${asked.name} ${version}, not ${asked.specifier}`] : [];
  });
  const [name, again] = [path.basename(file), LOCKFILES[path.basename(file)]!];
  if (problems.length > 0) throw doesNotFit(file, problems, `Write ${name} anew: ${again}.`);
}

function isWanted({ marker }: Asked, { platform, minor }: Target): boolean {
  return marker === undefined || evaluateMarker(marker, markerEnvironment(platform, minor));
}

/** What depends on the machine may rightly be left out of a requirements.txt that was made for one. */
function isUnconditional({ marker }: Asked): boolean {
  return marker === undefined;
}

function doesNotFit(file: string, problems: readonly string[], remedy: string): RawcloudError {
  const declared = path.basename(file) === 'Pipfile.lock' ? 'Pipfile' : 'pyproject.toml';
  return new RawcloudError('E_PACKAGE', `${file} does not fit the ${declared} of its project: ${problems.join('; ')}`, { remedy });
}

/** `.python-version`, as uv and pyenv write it, else the Python of this machine, and that is said. */
async function minorOf(need: Need, context: CaptureContext): Promise<{ minor: string; notices: Notice[] }> {
  for (const directory of upwards(context.cwd, context.root)) {
    const file = path.join(directory, '.python-version');
    if (!(await isFile(file))) continue;
    const minor = /^\s*(?:cpython-)?(3\.\d+)/.exec(await readFile(file, 'utf8'))?.[1];
    if (minor !== undefined) return { minor, notices: [] };
    throw new RawcloudError('E_PACKAGE', `${file} names no Python 3 that could be carried`, {
      remedy: 'Write a version into it, as 3.12.',
    });
  }
  const here = await findPython({ ...need, kind: 'named', commands: [] }, context);
  if (!here) {
    throw new RawcloudError(
      'E_PACKAGE',
      'which Python the job shall have is not known: it has no .python-version, and there is no Python here',
      {
        remedy: 'Write the version into a file .python-version beside the command, as 3.12.',
      },
    );
  }
  const text = `Python ${here.minor}, as on this machine; a file .python-version with '${here.minor}' pins it`;
  return { minor: here.minor, notices: [{ level: 'info', text }] };
}
