import { canonicalName } from '../../../contract';
import type { LockedRequirements } from '../requirements-file';
import type { Lock, LockedPackage } from './model';

/** A requirements.txt in which everything has one version. */
export function readRequirementsLock({ lines }: LockedRequirements): Lock {
  const packages = lines.map(packageOf);
  return { packages, roots: { wanted: new Set(packages) } };
}

function packageOf(line: string): LockedPackage {
  const [requirement = '', ...hashes] = line.split(/\s+--hash[= ]/);
  const [, name = '', version, url, marker] =
    /^([\w.-]+)(?:\[[^\]]*\])?\s*(?:===?\s*([^;\s]+)|@\s*(\S+))\s*(?:;(.*))?$/.exec(requirement) ?? [];
  return {
    name: canonicalName(name),
    ...(version === undefined ? {} : { version }),
    origin: url === undefined ? { kind: 'index' } : originOf(url),
    files: hashes.map((hash) => ({ hash: hash.trim() })),
    ...(marker?.trim() ? { marker: marker.trim() } : {}),
    dependencies: [],
    optional: {},
  };
}

function originOf(url: string): LockedPackage['origin'] {
  const git = /^git\+(.+)@([0-9a-f]{40})(?:#(?:.*&)?subdirectory=([^&]+).*)?/.exec(url);
  if (!git) return { kind: 'url', url };
  return { kind: 'git', url: git[1]!, commit: git[2]!, ...(git[3] ? { subdirectory: git[3] } : {}) };
}
