import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Stand-ins for `poetry run` and its like: their environment is the one that was built, so that what stands after `run` only has to
 * be started. @returns the directory for PATH; undefined when there is nothing to stand in for
 */
export async function writeRunners(runners: readonly string[], directory: string): Promise<string | undefined> {
  if (runners.length === 0) return undefined;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const name of runners) await writeFile(path.join(directory, name), runnerText(name), { mode: 0o755 });
  return directory;
}

function runnerText(name: string): string {
  return `#!/bin/sh
# Options before and after 'run' say which environment or how much to print: neither is asked here.
while [ $# -gt 0 ]; do
  case $1 in
    run) shift; break ;;
    -*) shift ;;
    *) echo "rawcloud: of ${name} only '${name} run PROGRAM …' is on a VM; the environment is there, got '${name} $1'" >&2; exit 127 ;;
  esac
done
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "rawcloud: '${name} run' names no program" >&2; exit 127; }
exec "$@"
`;
}
