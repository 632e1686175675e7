import { formatSize, formatUsd, mapBounded, RawcloudError } from '../../contract';
import type { Notice } from '../../contract';
import { diskUsdPerHour } from '../cost/rates';
import type { NormalRequest } from '../request';
import type { Captured } from './capture';

/** What an environment takes on a disk, as far as records of this machine say. */
export interface EnvironmentSize {
  /** By kind of layer, and the canonical name of a package. */
  readonly sizes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly bytes: number;
  readonly notices: readonly Notice[];
}

/** From here on people should know what they wait for. */
const LARGE_BYTES = 10 * 2 ** 30;
/** Of the disk: the system, the agent with its Node, and room for a tree as most are. */
const BESIDE_GIB = 6;
/** The system by itself: an environment does not fit beside less. */
const LEAST_BESIDE_GIB = 3;
/** What it is made from lies beside it while it is built: compressed, and in part twice. */
const WHILE_BUILT = 1.5;
const LARGEST_SHOWN = 3;

export async function measureEnvironment({ measures }: Pick<Captured, 'measures'>): Promise<EnvironmentSize> {
  const measured = await mapBounded(measures, 1, async ({ kind, measure }) => ({ kind, ...(await measure()) }));
  return {
    sizes: Object.fromEntries(measured.map(({ kind, sizes }) => [kind, sizes])),
    bytes: measured.reduce((sum, { sizes }) => sum + bytesOf(sizes), 0),
    notices: measured.flatMap(({ notices }) => notices),
  };
}

export function bytesOf(sizes: Readonly<Record<string, number>>): number {
  return Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
}

export interface FittedDisk {
  readonly diskGiB: number;
  readonly notices: readonly Notice[];
}

/**
 * A disk that holds the environment. Who named none gets one that does; who named one gets that or is told before anything is launched.
 * @param asked what was named. @default - none was
 * @throws E_USAGE when the environment does not fit on the disk that was asked for
 */
export function fitDisk(
  { diskGiB }: Pick<NormalRequest, 'diskGiB'>,
  {
    asked,
    size,
    gp3UsdPerGiBMonth,
  }: { readonly asked: number | undefined; readonly size: EnvironmentSize; readonly gp3UsdPerGiBMonth?: number | undefined },
): FittedDisk {
  const { bytes } = size;
  const environmentGiB = bytes / 2 ** 30;
  const wantedGiB = Math.ceil(environmentGiB * WHILE_BUILT + BESIDE_GIB);
  if (asked !== undefined && asked < environmentGiB + LEAST_BESIDE_GIB) {
    throw new RawcloudError(
      'E_USAGE',
      `a disk of ${asked} GiB does not hold the environment, which takes ${formatSize(bytes)}: ${largestOf(size)}`,
      {
        remedy: `Take --disk ${wantedGiB}GiB, which has room to build it as well, or leave out what the command does not need (--package-ignore NAME).`,
        data: { bytes, diskGiB: asked, wantedGiB },
      },
    );
  }
  const fitted = asked ?? Math.max(diskGiB, wantedGiB);
  if (bytes < LARGE_BYTES) return { diskGiB: fitted, notices: [] };
  const more = diskUsdPerHour(fitted, gp3UsdPerGiBMonth) - diskUsdPerHour(diskGiB, gp3UsdPerGiBMonth);
  const grown =
    fitted > diskGiB
      ? `; the VM has a disk of ${fitted} GiB for it in place of ${diskGiB} (${formatUsd(more)}/h more, --disk sets another)`
      : '';
  const text =
    `the environment takes ${formatSize(bytes)} on the VM: ${largestOf(size)}. Its first VM fetches and keeps all of that, and each later one ` +
    `restores it, which takes minutes; --package-ignore NAME leaves out what the command does not need${grown}`;
  return { diskGiB: fitted, notices: [{ level: 'warning', text }] };
}

function largestOf({ sizes }: EnvironmentSize): string {
  const all = Object.values(sizes).flatMap((packages) => Object.entries(packages));
  const largest = all.sort(([, a], [, b]) => b - a).slice(0, LARGEST_SHOWN);
  const shown = largest.map(([name, bytes]) => `${name} ${formatSize(bytes)}`).join(', ');
  return all.length > LARGEST_SHOWN ? `${shown} …` : shown;
}
