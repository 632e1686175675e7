import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { findExecutable } from '../../lib/agent/executable';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-executable-'));
  for (const made of ['a', 'b/both']) await mkdir(path.join(directory, made), { recursive: true });
  for (const file of ['a/both', 'b/program', 'a/text']) await writeFile(path.join(directory, file), '');
  await chmod(path.join(directory, 'b/program'), 0o755);
  await writeFile(path.join(directory, 'here'), '', { mode: 0o755 });
});

afterAll(() => rm(directory, { recursive: true }));

const find = (file: string): unknown => findExecutable(file, `${directory}/a:${directory}/b`, directory);

test('a program is found along the path, a named one from the working directory', () => {
  expect(find('program')).toEqual({ path: path.join(directory, 'b/program') });
  expect(find('./here')).toEqual({ path: path.join(directory, 'here') });
  expect(find(path.join(directory, 'here'))).toEqual({ path: path.join(directory, 'here') });
});

test('fails with not-found for what is nowhere, and for what only lies in the working directory', () => {
  expect(find('nowhere')).toBe('not-found');
  expect(find('./nowhere')).toBe('not-found');
  expect(find('here')).toBe('not-found');
});

test('fails with not-executable for text and for directories', () => {
  expect(find('text')).toBe('not-executable');
  expect(find('./a')).toBe('not-executable');
  expect(find('both')).toBe('not-executable');
});
