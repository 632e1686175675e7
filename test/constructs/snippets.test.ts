import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import ts from 'typescript';
import * as rawcloud from '../../lib';

/** aws-cdk-lib takes seconds to load; the first capture fetches Node. */
jest.setTimeout(240_000);

const PAGES = path.join(__dirname, '../../docs/constructs');
const before = process.cwd();

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'snippets-'));
  process.env['CDK_OUTDIR'] = path.join(directory, 'cdk.out');
  process.chdir(directory);
});
afterAll(() => {
  process.chdir(before);
  delete process.env['CDK_OUTDIR'];
  rmSync(directory, { recursive: true });
});

const pages = readdirSync(PAGES).map((page) => {
  const text = readFileSync(path.join(PAGES, page), 'utf8');
  return { page, snippets: [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!) };
});

/** As a user's program, with this package under its name. */
function run(code: string): void {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const load = (name: string): unknown => (name === 'rawcloud' ? rawcloud : jest.requireActual(name));
  const program = vm.compileFunction(outputText, ['require', 'exports']) as (require: typeof load, exports: object) => void;
  program(load, {});
}

test.each(pages)('what docs/constructs/$page shows synthesizes as it stands', ({ page, snippets }) => {
  expect({ page, snippets: snippets.length }).toEqual({ page, snippets: 1 });
  for (const code of snippets) {
    expect(code).toMatch(/app\.synth\(\);\n$/);
    run(code);
  }
  expect(readdirSync(path.join(directory, 'cdk.out')).some((file) => file.endsWith('.template.json'))).toBe(true);
});
