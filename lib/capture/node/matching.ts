import path from 'node:path';
import { RawcloudError } from '../../contract';
import { isFile } from '../executables';
import { RELOCK } from './lock';
import type { Lock } from './lock';
import { dependenciesOf } from './manifest';
import type { Manifest } from './manifest';

/** Package of the project or one of its workspaces, by its directory relative to the lockfile. */
export type Asking = readonly [directory: string, manifest: Manifest];

/**
 * What a frozen install would refuse on the VM is refused here: a lockfile that was not made of these package.json files.
 * @throws E_PACKAGE naming each package that differs
 */
export async function checkMatches(asking: readonly Asking[], lock: Lock): Promise<void> {
  const differing = [
    ...(lock.asked ? compareAsked(asking, lock, lock.asked) : compareKnown(asking, lock)),
    ...(await goneWorkspaces(lock)),
  ];
  if (differing.length === 0) return;
  const directory = path.dirname(lock.file);
  throw new RawcloudError('E_PACKAGE', `${lock.file} does not fit the package.json beside it: ${differing.join('; ')}`, {
    remedy: `Run '${RELOCK[lock.manager]}' in ${directory}, and keep what it writes.`,
  });
}

function compareAsked(asking: readonly Asking[], lock: Lock, asked: NonNullable<Lock['asked']>): string[] {
  const name = path.basename(lock.file);
  const replaced = replacedIn(asking);
  return asking.flatMap(([directory, manifest]) => {
    const locked = asked.get(directory);
    // A lockfile of nothing may say nothing of the project.
    if (!locked)
      return directory === '' && dependenciesOf(manifest, true).size === 0 ? [] : [`${directory || 'the project'} is not in ${name}`];
    const wanted = dependenciesOf(manifest, true);
    const where = directory === '' ? '' : ` (${directory})`;
    const names = [...new Set([...wanted.keys(), ...locked.keys()])].sort().filter((dependency) => !replaced.has(dependency));
    return names.flatMap((dependency) => {
      const [want, had] = [wanted.get(dependency), locked.get(dependency)];
      if (had === undefined) return [`${dependency} ${want} is not in ${name}${where}`];
      // pnpm keeps peers there too, which it installs by itself.
      if (want === undefined) return peersOf(manifest).has(dependency) ? [] : [`${dependency} is only in ${name}${where}`];
      return isSame(want, had, lock) ? [] : [`${dependency} is ${want}, and ${had} in ${name}${where}`];
    });
  });
}

/** yarn from 2 on writes which protocol it takes a range to be of, and may say more about a place. */
function isSame(want: string, had: string, { manager }: Lock): boolean {
  if (manager !== 'yarn') return want === had;
  const [a, b] = [want, had].map((range) => range.replace(/^npm:/, ''));
  return a === b || /^[a-z+]+:/.test(a!) || /^[a-z+]+:/.test(b!) || /[/#]/.test(a!);
}

/** yarn 1 has no line for what is linked to, and writes paths as the project sees them. */
function isLocal(range: string): boolean {
  return /^(?:link:|file:|\.{1,2}\/)/.test(range);
}

/** yarn 1 keeps no ranges of who asked: only that something asked. */
function compareKnown(asking: readonly Asking[], { file, knows = () => true }: Lock): string[] {
  const replaced = replacedIn(asking);
  const workspaces = new Set(asking.map(([, { name }]) => name));
  return asking.flatMap(([, manifest]) =>
    [...dependenciesOf(manifest, true)]
      .filter(([name, range]) => !workspaces.has(name) && !replaced.has(name) && !isLocal(range) && !knows(name, range))
      .map(([name, range]) => `${name} ${range} is not in ${path.basename(file)}`),
  );
}

/** Names whose range is another one than what is asked: of overrides and resolutions, `a/b` and `a>b` and `b@^1` are about b. */
function replacedIn(asking: readonly Asking[]): Set<string> {
  const names = asking.flatMap(([, { overrides, resolutions, pnpm }]) => [overrides, resolutions, pnpm.overrides].flatMap(Object.keys));
  return new Set(names.map((name) => /(?:^|[/>])((?:@[^/@>]+\/)?[^/@>]+)(?:@[^>]*)?$/.exec(name)?.[1] ?? name));
}

function peersOf({ peerDependencies }: Manifest): Set<string> {
  return new Set(typeof peerDependencies === 'object' && peerDependencies !== null ? Object.keys(peerDependencies) : []);
}

async function goneWorkspaces({ file, asked }: Lock): Promise<string[]> {
  const gone: string[] = [];
  for (const directory of asked?.keys() ?? [])
    if (directory !== '' && !(await isFile(path.join(path.dirname(file), directory, 'package.json'))))
      gone.push(`${directory} is only in ${path.basename(file)}`);
  return gone;
}
