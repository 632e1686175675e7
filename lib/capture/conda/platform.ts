/** conda's names of platforms. */
const SUBDIRS: Readonly<Record<string, string>> = {
  'linux-x86_64': 'linux-64',
  'linux-arm64': 'linux-aarch64',
  'darwin-x86_64': 'osx-64',
  'darwin-arm64': 'osx-arm64',
};

/** `linux-64` for `linux-x86_64`. */
export function subdirOf(platform: string): string {
  return SUBDIRS[platform] ?? platform;
}
