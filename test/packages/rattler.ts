import type { CondaChannel } from '../agent/conda-channel';

/**
 * rattler, which pixi is made of, solves and installs. Arguments: platform, channel, directory of the environment, what is asked for.
 * As conda does, it writes down what was.
 */
export const INSTALL_BY_RATTLER = `
import asyncio, os, sys
import rattler
platform, channel, prefix, *specs = sys.argv[1:]
async def main():
    records = await rattler.solve([channel], specs, platforms=[platform, "noarch"])
    await rattler.install(records, prefix, platform=rattler.Platform(platform), cache_dir=prefix + "-cache", execute_link_scripts=True, show_progress=False, requested_specs=[rattler.MatchSpec(spec)._match_spec for spec in specs])
asyncio.run(main())
# Its threads are not done when Python takes itself apart.
os._exit(0)
`;

/** A program that says where it was made, for macOS and Linux, with what each of them needs besides. */
export function addTell(channel: CondaChannel): void {
  const tells = (text: string): Record<string, { content: string; mode: number }> => ({
    'bin/tell': { content: `#!/bin/sh\necho ${text} "$@"\n`, mode: 0o755 },
  });
  channel.add({ name: 'tell', version: '1.0', build: 'mac_0', subdir: 'osx-arm64', depends: ['libcxx'], files: tells('on macOS') });
  channel.add({ name: 'libcxx', version: '17.0', subdir: 'osx-arm64', files: { 'lib/libc++.dylib': '' } });
  channel.add({ name: 'tell', version: '1.1', build: 'linux_0', depends: ['_libgcc_mutex >=0.1'], files: tells('on Linux') });
  channel.add({ name: '_libgcc_mutex', version: '0.1', files: { 'lib/mutex': '' } });
  channel.writeRepodata(['linux-64', 'osx-arm64', 'noarch']);
}
