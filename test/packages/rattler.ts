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
