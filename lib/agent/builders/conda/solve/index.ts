import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CondaPackageSchema, RawcloudError } from '../../../../contract';
import type { BuildIo, CondaPackage, CondaRecipe, CondaSolve } from '../../../../contract';
import { withCredentials } from '../fetch';
import { cudaOf } from './cuda';
import { SCRIPT } from './script';
import { withSolver } from './tool';

const ProblemSchema = v.object({
  name: v.string(),
  kind: v.picklist(['exact', 'none', 'version']),
  there: v.optional(v.array(v.string()), []),
});
type Problem = v.InferOutput<typeof ProblemSchema>;

/** What the script leaves: one of these. */
const OutcomeSchema = v.union([
  v.object({ packages: v.array(CondaPackageSchema) }),
  v.object({ problems: v.array(ProblemSchema) }),
  v.object({ unsolved: v.string() }),
  v.object({ failed: v.string() }),
]);

/** Longer than the largest environments take. */
const TIMEOUT_MS = 10 * 60_000;

/**
 * Finds the archives that a recipe leaves open, for this machine, by rattler; each after what it needs. Those that travelled come last:
 * what they need is among the others.
 * @throws E_ENVIRONMENT that names what cannot be had, never a token
 */
export async function solvePackages(recipe: CondaRecipe, solve: CondaSolve, io: BuildIo): Promise<CondaPackage[]> {
  const { wanted, channels } = solve;
  io.log(`conda: solving ${wanted.length + solve.add.length} packages for ${recipe.subdir} from ${channels.join(', ') || 'no channel'}`);
  const found = await withSolver(solve.index, io, (python) => run(python, recipe, solve, io));
  const own = new Set([...solve.without, ...recipe.packages.map(({ name }) => name)]);
  return [...found.filter(({ name }) => !own.has(name)), ...recipe.packages];
}

async function run(python: string, { subdir, credentials = {} }: CondaRecipe, solve: CondaSolve, io: BuildIo): Promise<CondaPackage[]> {
  const directory = path.join(io.directory, 'solving');
  await mkdir(directory, { recursive: true });
  const place = (name: string): string => path.join(directory, name);
  const [script, asked, outcome] = [place('solve.py'), place('asked.json'), place('outcome.json')];
  try {
    await writeFile(script, SCRIPT);
    const { wanted, add, needs } = solve;
    const machine = subdir === 'linux-aarch64' ? 'aarch64' : 'x86_64';
    await writeFile(asked, JSON.stringify({ wanted, add, needs, subdir, machine, cuda: await cudaOf(io), cache: place('cache'), outcome }));
    const env = { RAWCLOUD_CHANNELS: JSON.stringify(solve.channels.map((channel) => placeOf(channel, io))) };
    await io.run(python, ['-I', script, asked], { env, timeoutMs: TIMEOUT_MS });
    const result = v.parse(v.pipe(v.string(), v.parseJson(), OutcomeSchema), await readFile(outcome, 'utf8'));
    if ('packages' in result) return result.packages;
    throw 'problems' in result ? notThere(result.problems, solve, subdir) : notSolved(result, { solve, subdir, credentials });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A channel as it is asked for. */
function placeOf(channel: string, io: BuildIo): Readonly<Record<string, unknown>> {
  const { address, headers } = withCredentials(`${channel}/`, io.secrets);
  const { host, pathname } = new URL(address);
  const trimmed = (text: string): string => text.replace(/\/+$/, '');
  return { channel, address: trimmed(address), host, path: trimmed(pathname), headers: Object.keys(headers).length > 0 ? headers : null };
}

function notThere(problems: readonly Problem[], { wanted }: CondaSolve, subdir: string): RawcloudError {
  const texts = problems.map(({ name, kind, there }) => {
    const { version, build, channel } = wanted.find((one) => one.name === name)!;
    if (kind === 'exact') return `${name} ${version} ${build} is no longer in ${channel}`;
    return kind === 'none' ? `${name} is in no channel` : `${name} ${version} is not there, but ${there.join(', ')}`;
  });
  const { name } = problems[0]!;
  return new RawcloudError('E_ENVIRONMENT', `the conda environment cannot be had for ${subdir}: ${texts.join('; ')}`, {
    remedy:
      `--package-ignore ${name} leaves it out, --package-strictness ${name}=loose takes another version of its major release, ` +
      '--package-add CHANNEL::NAME=VERSION says which one.',
    data: { packages: problems.map((problem) => problem.name) },
  });
}

interface Solving {
  readonly solve: CondaSolve;
  readonly subdir: string;
  readonly credentials: Readonly<Record<string, string>>;
}

function notSolved(
  result: { readonly unsolved: string } | { readonly failed: string },
  { solve, subdir, credentials }: Solving,
): RawcloudError {
  if ('unsolved' in result) {
    return new RawcloudError('E_ENVIRONMENT', `no set of packages for ${subdir} fits what is asked for: ${oneLine(result.unsolved)}`, {
      remedy:
        'rawcloud logs --environment has all of it. --package-strictness NAME=loose, or loose for all, lets versions move; --package-ignore NAME leaves one out.',
    });
  }
  const tried = Object.entries(credentials).map(([origin, from]) => `${origin}: ${from}`);
  return new RawcloudError('E_ENVIRONMENT', `the conda channels cannot be read (${solve.channels.join(', ')}): ${oneLine(result.failed)}`, {
    remedy:
      'See that the VM reaches them, and that credentials are right and have not expired ' +
      `(${tried.length > 0 ? `those of ${tried.join(', ')} were tried` : 'beside those in the URLs that packages were installed from none were found'}).`,
  });
}

const LONGEST = 400;

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
