import { mkdtempSync, rmSync, watch } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { capturePackages } from '../../lib/capture/packages';
import { writeTree } from './trees';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'abort-'));
  writeTree(root, {
    'bin/node': { executable: '#!/bin/sh\necho > "$STARTED/now"\nexec sleep 60\n' },
    'started/.keep': '',
    'package.json': '{"dependencies":{"x":"1"}}',
    'package-lock.json': '{"lockfileVersion":3,"packages":{"":{"dependencies":{"x":"1"}},"node_modules/x":{"version":"1.0.0"}}}',
  });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const context = (signal: AbortSignal) => ({
  root,
  cwd: root,
  argv: ['node', 'x.js'],
  env: { PATH: `${root}/bin:/usr/bin:/bin`, STARTED: path.join(root, 'started') },
  platform: 'linux-x86_64',
  vmNode: '22.3.0',
  cacheDir: '/nowhere/cache',
  signal,
});

test('fails with the signal’s reason when it was aborted before', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(capturePackages(context(signal))).rejects.toThrow('enough');
});

test('fails with the signal’s reason while a program is asked, and ends that program', async () => {
  const abort = new AbortController();
  const watcher = watch(path.join(root, 'started'), () => abort.abort(new Error('enough')));
  await expect(capturePackages(context(abort.signal)).finally(() => watcher.close())).rejects.toThrow('enough');
});
