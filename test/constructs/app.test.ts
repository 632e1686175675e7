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
  const env = { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify(context) };
  const { stderr } = await promisify(execFile)(process.execPath, [APP], { env });
  return stderr;
}

const read = (file: string) => JSON.parse(readFileSync(path.join(output, file), 'utf8')) as { Parameters?: object; Resources: object };

test('makes one stack, whose only assets are the functions', async () => {
  expect(await synthesize()).toBe('');
  const types = Object.values(read('RawCloud.template.json').Resources).map(({ Type }: { Type: string }) => Type);
  expect(types.filter((type) => type === 'AWS::Lambda::Function')).toHaveLength(2);
  expect(types.filter((type) => type.startsWith('Custom::'))).toEqual([]);
  const { files } = read('RawCloud.assets.json') as unknown as { files: Record<string, { displayName: string }> };
  expect(
    Object.values(files)
      .map(({ displayName }) => displayName)
      .sort(),
  ).toEqual(['RawCloud Template', 'RawCloud/Launch/Code', 'RawCloud/Reaper/Code']);
});

test('takes the name of the scaffolding from the context', async () => {
  await synthesize({ name: 'team-a' });
  expect(JSON.stringify(read('RawCloud-team-a.template.json'))).toContain('/rawcloud/team-a/scaffold');
});
