import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** aws-cdk-lib validates each template by rules that take seconds to load. */
jest.setTimeout(120_000);

const APP = path.resolve(__dirname, '../../dist/bin/app.js');

let output: string;
beforeEach(() => {
  output = mkdtempSync(path.join(os.tmpdir(), 'cdk-out-'));
});
afterEach(() => rmSync(output, { recursive: true }));

/** Runs the bundled app as `cdk synth` does. */
async function synthesize(context: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, CDK_VALIDATION: 'true', CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify(context) };
  const { stderr } = await promisify(execFile)(process.execPath, [APP], { env });
  return stderr;
}

const read = (file: string) => JSON.parse(readFileSync(path.join(output, file), 'utf8')) as { Parameters?: object; Resources: object };

test('makes one stack, named after the scaffolding in the context, whose only assets are the functions', async () => {
  expect(await synthesize({ name: 'team-a' })).toBe('');
  const template = read('RawCloud-team-a.template.json');
  expect(JSON.stringify(template)).toContain('/rawcloud/team-a/scaffold');
  const types = Object.values(template.Resources).map(({ Type }: { Type: string }) => Type);
  expect(types.filter((type) => type === 'AWS::Lambda::Function')).toHaveLength(2);
  expect(types.filter((type) => type.startsWith('Custom::'))).toEqual([]);
  const { files } = read('RawCloud-team-a.assets.json') as unknown as { files: Record<string, { displayName: string }> };
  const names = Object.values(files).map(({ displayName }) => displayName);
  expect(names.sort()).toEqual(['RawCloud-team-a Template', 'RawCloud/Launch/Code', 'RawCloud/Reaper/Code']);
});
