import { bucketKeys, encodeJson, leftoversFound } from '../../contract';
import type { Findings, Leftover, Mark, Swept, Unproved } from '../../contract';
import type { ReapReport } from '../api';
import type { ReapDeps } from './deps';
import { lookElsewhere } from './elsewhere';
import { advanceJobs } from './jobs';
import { judge } from './judge';
import type { Verdict } from './judge';
import { complete, look } from './look';
import type { Look } from './look';
import { readMarks, writeMarks } from './marks';
import { startWaiting } from './queue';
import { remove } from './remove';
import { sweep } from './sweep';
import { unproved } from './unproved';

/**
 * One pass of the reaper: every open job is advanced, ticks that waited for one are started, then what is in EC2 is compared
 * with what should be. A leftover is marked in one pass and removed in a later one, after a last look. Once a day old content
 * is swept from the bucket; once an hour the account's other regions are looked through. Any number of passes may run at once: marks are
 * written by condition, and ending what is ended does nothing. See docs/reaper.md.
 * @throws when VMs, open jobs or marks cannot be read: nothing is judged then. What fails of one thing is in `unproved`.
 */
export async function reap(deps: ReapDeps, signal?: AbortSignal): Promise<ReapReport> {
  const known = await readMarks(deps.store, deps.by, signal);
  const first = await look(deps, signal);
  const jobs = await advanceJobs(deps, first.actives, first.instances, signal);
  const queue = await startWaiting(deps, signal);
  const now = (after: Look): Promise<Verdict> =>
    complete(deps, after, { now: known.now, stuck: jobs.stuck }, signal).then((seen) => judge(seen, known.marks));
  const verdict = await now(first);
  const due = verdict.due.length === 0 ? [] : stillDue(verdict.due, await now(await look(deps, signal)));
  const removal = await remove(deps, due.map(leftoverOf), signal);
  const marks = carried(verdict.marks, known.marks, first.unproved);
  const others = await lookElsewhere(deps, known, signal);
  const isWritten = await writeMarks(deps.store, known, { marks, elsewhere: others.elsewhere }, deps.by, signal);
  const lost = isWritten ? [] : [{ what: 'marks', error: 'another pass of the reaper wrote its marks at the same time; ours are lost' }];
  const { swept, unproved: unswept } = await sweep(deps, signal ? { signal } : {});
  const findings = {
    marked: [...verdict.marked, ...others.news],
    removed: removal.removed,
    cleared: verdict.cleared,
    swept,
    unproved: [...first.unproved, ...jobs.unproved, ...queue.unproved, ...removal.unproved, ...others.unproved, ...lost, ...unswept],
  };
  await writeFindings(deps, known.now, findings, signal);
  const untold = await tell(deps, known.now, findings);
  const waiting = verdict.marks.filter((mark) => mark.why !== 'foreign').length - due.length;
  return {
    jobs: first.actives.length,
    ended: jobs.ended,
    failed: jobs.failed,
    started: queue.started,
    waiting,
    ...findings,
    unproved: [...findings.unproved, ...untold],
  };
}

/** The last look: what was due a moment ago and is no more has come back to life, or has ended by itself. */
function stillDue(due: readonly Mark[], last: Verdict): readonly Mark[] {
  const ids = new Set(last.due.map(({ id }) => id));
  return due.filter(({ id }) => ids.has(id));
}

function leftoverOf({ since: _since, ...leftover }: Mark): Leftover {
  return leftover;
}

/** Of kinds that could not be listed, the old marks stay. */
function carried(marks: readonly Mark[], before: readonly Mark[], failed: readonly Unproved[]): Mark[] {
  const unseen = new Set(failed.map(({ what }) => what));
  return [...marks, ...before.filter(({ kind }) => unseen.has(`${kind}s`))];
}

/** @returns what could not be told: the pass then fails, for that is all that somebody outside would see of it */
async function tell(
  { bus, scaffold }: ReapDeps,
  at: number,
  found: Pick<ReapReport, 'marked' | 'removed' | 'cleared' | 'unproved'>,
): Promise<Unproved[]> {
  const event = leftoversFound(scaffold.name, at, found);
  try {
    if (event) await bus.put(event);
    return [];
  } catch (error) {
    return [unproved('event of the findings', error)];
  }
}

async function writeFindings(
  { store, by }: ReapDeps,
  at: number,
  { marked, removed, cleared, swept, unproved }: Pick<ReapReport, 'marked' | 'removed' | 'cleared' | 'swept' | 'unproved'>,
  signal?: AbortSignal,
): Promise<void> {
  if (marked.length + removed.length + cleared.length + swept.objects + unproved.length === 0) return;
  const content: { swept?: Swept } = swept.objects > 0 ? { swept } : {};
  const findings: Findings = {
    v: 1,
    at,
    by,
    marked: [...marked],
    removed: [...removed],
    cleared: [...cleared],
    ...content,
    unproved: [...unproved],
  };
  await store.put(bucketKeys.findings(at), encodeJson(findings), signal ? { signal } : {});
}
