import path from 'node:path';
import { EXIT_CODES, RawcloudError } from '../../lib/contract';
import type { Remaining } from '../../lib/contract';
import type { DestroyEvent, Survey } from '../../lib/runtime/destroy/deps';
import type { Context } from '../context';
import type { DestroyOptions } from '../options';
import { count } from '../render/words';
import { connectOptions } from './connection';

/** `rawcloud destroy`: shows, asks, removes, proves. Fails when something is left. */
export async function destroy(options: DestroyOptions, context: Context): Promise<number> {
  const { io } = context;
  const opened = await io.openDestruction(connectOptions(context, options));
  const stop = new AbortController();
  const unlisten = io.signals.listen(() => stop.abort(new RawcloudError('E_ABORTED', 'it was interrupted', { remedy: GO_ON })));
  let left: readonly Remaining[] = [];
  try {
    const request = {
      exportTo: path.resolve(io.cwd, options.export ?? defaultName(io.clock.now())),
      ...(options.stopJobs ? { stopJobs: true } : {}),
      ...(options.dryRun ? { dryRun: true } : {}),
      confirm: (survey: Survey) => confirm(survey, options, context, stop.signal),
    };
    for await (const event of opened.destroy(request, { signal: stop.signal })) {
      if (event.type === 'proof') left = event.remaining;
      await show(event, options, context);
    }
  } finally {
    unlisten();
    await opened.close();
  }
  return left.length === 0 ? EXIT_CODES.ok : EXIT_CODES.internal;
}

const GO_ON = 'Started again it goes on where it was.';

/** The name typed at a terminal; without one only `--yes` will do. */
async function confirm({ name }: Survey, { yes }: DestroyOptions, { io }: Context, signal: AbortSignal): Promise<boolean> {
  if (yes) return true;
  if (io.stdin.isTTY) return (await io.stdin.ask(`Type the scaffolding's name (${name}) to remove all of it: `, signal)).trim() === name;
  throw new RawcloudError('E_USAGE', 'there is no terminal to ask at whether all of this shall go', { remedy: 'Give --yes.' });
}

async function show(event: DestroyEvent, { json, dryRun }: DestroyOptions, { io, out }: Context): Promise<void> {
  if (json) {
    const at = new Date(io.clock.now()).toISOString();
    const { type, ...data } = event;
    return out.write(`${JSON.stringify({ v: 1, at, type: `destroy.${type}`, data: 'survey' in data ? data.survey : data })}\n`);
  }
  const text = event.type === 'survey' ? surveyText(event.survey, dryRun ?? false) : textOf(event);
  return out.write(`${text}\n`);
}

function surveyText(survey: Survey, dryRun: boolean): string {
  const { name, account, region, bucket, ownBucket, stack, jobs, remaining } = survey;
  const others = remaining.filter(({ kind }) => kind !== 'bucket' && kind !== 'parameter');
  return [
    `Scaffolding '${name}' in ${region} of account ${account}:`,
    ...(stack === undefined ? [] : [`  stack      ${stack}, with all its resources`]),
    `  bucket     ${bucket}: ${ownBucket ? 'all that is in it, and the bucket' : 'what lies below v1/; the bucket is yours and stays'}`,
    ...others.map(({ kind, id }) => `  ${kind.padEnd(11)}${id}`),
    ...jobs.map(
      ({ job, name: called, command, state }) => `  open job   ${job}${called === undefined ? '' : ` (${called})`}, ${state}: ${command}`,
    ),
    ...(dryRun ? ['Nothing was done.'] : []),
  ].join('\n');
}

function textOf(event: Exclude<DestroyEvent, { type: 'survey' }>): string {
  switch (event.type) {
    case 'stopping':
      return `stopping   ${event.job}`;
    case 'stopped':
      return `stopped    ${event.job}: its VM is gone`;
    case 'exported':
      return `exported   the ledger, ${count(event.jobs, 'job')}: ${event.file}`;
    case 'emptying':
      return `emptied    ${event.bucket}: ${count(event.objects, 'object')}`;
    case 'removing':
      return `removing   ${event.what}`;
    case 'removed':
      return `removed    ${event.what}`;
    case 'proof':
      return proofText(event.remaining, event.regions);
  }
}

function proofText(remaining: readonly Remaining[], regions: number): string {
  const where = regions === 1 ? 'the region' : `${regions} regions`;
  if (remaining.length === 0) return `Nothing is left: no VM, volume, interface, template, group, bucket or parameter in ${where}.`;
  const lines = remaining.map(({ kind, id, region }) => `left       ${kind} ${id} in ${region}`);
  return [...lines, 'What carries the tag and is not known to be ours was left alone. Look at it, delete it by hand or start again.'].join(
    '\n',
  );
}

/** `rawcloud-ledger-2026-11-24T02-30-00.jsonl`, UTC. */
function defaultName(now: number): string {
  return `rawcloud-ledger-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '-')}.jsonl`;
}
