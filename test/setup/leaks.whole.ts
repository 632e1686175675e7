import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const ROOT = path.resolve(__dirname, '../..');

/** Runs the fixture in a jest of its own, which leaves though something is open. */
async function runLeaking(leak: string): Promise<{ code: number | null; output: string }> {
  const cacheDirectory = mkdtempSync(path.join(os.tmpdir(), 'jest-cache-'));
  const options = [
    '--testMatch',
    '**/leaks.fixture.ts',
    '--cacheDirectory',
    cacheDirectory,
    '--testEnvironmentOptions',
    '{"settleMs":300}',
  ];
  const child = spawn(process.execPath, [`${ROOT}/node_modules/jest/bin/jest.js`, '--forceExit', ...options], {
    cwd: ROOT,
    env: { ...process.env, LEAK: leak },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  rmSync(cacheDirectory, { recursive: true });
  return { code: code as number | null, output: output + errors };
}

test('a file that leaves nothing behind passes', async () => {
  expect(await runLeaking('nothing')).toMatchObject({ code: 0 });
});

test.each([
  ['child', /process \d+ still runs: .*setInterval/],
  ['machine', /process \d+ still runs: .*setInterval/],
  ['server', /still open: 1 × TCPServerWrap/],
  ['timer', /setInterval of 60000 ms still runs: .*undefined/],
  ['directory', /not removed from the temporary directory: left-\S+ \(/],
])('fails a file whose passing test leaves a %s', async (leak, message) => {
  const { code, output } = await runLeaking(leak);
  expect(output).toMatch(message);
  expect(code).toBe(1);
});
