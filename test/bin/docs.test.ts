import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pages } from '../../bin/docs/pages';

test.each(pages())('$path is what `npm run docs` writes', ({ path: file, text }) => {
  expect(readFileSync(path.resolve(__dirname, '../..', file), 'utf8')).toBe(text);
});
