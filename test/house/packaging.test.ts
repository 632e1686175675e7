import { execFile } from 'node:child_process';
import path from 'node:path';
import { ROOT } from './sources';

/** Building, packing and two type checks; `.ci/run` does the same with dependencies installed by npm. */
const PATIENCE_MS = 120_000;

test(
  'the packed package works in fresh projects of each kind',
  async () => {
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [path.join(ROOT, 'scripts/packaging-proof.mjs')], (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    const lines = said.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([]);
    expect(lines).toHaveLength(13);
  },
  PATIENCE_MS,
);
