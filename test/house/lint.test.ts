import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from './sources';

/** Starting typescript-eslint takes seconds. */
const PATIENCE_MS = 60_000;

/** What our lint says of files in a project of their own (which has fewer types to load), as `line rule` by file. */
async function lint(files: Record<string, readonly string[]>): Promise<Record<string, string[]>> {
  const project = mkdtempSync(path.join(os.tmpdir(), 'lint-'));
  for (const name of ['eslint.config.mjs', 'tsconfig.json']) copyFileSync(path.join(ROOT, name), path.join(project, name));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(project, 'node_modules'));
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), lines.join('\n'));
  }
  const child = spawn(process.execPath, ['node_modules/eslint/bin/eslint.js', '.', '--format', 'json'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [json] = await Promise.all([text(child.stdout), once(child, 'close')]);
  rmSync(project, { recursive: true });
  const results = JSON.parse(json) as { filePath: string; messages: { line: number; ruleId: string | null }[] }[];
  return Object.fromEntries(
    results.map(({ filePath, messages }) => [
      path.relative(project, filePath),
      messages.map(({ line, ruleId }) => `${line} ${(ruleId ?? 'inline-config').replace('@typescript-eslint/', '')}`),
    ]),
  );
}

/** What is forbidden everywhere in the product, and what only away from the edges. */
const FORBIDDEN = [
  'export async function a(xs: string[], f: (x: string) => Promise<void>, b: () => Promise<boolean>) {',
  '  f("x");',
  '  await Promise.all(xs.map((x) => f(x)));',
  '  if (b()) await 1;',
  '  const c = JSON.parse("{}");',
  '  c.d();',
  '}',
  'export const e = (f: any) => [f];',
  'export function g(h: "i" | "j") { switch (h) { case "i": return 1; } return 2; }',
  'import { Stats } from "node:fs"; export type K = Stats;',
  'console.log(1); /* eslint-disable-line */',
];
const AMBIENT = [
  'export const a = () => process.env.HOME;',
  'export const b = () => Date.now();',
  'export const c = () => new Date();',
  'export const d = () => Math.random();',
];

let found: Record<string, string[]>;
beforeAll(async () => {
  found = await lint({ 'lib/runtime/a.ts': FORBIDDEN, 'lib/runtime/b.ts': AMBIENT, 'bin/a.ts': AMBIENT, 'lib/aws/clients.ts': AMBIENT });
}, PATIENCE_MS);

test('fails on floating promises, unbounded concurrency, any, missing cases, console and inline configuration', () => {
  expect(found['lib/runtime/a.ts']).toEqual(
    expect.arrayContaining([
      '2 no-floating-promises',
      '3 no-restricted-syntax',
      '4 no-misused-promises',
      '4 await-thenable',
      '5 no-unsafe-assignment',
      '6 no-unsafe-call',
      '8 no-explicit-any',
      '9 switch-exhaustiveness-check',
      '10 consistent-type-imports',
      '11 no-console',
      '11 inline-config',
    ]),
  );
});

test('fails on environment, clock and chance away from the edges, and lets the edges have them', () => {
  expect(found).toMatchObject({
    'lib/runtime/b.ts': ['1 no-restricted-syntax', '2 no-restricted-syntax', '3 no-restricted-syntax', '4 no-restricted-syntax'],
    'bin/a.ts': [],
    'lib/aws/clients.ts': [],
  });
});
