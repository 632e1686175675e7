import type { Distribution } from '../distributions';
import { markerEnvironment } from '../lock/marker';
import { platformsOf } from '../local/wheel-name';
import { readText, TextReader } from '../read-text';

/** Tags of the wheel that a package was installed from: `cp311-cp311-macosx_11_0_arm64`; none when nobody wrote them down. */
export async function tagsOf({ record }: Pick<Distribution, 'record'>): Promise<string[]> {
  return hasTags(record) ? tagsIn(await readText(wheelOf(record))) : [];
}

function hasTags(record: string): boolean {
  return record.endsWith('.dist-info');
}

function wheelOf(record: string): string {
  return `${record}/WHEEL`;
}

function tagsIn(wheel = ''): string[] {
  return Array.from(wheel.matchAll(/^Tag:[ \t]*(\S+)/gm), ([, tag]) => tag!);
}

/** Whether a package was made for one platform. */
export function isCompiled(tags: readonly string[]): boolean {
  return tags.length > 0 && !tags.every((tag) => tag.endsWith('-any'));
}

/**
 * What an environment was made for, by the first of its packages that was made for one platform: a directory of Windows that is
 * read from WSL, or one of x86_64 on a Mac with arm64, is not what the machine is.
 * @param here - the machine, for an environment that would run anywhere
 */
export async function platformOfEnvironment(distributions: readonly Distribution[], here: string): Promise<string> {
  const reader = new TextReader();
  let either: string | undefined;
  for (const { record } of distributions) {
    if (!hasTags(record)) continue;
    const wheel = reader.isFar ? await readText(wheelOf(record)) : reader.readNow(wheelOf(record));
    const platforms = tagsIn(wheel).flatMap((tag) => platformsOf(`-${tag}.whl`) ?? []);
    if (platforms.includes(here)) return here;
    // A universal2 wheel does not say which of the two it is used on.
    if (new Set(platforms).size === 1) return platforms[0]!;
    either ??= platforms[0];
  }
  return either ?? here;
}

/** What markers see on a platform; `win32-x86_64` too, as an environment may have been made there. */
export function markerValues(platform: string, minor: string): Readonly<Record<string, string>> {
  const { values } = markerEnvironment(platform, minor);
  if (!platform.startsWith('win32')) return values;
  const machine = platform.endsWith('x86_64') ? 'AMD64' : 'ARM64';
  return { ...values, os_name: 'nt', sys_platform: 'win32', platform_system: 'Windows', platform_machine: machine };
}
