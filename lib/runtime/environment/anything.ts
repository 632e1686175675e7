import { access } from 'node:fs/promises';
import path from 'node:path';
import { findRoot } from '../../capture/root';

/** A command that needs whatever is active here. A shell uses that; a virtual environment that lies here is meant as well. */
export async function anyCommand(
  env: Readonly<Record<string, string | undefined>>,
  { cwd, home }: { readonly cwd: string; readonly home: string },
): Promise<readonly string[]> {
  if (env['VIRTUAL_ENV'] || env['CONDA_PREFIX']) return ['sh'];
  const root = await findRoot(cwd, { home });
  for (let at = path.resolve(cwd); ; at = path.dirname(at)) {
    if (await isThere(path.join(at, '.venv', 'pyvenv.cfg')))
      return ['sh', '-c', `"${path.join(path.relative(cwd, at), '.venv/bin/python')}"`];
    if (at === root || at === path.dirname(at)) return ['sh'];
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
