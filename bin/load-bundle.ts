import os from 'node:os';
import path from 'node:path';
import type { CompiledBundles } from './compiled';
import { cacheDirectory } from '../lib/runtime/cache-directory';

/** The bundles that are loaded when a verb needs them, by their files in dist/bin. */
interface Bundles {
  readonly commands: typeof import('./commands');
  readonly backend: typeof import('./backend');
  readonly admin: typeof import('./admin');
  readonly exec: typeof import('./exec');
}

export type LoadBundle = <Name extends keyof Bundles>(name: Name) => Promise<Bundles[Name]>;

/** Loads bundles beside this one, as V8 has compiled them before. */
export function bundleLoader(process: NodeJS.Process): LoadBundle {
  let bundles: Promise<CompiledBundles> | undefined;
  const open = async (): Promise<CompiledBundles> => {
    const { CompiledBundles: Loader } = await import('./compiled.js');
    return new Loader({
      directory: path.join(cacheDirectory(process.env, process.env['HOME'] ?? os.homedir()), 'code'),
      atExit: (write) => void process.once('exit', write),
    });
  };
  return async <Name extends keyof Bundles>(name: Name) =>
    (await (bundles ??= open())).load(path.join(__dirname, `${name}.js`)) as Bundles[Name];
}
