import { ERROR_CODES } from '../../lib/contract';
import type { ErrorCode } from '../../lib/contract';
import { Cli } from './cli';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

test.each(CODES)('explain %s says what, why, what to do and the exit code, in lines that fit', async (code) => {
  const cli = new Cli({ terminal: true, columns: 60, env: { NO_COLOR: '1' } });
  expect(await cli.run('explain', code)).toBe(0);
  expect(cli.stdout).toContain(code);
  for (const part of ['Why it happens', 'What to do', `Exit code ${ERROR_CODES[code].exitCode}.`]) expect(cli.stdout).toContain(part);
  for (const line of cli.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
});

test.each(['E_QUOTA', 'quota', 'e_quota'])('explain takes %s', async (typed) => {
  const cli = new Cli();
  expect(await cli.run('explain', typed)).toBe(0);
  expect(cli.stdout).toMatch(/^E_QUOTA: /);
});

test('explain without a code lists all', async () => {
  const cli = new Cli();
  expect(await cli.run('explain')).toBe(0);
  for (const code of CODES) expect(cli.stdout).toContain(`\n${code} `);
});

test('explain asks nothing of AWS', async () => {
  const cli = new Cli();
  await cli.run('explain', 'E_BOOT');
  expect(cli.connections).toEqual([]);
});

test('fails on an unknown code, with the nearest ones', async () => {
  const cli = new Cli();
  expect(await cli.run('explain', 'E_QOUTA')).toBe(2);
  expect(cli.stderr).toContain("there is no error 'E_QOUTA'; did you mean E_QUOTA?");
  expect(cli.stderr).toMatch(/→ rawcloud explain E_USAGE\n$/);
});
