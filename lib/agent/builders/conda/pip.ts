import path from 'node:path';
import { RawcloudError } from '../../../contract';
import type { BuildIo, CondaRecipe, PythonRecipe } from '../../../contract';
import { answerOf } from '../programs';
import { checkGit, fillEnvironment, isInstallingLeft } from '../python';
import { findUv, pipInstaller, uvInstaller } from '../python-installer';
import type { Installer } from '../python-installer';
import type { Activated } from './activate';
import type { CondaPython } from './link';
import { ofPip } from './parts';

/** Puts what pip had installed here into the environment, as it would be done there: activated, by uv where it can be had, else by its own pip. */
export async function installPip(
  { pip }: CondaRecipe,
  { prefix, python, activated }: { prefix: string; python: CondaPython | undefined; activated: Activated },
  io: BuildIo,
): Promise<void> {
  if (!pip) return;
  if (!python) throw new RawcloudError('E_ENVIRONMENT', 'the conda environment has packages of pip, and no Python');
  const inside = within(ofPip(pip, io), activated);
  await checkGit(pip, inside);
  const installer = isInstallingLeft(pip, inside) ? await installerFor(pip, prefix, inside) : pipInstaller(pip.index, inside);
  await fillEnvironment(pip, { directory: prefix, site: path.join(prefix, python.site) }, installer, inside);
}

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
