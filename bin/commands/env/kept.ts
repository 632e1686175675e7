import { formatSize, parseDuration, RawcloudError } from '../../../lib/contract';
import type { Client, DeletedEnvironments, KeptEnvironment } from '../../../lib/runtime/api';
import type { Context } from '../../context';
import type { EnvDeleteOptions, EnvListOptions } from '../../options';
import { keptTable } from '../../render/kept';
import { isoTime } from '../../render/json-value';
import { styleFor } from '../../render/style';
import { count } from '../../render/words';
import { withClient } from '../connection';
import { interruptible } from './interruptible';

/** `rawcloud env list`: the environments that VMs have kept; with `--all` those of others, too. */
export async function envList(options: EnvListOptions, context: Context): Promise<number> {
  const { out, err } = context;
  const found = await interruptible(context, async (signal) => withClient(context, options, (client) => client.environments({ signal })));
  const shown = options.all ? found : found.filter(({ isYours }) => isYours);
  if (options.json) await out.write(`${JSON.stringify({ v: 1, environments: shown.map(jsonKept) })}\n`);
  else if (shown.length === 0) await err.write(noneText(found.length));
  else await out.write(`${tableOf(shown, context, options.all ?? false).join('\n')}\n`);
  return 0;
}

function noneText(others: number): string {
  const more = others === 0 ? '' : `; of others there ${others === 1 ? 'is' : 'are'} ${others} (--all)`;
  return `No environment of yours is kept${more}. Jobs with packages keep theirs, and so does rawcloud env build.\n`;
}

/** `rawcloud env delete`: shows what would go, asks, deletes. */
export async function envDelete(which: readonly string[], options: EnvDeleteOptions, context: Context): Promise<number> {
  const unusedMs = readChoice(which, options);
  return interruptible(context, async (signal) =>
    withClient(context, options, async (client) => {
      const { io, out, err } = context;
      const chosen = await choose(client, which, unusedMs, context, signal);
      if (chosen.length === 0) {
        if (options.json)
          await out.write(`${JSON.stringify(jsonDeleted({ environments: [], objects: 0, bytes: 0, keptForOthers: [] }))}\n`);
        else await err.write('No environment of yours fits: nothing was deleted.\n');
        return 0;
      }
      if (!options.yes) {
        if (!options.json) await err.write(`${tableOf(chosen, context, true).join('\n')}\n`);
        if (!(await isConfirmed(chosen, io, signal))) throw new RawcloudError('E_ABORTED', 'nothing was deleted');
      }
      const deleted = await client.deleteEnvironments(
        chosen.map(({ id }) => id),
        { signal },
      );
      if (options.json) await out.write(`${JSON.stringify(jsonDeleted(deleted))}\n`);
      else await out.write(`${deletedText(deleted)}\n`);
      return 0;
    }),
  );
}

/** @returns with `--unused-for` its milliseconds. @throws E_USAGE unless one way to choose is named */
function readChoice(which: readonly string[], { all, unusedFor }: EnvDeleteOptions): number | undefined {
  const ways = [which.length > 0, all === true, unusedFor !== undefined].filter(Boolean).length;
  if (ways !== 1)
    throw new RawcloudError('E_USAGE', ways === 0 ? 'nothing says which environments' : 'ids, --all and --unused-for exclude one another', {
      remedy: 'Name ids of rawcloud env list, or give --all or --unused-for 30d.',
    });
  return unusedFor === undefined ? undefined : parseDuration(unusedFor, '--unused-for') * 1000;
}

/** Ids may be those of others; what is not named is yours. */
async function choose(
  client: Client,
  which: readonly string[],
  unusedMs: number | undefined,
  { io }: Context,
  signal: AbortSignal,
): Promise<KeptEnvironment[]> {
  const found = await client.environments({ signal });
  if (which.length === 0) {
    const before = unusedMs === undefined ? Infinity : io.clock.now() - unusedMs;
    return found.filter(({ isYours, usedAt }) => isYours && usedAt < before);
  }
  const named = found.filter(({ id }) => which.some((text) => text !== '' && id.startsWith(text)));
  const wrong = which.filter((text) => text === '' || found.filter(({ id }) => id.startsWith(text)).length !== 1);
  if (wrong.length === 0) return named;
  throw new RawcloudError('E_USAGE', `${wrong.map((text) => `'${text}'`).join(', ')}: no environment, or more than one`, {
    remedy: 'rawcloud env list --all shows what there is.',
  });
}

async function isConfirmed(chosen: readonly KeptEnvironment[], { stdin }: Context['io'], signal: AbortSignal): Promise<boolean> {
  if (!stdin.isTTY)
    throw new RawcloudError('E_USAGE', `there is no terminal to ask at whether ${chosen.map(({ id }) => id).join(', ')} shall go`, {
      remedy: 'Give --yes.',
    });
  const answer = await stdin.ask(`Delete ${count(chosen.length, 'environment')}? Jobs that need one build it anew. [y/N] `, signal);
  return /^y(es)?$/i.test(answer.trim());
}

function tableOf(shown: readonly KeptEnvironment[], { io }: Context, withOwner: boolean): string[] {
  return keptTable(shown, { now: io.clock.now(), style: styleFor(io.stdout, io.env), withOwner });
}

function deletedText({ environments, bytes, keptForOthers }: DeletedEnvironments): string {
  const ids = environments.map(({ id }) => id).join(', ');
  const kept = keptForOthers.length === 0 ? '' : `; packs of ${keptForOthers.join(', ')} stay, as other environments use them`;
  return `Deleted ${count(environments.length, 'environment')} (${ids}): ${formatSize(bytes)} freed${kept}`;
}

export function jsonKept({ builtAt, usedAt, ...rest }: KeptEnvironment): object {
  return { ...rest, builtAt: isoTime(builtAt), usedAt: isoTime(usedAt) };
}

function jsonDeleted({ environments, ...rest }: DeletedEnvironments): object {
  return { v: 1, environments: environments.map(jsonKept), ...rest };
}
