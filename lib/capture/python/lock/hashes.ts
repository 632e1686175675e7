import type { LockedFile } from './model';

/** The machine that files are chosen for. */
export interface Target {
  /** As `linux-x86_64`. */
  readonly platform: string;
  /** As `3.11`. */
  readonly minor: string;
}

/** `name-version(-build)?-python-abi-platform.whl` */
const WHEEL = /-([^-]+)-([^-]+)-([^-]+)\.whl$/;

/**
 * Hashes of those files that an installer may take on the target, sorted: a large package has a hundred wheels for other
 * machines. Which of them fits best is the installer's to say.
 */
export function hashesFor(files: readonly LockedFile[], target: Target): string[] {
  const fitting = files.filter(({ name }) => name === undefined || mayFit(name, target));
  return [...new Set(fitting.map(({ hash }) => hash))].sort();
}

function mayFit(name: string, { platform, minor }: Target): boolean {
  const [, pythons, abi, platforms] = WHEEL.exec(name) ?? [];
  if (pythons === undefined) return !name.endsWith('.egg') && !name.endsWith('.exe');
  return fitsPlatform(platforms!, platform) && pythons.split('.').some((python) => fitsPython(python, abi!, minor));
}

function fitsPlatform(platforms: string, platform: string): boolean {
  const [system, arch] = platform.split('-') as [string, string];
  const machines = arch === 'x86_64' ? ['x86_64', 'universal2', 'intel'] : ['aarch64', 'arm64', 'universal2'];
  return platforms.split('.').some((tag) => {
    if (tag === 'any') return true;
    const ofSystem = system === 'linux' ? /^(many|musl)?linux/.test(tag) : tag.startsWith('macosx');
    return ofSystem && machines.some((machine) => tag.endsWith(machine));
  });
}

function fitsPython(python: string, abi: string, minor: string): boolean {
  const mine = Number(minor.split('.')[1]);
  const [, implementation, version] = /^(py|cp)3(\d*)$/.exec(python) ?? [];
  if (implementation === undefined) return false;
  if (version === '') return true;
  const other = Number(version);
  return implementation === 'py' || abi === 'abi3' || abi === 'none' ? other <= mine : other === mine;
}
