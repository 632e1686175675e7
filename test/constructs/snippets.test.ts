import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import * as cdk from 'aws-cdk-lib';
import ts from 'typescript';
import * as rawcloud from '../../lib';

/** The first capture fetches Node. */
jest.setTimeout(240_000);

const PAGES = path.join(__dirname, '../../docs/constructs');
const before = process.cwd();

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'snippets-'));
  process.chdir(directory);
});
afterAll(() => {
  process.chdir(before);
  rmSync(directory, { recursive: true });
});

const pages = readdirSync(PAGES).map((page) => {
  const text = readFileSync(path.join(PAGES, page), 'utf8');
  return { page, snippets: [...text.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!) };
});

/** As `cdk` tells an app by its environment, which our CDK does not share with us. */
class OurApp extends cdk.App {
  constructor(props?: cdk.AppProps) {
    super({ outdir: path.join(directory, 'cdk.out'), ...props });
  }
}

/** As a user's program, with this package under its name. */
function run(code: string): void {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const ours = new Map<string, unknown>([
    ['rawcloud', rawcloud],
    ['aws-cdk-lib', Object.create(cdk, { App: { value: OurApp } })],
  ]);
  const load = (name: string): unknown => ours.get(name) ?? jest.requireActual(name);
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
