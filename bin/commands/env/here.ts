import type { EnvironmentHere, EnvironmentRequest } from '../../../lib/runtime/environment/here';
import type { Context } from '../../context';
import type { EnvHereOptions } from '../../options';
import { diffLines, shownLines } from '../../render/environment';
import { isoTime } from '../../render/json-value';
import { styleFor, widthOf } from '../../render/style';
import { isOn } from '../connection';
import { parseArch } from '../run/hardware';
import { parseLogins, parsePackages } from '../run/request';
import { interruptible } from './interruptible';

/** Columns where there is no terminal. */
const WIDTH = 100;

/** `rawcloud env show`: what would travel; nothing does. */
export async function envShow(words: readonly string[], options: EnvHereOptions, context: Context): Promise<number> {
  const { io, out } = context;
  const shown = await interruptible(context, async (signal) => (await open(options, context)).show(requestOf(words, options), { signal }));
  if (options.json) await out.write(`${JSON.stringify({ v: 1, ...shown })}\n`);
  else
    await out.write(`${shownLines(shown, { style: styleFor(io.stdout, io.env), width: widthOf(io.stdout, io.env, WIDTH) }).join('\n')}\n`);
  return 0;
}

/** `rawcloud env diff`: what is not as it was at the last run of the project. */
export async function envDiff(words: readonly string[], options: EnvHereOptions, context: Context): Promise<number> {
  const { io, out } = context;
  const diff = await interruptible(context, async (signal) => (await open(options, context)).diff(requestOf(words, options), { signal }));
  const { since, ...rest } = diff;
  if (options.json)
    await out.write(`${JSON.stringify({ v: 1, ...(since ? { since: { ...since, at: isoTime(since.at) } } : {}), ...rest })}\n`);
  else await out.write(`${diffLines(diff, { style: styleFor(io.stdout, io.env), now: io.clock.now() }).join('\n')}\n`);
  return 0;
}

function open({ local, profile }: EnvHereOptions, { io }: Context): Promise<EnvironmentHere> {
  const { env, cwd } = io;
  return io.environmentHere({ env, cwd, local: local ?? isOn(env['RAWCLOUD_LOCAL']), ...(profile === undefined ? {} : { profile }) });
}

function requestOf(
  words: readonly string[],
  { arch, packages, setup, setupScript, forward, credentials }: EnvHereOptions,
): EnvironmentRequest {
  return {
    ...(words.length > 0 ? { command: words } : {}),
    ...(arch === undefined ? {} : { arch: parseArch(arch) }),
    ...(packages === undefined ? {} : { packages: parsePackages(packages) }),
    ...(setup === undefined ? {} : { setup }),
    ...(setupScript === undefined ? {} : { setupScript }),
    ...(forward ? { logins: parseLogins(forward) } : {}),
    ...(credentials === false ? { credentials: 'none' } : {}),
  };
}
