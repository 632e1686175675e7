import { parseGiB, RawcloudError, SpotPolicySchema } from '../../../lib/contract';
import type { Arch, Bounds, SpotPolicy } from '../../../lib/contract';

/** Names by which the two architectures go, in `uname -m`, Docker and Debian. */
const ARCHES: Readonly<Record<string, Arch>> = { x86_64: 'x86_64', amd64: 'x86_64', x64: 'x86_64', arm64: 'arm64', aarch64: 'arm64' };

/** `4` is at least four; `4-8` is a range. @throws E_USAGE */
export function parseCpu(text: string): Bounds {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text.trim());
  if (!match) throw usage(`--cpu '${text}' is not a number of vCPUs; allowed are forms like 4 or 4-8`);
  return bounds('--cpu', text, Number(match[1]), match[2] === undefined ? undefined : Number(match[2]));
}

/** `8GiB` is at least that; in `8-16GiB` the unit counts for both. @throws E_USAGE */
export function parseMemory(text: string): Bounds {
  const [low = '', high, ...rest] = text.split('-').map((part) => part.trim());
  if (rest.length > 0) throw usage(`--memory '${text}' is not a size or range of sizes; allowed are forms like 8GiB or 8-16GiB`);
  if (high === undefined) return bounds('--memory', text, parseGiB(low, '--memory'), undefined);
  const unit = /[a-z]+$/i.exec(high)?.[0] ?? '';
  const bare = /^\d+(\.\d+)?$/.test(low);
  return bounds('--memory', text, parseGiB(bare ? `${low}${unit}` : low, '--memory'), parseGiB(high, '--memory'));
}

/** @throws E_USAGE */
export function parseArch(text: string): Arch {
  const arch = ARCHES[text.toLowerCase()];
  if (arch) return arch;
  throw usage(`--arch '${text}' is not known; allowed are x86_64 and arm64`);
}

/** `spot-with-fallback` is meant as well. @throws E_USAGE */
export function parseSpotPolicy(text: string): SpotPolicy {
  const same = SpotPolicySchema.options.find((policy) => policy.replaceAll('_', '-') === text.toLowerCase().replaceAll('_', '-'));
  if (same) return same;
  throw usage(`--spot-policy '${text}' is not known; allowed are ${SpotPolicySchema.options.join(', ')}`);
}

/** @throws E_USAGE unless all have the form of an EC2 instance type */
export function parseVmTypes(types: readonly string[]): readonly string[] {
  const wrong = types.filter((type) => !/^[a-z0-9-]+\.[a-z0-9-]+$/.test(type));
  if (wrong.length === 0) return types;
  throw usage(`--vm-type '${wrong.join(',')}' is not an EC2 instance type; allowed are forms like m7i.large or m7i.large,m6i.large`);
}

function bounds(option: string, text: string, min: number, max: number | undefined): Bounds {
  if (min <= 0 || max === 0) throw usage(`${option} '${text}' must be greater than zero`);
  if (max !== undefined && max < min) throw usage(`${option} '${text}' is an empty range: its lower end is above its upper end`);
  return max === undefined ? { min } : { min, max };
}

function usage(message: string): RawcloudError {
  return new RawcloudError('E_USAGE', message);
}
