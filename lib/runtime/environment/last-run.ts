import { randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { packagesOf } from '../../capture/inventory';
import { sha256Of } from '../../store/sha256';
import type { RunRequest } from '../api';
import type { ClientDeps } from '../deps';
import { PACKAGE_SOURCES } from '../request';
import type { Captured } from '../run/capture';

/*
 * What the last run of a project took along: `environments/<hash of its root>.json` in the client's cache directory. What its
 * files looked like stands beside it (`trees/<bucket>/`). Both may be removed at any time.
 */

const PackageSchema = v.object({
  kind: v.string(),
  name: v.string(),
  version: v.string(),
  from: v.string(),
  bytes: v.optional(v.number()),
});

const LastRunSchema = v.object({
  v: v.literal(1),
  root: v.string(),
  job: v.string(),
  /** Milliseconds since 1970. */
  at: v.number(),
  /** Where its content went. */
  bucket: v.string(),
  /** As typed, and where, relative to the root. */
  command: v.array(v.string()),
  cwd: v.string(),
  /** Where its packages were taken from, if that was said. */
  packagesFrom: v.optional(v.picklist(PACKAGE_SOURCES)),
  /** Its setup; the script's path is absolute. */
  setup: v.optional(v.object({ commands: v.array(v.string()), script: v.optional(v.string()) })),
  /** `Python 3.11 (.venv)`, by kind. */
  titles: v.record(v.string(), v.string()),
  packages: v.array(PackageSchema),
});
export type LastRun = v.InferOutput<typeof LastRunSchema>;

/** Remembers a run. Only its user reads it: it names paths. */
export async function rememberRun(
  deps: Pick<ClientDeps, 'cacheDir' | 'clock' | 'scaffold'>,
  job: string,
  { command, packages, ...asked }: Pick<RunRequest, 'command' | 'packages' | 'setup' | 'setupScript'>,
  captured: Captured,
): Promise<void> {
  const root = await realpath(captured.root);
  const run: LastRun = {
    v: 1,
    root,
    job,
    at: deps.clock.now(),
    bucket: deps.scaffold.bucket,
    command: [...command],
    cwd: captured.cwd,
    ...(packages ? { packagesFrom: packages } : {}),
    ...setupOf(asked, path.join(captured.root, captured.cwd)),
    titles: Object.fromEntries(captured.found.map(({ kind, title }) => [kind, title])),
    packages: await packagesOf(captured.layers, captured),
  };
  const file = fileOf(deps.cacheDir, root);
  const temporary = `${file}.${randomUUID()}`;
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(temporary, JSON.stringify(run), { mode: 0o600 });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

function setupOf({ setup = [], setupScript }: Pick<RunRequest, 'setup' | 'setupScript'>, cwd: string): Pick<LastRun, 'setup'> {
  if (setup.length === 0 && setupScript === undefined) return {};
  const script = setupScript === undefined ? {} : { script: path.resolve(cwd, setupScript) };
  return { setup: { commands: [...setup], ...script } };
}

/** @returns undefined when there was none, or what was kept of it cannot be read */
export async function lastRun(cacheDir: string, root: string): Promise<LastRun | undefined> {
  const real = await realpath(root);
  const text = await readFile(fileOf(cacheDir, real), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), LastRunSchema), text);
  return parsed.success && parsed.output.root === real ? parsed.output : undefined;
}

function fileOf(cacheDir: string, root: string): string {
  return path.join(cacheDir, 'environments', `${sha256Of(Buffer.from(root)).slice(0, 32)}.json`);
}
