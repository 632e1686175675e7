import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalName, mapBounded, RawcloudError } from '../../../contract';
import type { BuildIo, CondaRecipe, Notice, PythonRecipe } from '../../../contract';
import { answerOf } from '../programs';
import { checkGit, fillEnvironment, isInstallingLeft } from '../python';
import { findUv, pipInstaller, uvInstaller } from '../python-installer';
import type { Installer } from '../python-installer';
import { leewayNotices } from '../python-leeway';
import type { Activated } from './activate';
import type { CondaPython } from './link';
import { ofPip } from './parts';

/** Puts what pip had installed here into the environment, as it would be done there: activated, by uv where it can be had, else by its own pip. */
export async function installPip({ pip }: CondaRecipe, { prefix, python, activated, platform }: Place, io: BuildIo): Promise<Notice[]> {
  if (!pip) return [];
  if (!python) throw new RawcloudError('E_ENVIRONMENT', 'the conda environment has packages of pip, and no Python');
  const inside = within(ofPip(pip, io), activated);
  await checkGit(pip, inside);
  const installer = isInstallingLeft(pip, inside) ? await installerFor(pip, prefix, inside) : pipInstaller(pip.index, inside);
  const site = path.join(prefix, python.site);
  const provided = pip.leeway ? await providedIn(prefix, python.site) : new Map<string, string>();
  await fillEnvironment(pip, { directory: prefix, site, provided }, installer, inside);
  return leewayNotices(pip, site, platform, provided);
}

interface Place {
  readonly prefix: string;
  readonly python: CondaPython | undefined;
  readonly activated: Activated;
  readonly platform: string;
}

/** Versions of what conda's own packages have of Python, by canonical name. */
async function providedIn(prefix: string, site: string): Promise<ReadonlyMap<string, string>> {
  const directory = path.join(prefix, 'conda-meta');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  const files = await mapBounded(names, CONCURRENCY, async (name) => {
    const record = JSON.parse(await readFile(path.join(directory, name), 'utf8')) as { files?: string[] };
    return record.files ?? [];
  });
  return new Map(
    files.flat().flatMap((at) => {
      const [, name, version] = at.startsWith(`${site}/`) ? (RECORD.exec(at.slice(site.length + 1)) ?? []) : [];
      return name === undefined ? [] : [[canonicalName(name), version!] as const];
    }),
  );
}

const RECORD = /^([^/]+)-([^-/]+)\.dist-info\/METADATA$/;

/** Records read at once. */
const CONCURRENCY = 8;

async function installerFor({ index }: PythonRecipe, prefix: string, io: BuildIo): Promise<Installer> {
  const uv = await findUv(index, io);
  if (uv !== undefined) return uvInstaller(uv, index, io);
  const own = await answerOf(path.join(prefix, 'bin', 'python'), ['-m', 'pip', '--version'], io);
  if (own !== undefined) return pipInstaller(index, io);
  throw new RawcloudError(
    'E_ENVIRONMENT',
    'packages that pip has installed need uv or pip, which is neither on the VM nor in the conda environment',
    {
      remedy: "Install pip there: 'conda install pip' ('pixi add pip'); or give the VM access to the package index, from where uv comes.",
    },
  );
}

/** What is compiled there finds the compilers, headers and programs of the environment. */
function within(io: BuildIo, { path: directories, env }: Activated): BuildIo {
  const own = { ...env, PATH: [...directories, io.env['PATH'] ?? ''].join(path.delimiter) };
  return {
    ...io,
    env: { ...io.env, ...own },
    run: (command, args, options = {}) => io.run(command, args, { ...options, env: { ...own, ...options.env } }),
  };
}
