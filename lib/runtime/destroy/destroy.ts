import { RawcloudError, ROOT, scaffoldParameterName } from '../../contract';
import type { Begun, DestroyDeps, DestroyEvent, DestroyRequest } from './deps';
import { exportLedger } from './ledger';
import { look, remaining } from './survey';

/** Between two looks at a stack that is being deleted. It takes about a minute. */
const LOOK_MS = 5_000;
/** A stack that holds its bucket is deleted only when that is empty, and the reaper may have written in between. */
const STACK_TRIES = 3;
/** VMs and their interfaces leave EC2's lists some time after their end; nothing else goes by itself. */
const PROOF_LOOKS = 12;

/**
 * Takes a scaffolding away. Order: everything is looked at, and asked about; jobs are stopped; the ledger is saved; the
 * bucket is emptied; the stack goes, and with it whoever might write; the rest goes; the proof. Broken off anywhere, it
 * goes on when it is started again: what is gone is no error, and a note on this machine says what had been begun.
 *
 * Only what is ours is touched: the stack when nobody else has anything in it, the bucket when that stack made it (of another
 * one only keys below `v1/`).
 * @throws E_JOB_STATE while jobs are open and shall not be stopped, E_USAGE, E_ABORTED when it was not confirmed
 */
export async function* destroy(deps: DestroyDeps, request: DestroyRequest, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  const { survey, begun } = await look(deps, signal);
  yield { type: 'survey', survey };
  if (request.dryRun) return;
  if (survey.jobs.length > 0 && !request.stopJobs) throw openJobs(survey.jobs);
  if (!(await request.confirm(survey))) throw new RawcloudError('E_ABORTED', 'it was not confirmed; nothing was removed');
  await deps.memory.write(begun);
  for (const { job } of survey.jobs) yield* stop(deps, job, signal);
  if (await deps.demolition.bucketIsThere(survey.bucket)) {
    const jobs = await exportLedger(deps.store, request.exportTo, signal);
    yield { type: 'exported', file: request.exportTo, jobs };
    yield* empty(deps, begun, signal);
  }
  if (begun.stack) yield* removeStack(deps, begun, signal);
  yield* removeRest(deps, begun, signal);
  yield* prove(deps, begun, signal);
}

async function* stop(deps: DestroyDeps, id: string, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  yield { type: 'stopping', job: id };
  const job = await deps.job(id, signal);
  const options = signal ? { signal } : {};
  await job.stop(options);
  await job.wait(options);
  yield { type: 'stopped', job: id };
}

async function* empty(deps: DestroyDeps, { scaffold: { bucket }, ownBucket }: Begun, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  const { demolition } = deps;
  if (ownBucket) await demolition.abortUploads(bucket, signal);
  for (let objects = 0; ;) {
    const page = await demolition.firstVersions(bucket, ownBucket ? '' : ROOT, signal);
    if (page.length === 0) return;
    await demolition.deleteVersions(bucket, page, signal);
    objects += page.length;
    yield { type: 'emptying', bucket, objects };
  }
}

async function* removeStack(deps: DestroyDeps, begun: Begun, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  const { demolition, clock } = deps;
  const { id, name } = begun.stack!;
  const what = `stack ${name}`;
  yield { type: 'removing', what };
  for (let attempt = 1; ; attempt++) {
    await demolition.deleteStack(id);
    let end = await demolition.stackEnd(id);
    while (end.state === 'going') {
      await clock.sleep(LOOK_MS, signal);
      end = await demolition.stackEnd(id);
    }
    if (end.state === 'gone') break;
    if (attempt >= STACK_TRIES) {
      throw new RawcloudError('E_AWS_REQUEST', `the stack ${name} could not be deleted: ${end.reason}`, {
        remedy: 'Look at its events in the CloudFormation console, and start rawcloud destroy again.',
      });
    }
    if (await demolition.bucketIsThere(begun.scaffold.bucket)) yield* empty(deps, begun, signal);
  }
  yield { type: 'removed', what };
}

/** What a stack leaves behind on purpose (the bucket), or what no stack has made. */
async function* removeRest(deps: DestroyDeps, begun: Begun, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  const { scaffold, ownBucket } = begun;
  const { demolition, remains } = deps;
  if (ownBucket && (await demolition.bucketIsThere(scaffold.bucket))) {
    yield* empty(deps, begun, signal);
    await demolition.deleteBucket(scaffold.bucket);
    yield { type: 'removed', what: `bucket ${scaffold.bucket}` };
  }
  // Only what the parameter names is known to be ours. Of what else carries the tag the proof tells: anybody can give a tag.
  const named = { template: scaffold.launchTemplateId, group: scaffold.securityGroupId } as const;
  for (const kind of ['template', 'group'] as const) {
    const things = await remains.list(kind, scaffold.name, signal ? { signal } : {});
    if (!things.some(({ id, inUse }) => id === named[kind] && !inUse)) continue;
    await remains.remove(kind, named[kind]);
    yield { type: 'removed', what: `${kind} ${named[kind]}` };
  }
  const parameter = scaffoldParameterName(scaffold.name);
  if (!(await demolition.parameterIsThere(parameter))) return;
  await demolition.deleteParameter(parameter);
  yield { type: 'removed', what: `parameter ${parameter}` };
}

async function* prove(deps: DestroyDeps, begun: Begun, signal?: AbortSignal): AsyncGenerator<DestroyEvent> {
  let left = await remaining(deps, begun.ownBucket, signal);
  for (let looks = 1; left.some(({ kind }) => kind === 'vm' || kind === 'interface') && looks < PROOF_LOOKS; looks++) {
    await deps.clock.sleep(LOOK_MS, signal);
    left = await remaining(deps, begun.ownBucket, signal);
  }
  const elsewhere = await deps.elsewhere(signal);
  const all = [...left, ...elsewhere.remaining];
  if (all.length === 0) await deps.memory.forget();
  yield { type: 'proof', remaining: all, regions: elsewhere.regions + 1 };
}

function openJobs(jobs: readonly { readonly job: string; readonly name?: string; readonly command: string }[]): RawcloudError {
  const list = jobs.map(({ job, name, command }) => `  ${job}${name === undefined ? '' : ` (${name})`}: ${command}`).join('\n');
  return new RawcloudError('E_JOB_STATE', `${jobs.length === 1 ? 'a job is' : `${jobs.length} jobs are`} open:\n${list}`, {
    remedy: 'Let them end, or stop them with it: rawcloud destroy --stop-jobs',
  });
}
