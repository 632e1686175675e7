import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CompiledBundles } from '../../bin/compiled';

let base = '';
beforeEach(() => (base = mkdtempSync(path.join(os.tmpdir(), 'compiled-'))));
afterEach(() => rmSync(base, { recursive: true }));

const keptIn = (): string => path.join(base, 'code');

function bundle(name: string, text: string): string {
  const file = path.join(base, name);
  writeFileSync(file, text);
  return file;
}

/** As a process of its own would load it. @returns what it exports, and whether something was compiled that was not kept */
function load(file: string): { exports: unknown; compiled: boolean } {
  const writes: (() => void)[] = [];
  const exports = new CompiledBundles({ directory: keptIn(), atExit: (write) => writes.push(write) }).load(file);
  for (const write of writes) write();
  return { exports, compiled: writes.length > 0 };
}

test('what was compiled once is taken as it was kept', () => {
  const file = bundle('a.js', 'exports.sum = (a, b) => a + b; exports.here = [__filename, __dirname];');
  const first = load(file);
  expect((first.exports as { sum: (a: number, b: number) => number }).sum(1, 2)).toBe(3);
  expect(first).toMatchObject({ exports: { here: [file, base] }, compiled: true });
  const second = load(file);
  expect((second.exports as { sum: (a: number, b: number) => number }).sum(1, 2)).toBe(3);
  expect(second.compiled).toBe(false);
});

test('bundles load those beside them, each once, and what Node has by Node', () => {
  bundle('b.js', 'module.exports = { times: (globalThis.compiledTimes = (globalThis.compiledTimes ?? 0) + 1) };');
  const file = bundle('a.js', "exports.b = [require('./b.js'), require('./b.js')]; exports.sep = require('node:path').sep;");
  expect(load(file).exports).toEqual({ b: [{ times: 1 }, { times: 1 }], sep: path.sep });
  Reflect.deleteProperty(globalThis, 'compiledTimes');
});

test('another bundle of the same name and length is compiled anew', () => {
  load(bundle('a.js', 'exports.is = 1;'));
  expect(load(bundle('a.js', 'exports.is = 2;'))).toEqual({ exports: { is: 2 }, compiled: true });
});

test.each([
  ['is damaged', (kept: Buffer) => kept.fill(0, kept.byteLength >> 1, (kept.byteLength >> 1) + 8)],
  ['is cut off', (kept: Buffer) => kept.subarray(0, 80)],
  ['is empty', () => Buffer.alloc(0)],
])('what %s is not used, and written anew', (_what, damage) => {
  const file = bundle('a.js', 'exports.text = (() => "as it was ".repeat(3))();');
  const { exports } = load(file);
  const [name] = readdirSync(keptIn());
  const place = path.join(keptIn(), name!);
  writeFileSync(place, damage(readFileSync(place)));
  expect(load(file)).toEqual({ exports, compiled: true });
  expect(load(file)).toEqual({ exports, compiled: false });
});

test('where nothing can be kept bundles run all the same', () => {
  writeFileSync(keptIn(), 'no directory');
  expect(load(bundle('a.js', 'exports.is = 1;'))).toEqual({ exports: { is: 1 }, compiled: true });
});

test('the oldest go when there are many', () => {
  for (let n = 0; n < 15; n++) load(bundle(`bundle-${n}.js`, `exports.is = ${n};`));
  expect(readdirSync(keptIn())).toHaveLength(12);
});

test('fails as the bundle does', () => {
  expect(() => load(bundle('a.js', "throw new Error('on purpose');"))).toThrow('on purpose');
});
