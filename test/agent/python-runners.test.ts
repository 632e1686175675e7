import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { writeRunners } from '../../lib/agent/builders/python-runners';
import { scratch } from '../capture/package-fixtures';

async function call(...words: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const directory = path.join(scratch(), 'runners');
  await writeRunners(['poetry'], directory);
  return spawnSync(path.join(directory, 'poetry'), words, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
}

test.each([[['run', 'echo', 'a b', '-x']], [['-q', '--no-ansi', 'run', 'echo', 'a b', '-x']], [['run', '--', 'echo', 'a b', '-x']]])(
  'a stand-in starts what stands after run, as it stands there: %j',
  async (words) => {
    expect(await call(...words)).toMatchObject({ status: 0, stdout: 'a b -x\n' });
  },
);

test('the exit code is that of the program', async () => {
  expect((await call('run', 'sh', '-c', 'exit 7')).status).toBe(7);
});

test.each([[['install']], [['run']], [[]]])('fails for anything else, saying what there is: %j', async (words) => {
  expect(await call(...words)).toMatchObject({ status: 127, stdout: '', stderr: expect.stringContaining('poetry run') as string });
});
