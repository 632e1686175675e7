import path from 'node:path';
import { textReader } from '../../lib/capture/python/read-text';
import { scratch } from './package-fixtures';

const missing = path.join(scratch(), 'missing');

test('small files of a near disk are read at once', async () => {
  const read = textReader({ now: () => 0 });
  expect(await read(__filename)).toContain('near disk');
  for (let at = 0; at < 20; at++) expect(read(missing)).toBeUndefined();
});

test('a disk that lets several of them wait is asked for many at the same time', async () => {
  let ms = 0;
  const read = textReader({ now: () => (ms += 10) });
  for (let at = 0; at < 5; at++) expect(read(missing)).toBeUndefined();
  const later = read(missing);
  expect(later).toBeInstanceOf(Promise);
  expect(await later).toBeUndefined();
  expect(await read(__filename)).toContain('near disk');
});

test('what is there and cannot be read is a failure', () => {
  expect(() => textReader()(__dirname)).toThrow('EISDIR');
});
