import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { TextReader } from '../../lib/capture/python/read-text';
import { scratch } from './package-fixtures';

const missing = path.join(__dirname, 'missing');

test('small files of a near disk are read at once', () => {
  const reader = new TextReader({ now: () => 0 });
  expect(reader.read(__filename)).toContain('near disk');
  for (let at = 0; at < 20; at++) expect(reader.read(missing)).toBeUndefined();
  expect(reader.isFar).toBe(false);
});

test('a disk that lets several of them wait is asked for many at the same time', async () => {
  let ms = 0;
  const reader = new TextReader({ now: () => (ms += 10) });
  for (let at = 0; at < 5; at++) expect(reader.read(missing)).toBeUndefined();
  expect(reader.isFar).toBe(true);
  const later = reader.read(missing);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBeUndefined();
  expect(await reader.read(__filename)).toContain('near disk');
});

test.each([
  ['ends soon', 'Name: a\nVersion: 1\n\nlong description', 'Name: a\nVersion: 1'],
  ['has the line ends of Windows', 'Name: a\r\n\r\nlong description', 'Name: a\r'],
  ['is all there is', 'Name: ü', 'Name: ü'],
  ['is empty', '', ''],
])('of a head that %s no more is taken', (_what, content, head) => {
  const file = path.join(scratch(), 'METADATA');
  writeFileSync(file, content);
  expect(new TextReader().readHeadNow(file)).toBe(head);
});

test('a head that is longer than most comes whole', () => {
  const file = path.join(scratch(), 'METADATA');
  const head = `Name: a\n${'Requires-Dist: b\n'.repeat(2000)}Version: 1`;
  writeFileSync(file, `${head}\n\ndescription`);
  expect(new TextReader().readHeadNow(file)).toContain(head);
});

test('what is there and cannot be read is a failure', () => {
  expect(() => new TextReader().read(__dirname)).toThrow('EISDIR');
  expect(() => new TextReader().readHeadNow(__dirname)).toThrow('EISDIR');
});
