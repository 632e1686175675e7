import { EXIT_CODES, RawcloudError } from '../../../lib/contract';
import type { Context } from '../../context';
import type { EnvBuildOptions } from '../../options';
import { keptTable } from '../../render/kept';
import { styleFor } from '../../render/style';
import { withClient } from '../connection';
import { run } from '../run';
import { jsonKept } from './kept';

/**
 * `rawcloud env build`: a job that makes the environment of a command, keeps it, and runs nothing but `true`. Fails unless it is kept.
 * @param words the command that the environment is for; none: whatever is active here
 */
export async function envBuild(words: readonly string[], options: EnvBuildOptions, context: Context): Promise<number> {
  const { io, out, err } = context;
  const code = await run(words, { ...options, credentials: false, environmentOnly: true }, context);
  if (code !== EXIT_CODES.ok || options.dryRun || options.detach) return code;
  const found = await withClient(context, options, (client) => client.environments());
  const here = found.filter(({ isHere }) => isHere);
  if (here.length === 0)
    throw new RawcloudError('E_ENVIRONMENT', 'the environment was built, but it is not kept for later jobs', {
      remedy: 'rawcloud logs --system says why; rawcloud logs --environment how it was built.',
    });
  if (options.json) await out.write(`${JSON.stringify({ v: 1, environments: here.map(jsonKept) })}\n`);
  else if (!options.quiet) {
    const table = keptTable(here, { now: io.clock.now(), style: styleFor(io.stderr, io.env), withOwner: false });
    await err.write(`Kept for jobs of this directory:\n${table.join('\n')}\n`);
  }
  return code;
}
