import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { unlessMissing } from '../../contract';
import type { BuildIo, NodeProject } from '../../contract';

/** Scripts that an install runs for who works on a package: they build it, or make hooks of git, with what is not installed. */
const DEVELOPMENT_SCRIPTS = new Set(['prepublish', 'preprepare', 'prepare', 'postprepare']);

const ManifestSchema = v.looseObject({ scripts: v.looseObject({}) });

/**
 * Takes these scripts out of the tree's own package.json files while packages are installed: no manager leaves out just those.
 * @returns what puts the files back as they were
 */
export async function withoutDevelopmentScripts({ packages }: NodeProject, io: BuildIo): Promise<() => Promise<void>> {
  const before = new Map<string, Buffer>();
  for (const at of packages) {
    const file = path.join(io.root, at, 'package.json');
    const bytes = await unlessMissing(readFile(file), undefined);
    const manifest = bytes && v.safeParse(v.pipe(v.string(), v.parseJson(), ManifestSchema), bytes.toString());
    if (!bytes || !manifest?.success) continue;
    const { scripts, ...rest } = manifest.output;
    const kept = Object.entries(scripts).filter(([name]) => !DEVELOPMENT_SCRIPTS.has(name));
    if (kept.length === Object.keys(scripts).length) continue;
    before.set(file, bytes);
    await writeFile(file, JSON.stringify({ ...rest, scripts: Object.fromEntries(kept) }, undefined, 2));
    io.log(`${path.join(at, 'package.json')}: scripts for development (prepare) are left out`);
  }
  return async () => {
    for (const [file, bytes] of before) await writeFile(file, bytes);
  };
}
