import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './sources';

test('ring 2 says why it is skipped, and is no failure, on a machine without Python', async () => {
  const empty = mkdtempSync(path.join(os.tmpdir(), 'empty-'));
  try {
    const env = { ...process.env, PATH: empty };
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/moto.mjs'], { cwd: ROOT, env });
    expect(stdout).toBe('skipped: there is no python3\n');
  } finally {
    rmSync(empty, { recursive: true });
  }
});
