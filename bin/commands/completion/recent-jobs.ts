import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { clean } from '../../render/text';

const RecentJobSchema = v.object({ job: v.string(), name: v.optional(v.string()), command: v.string() });
const FileSchema = v.object({ v: v.literal(1), jobs: v.array(RecentJobSchema) });

/** A job as completion knows it. */
export type RecentJob = v.InferOutput<typeof RecentJobSchema>;

/** Jobs kept: as many as one would look through. */
const KEPT = 50;

type Environment = Readonly<Record<string, string | undefined>>;

/** Jobs that were lately started or listed here, newest first; none when nothing is kept, or nothing that can be read. */
export async function recentJobs(env: Environment): Promise<readonly RecentJob[]> {
  const file = fileOf(env);
  if (file === undefined) return [];
  try {
    return v.parse(FileSchema, JSON.parse(await readFile(file, 'utf8'))).jobs;
  } catch {
    // Absent, or of another version: completion does without.
    return [];
  }
}

/** Keeps jobs for the completion; a cache that cannot be written is done without. */
export async function rememberJobs(jobs: readonly RecentJob[], env: Environment, unique: number): Promise<void> {
  const file = fileOf(env);
  if (file === undefined || jobs.length === 0) return;
  const fresh = jobs.map(({ job, name, command }) => ({ job, ...(name ? { name } : {}), command: clean(command).slice(0, 60) }));
  const earlier = (await recentJobs(env)).filter(({ job }) => !fresh.some((one) => one.job === job));
  const temporary = `${file}.${unique}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, JSON.stringify({ v: 1, jobs: [...fresh, ...earlier].slice(0, KEPT) }), { mode: 0o600 });
    await rename(temporary, file);
  } catch {
    // A read-only home is no reason to fail a job.
  }
}

function fileOf(env: Environment): string | undefined {
  const cache = env['XDG_CACHE_HOME'] || (env['HOME'] && path.join(env['HOME'], '.cache'));
  return cache ? path.join(cache, 'rawcloud', 'recent-jobs.json') : undefined;
}
