import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../house/root.mjs';
import { output } from './output.mjs';

const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

const USE_RUNTIME = `if (typeof connect !== 'function' || !isRawcloudError(new RawcloudError('E_USAGE', 'x'))) throw new Error('not the runtime');`;
const USE_CONSTRUCTS = `const stack = new Stack(new App(), 'S'); new RawCloud(stack, 'RawCloud'); if (!(stack.node.findAll().length > 5)) throw new Error('no scaffolding');`;

const TYPED = `
import { App, Stack } from 'aws-cdk-lib';
import { RawCloud, type RawCloudProps } from 'rawcloud';
import { connect, isRawcloudError, type Client, type JobResult } from 'rawcloud/runtime';

const props: RawCloudProps = { name: 'team-a' };
export const scaffolding: RawCloud = new RawCloud(new Stack(new App(), 'S'), 'RawCloud', props);

export async function run(command: readonly string[]): Promise<JobResult> {
  const client: Client = await connect({ env: process.env, cwd: process.cwd(), local: true });
  try {
    return await (await client.run({ command })).wait();
  } catch (error) {
    if (isRawcloudError(error)) throw new Error(error.remedy);
    throw error;
  } finally {
    await client.close();
  }
}
// @ts-expect-error: unknown props are refused
export const wrong: RawCloudProps = { nmae: 'team-a' };
`;

/** What must hold of the packed package, by name. */
export const CHECKS = {
  'CommonJS uses the runtime': ({ plain }) =>
    script(plain, 'a.cjs', `const { connect, isRawcloudError, RawcloudError } = require('rawcloud/runtime'); ${USE_RUNTIME}`),
  'an ES module uses the runtime by named imports': ({ plain }) =>
    script(plain, 'a.mjs', `import { connect, isRawcloudError, RawcloudError } from 'rawcloud/runtime'; ${USE_RUNTIME}`),
  'CommonJS uses the constructs': ({ cdk }) =>
    script(cdk, 'b.cjs', `const { App, Stack } = require('aws-cdk-lib'); const { RawCloud } = require('rawcloud'); ${USE_CONSTRUCTS}`),
  'an ES module uses the constructs by named imports': ({ cdk }) =>
    script(cdk, 'b.mjs', `import { App, Stack } from 'aws-cdk-lib'; import { RawCloud } from 'rawcloud'; ${USE_CONSTRUCTS}`),
  'types fit CommonJS and ES modules under node16': ({ cdk }) => typecheck(cdk, { module: 'node16', moduleResolution: 'node16' }),
  'types fit CommonJS and ES modules under bundler': ({ cdk }) => typecheck(cdk, { module: 'esnext', moduleResolution: 'bundler' }),
  'the command runs without aws-cdk-lib': async ({ plain }) => {
    const said = await output(path.join(plain, 'node_modules/.bin/rawcloud'), ['--version'], { cwd: plain });
    assert.equal(said.trim(), version);
  },
  'the programs need no node_modules': ({ plain }) => withoutDependencies(plain),
  'the constructs without aws-cdk-lib say what is missing': ({ plain }) =>
    script(plain, 'c.cjs', refused(`require('rawcloud')`, 'MODULE_NOT_FOUND', 'aws-cdk-lib')),
  'deep imports are refused': ({ plain }) =>
    script(
      plain,
      'd.cjs',
      refused(`require('rawcloud/dist/lib/runtime/index.js')`, 'ERR_PACKAGE_PATH_NOT_EXPORTED', './dist/lib/runtime/index.js'),
    ),
  'package.json can be read': ({ plain }) =>
    script(plain, 'e.cjs', `if (require('rawcloud/package.json').version !== '${version}') throw new Error('another version');`),
  'the agent, the licences and no stamp files are in it': ({ plain }) => {
    const has = (file) => existsSync(path.join(plain, 'node_modules/rawcloud', file));
    for (const file of ['dist/agent/agent.js', 'dist/THIRD_PARTY_LICENSES.txt', 'LICENSE', 'README.md', 'CHANGELOG.md'])
      assert.ok(has(file), `${file} is missing`);
    for (const file of ['dist/.bundles', 'dist/.tsbuildinfo', 'lib', 'test']) assert.ok(!has(file), `${file} should not be there`);
  },
};

async function script(project, name, text) {
  writeFileSync(path.join(project, name), text);
  await output(process.execPath, [name], { cwd: project });
}

function refused(expression, code, named) {
  return `let error; try { ${expression} } catch (e) { error = e; } if (error?.code !== '${code}' || !error.message.includes('${named}')) throw error ?? new Error('not refused');`;
}

async function typecheck(project, options) {
  for (const name of ['typed.cts', 'typed.mts']) writeFileSync(path.join(project, name), TYPED);
  const compilerOptions = {
    ...options,
    target: 'es2022',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.cts', 'typed.mts'] }));
  await output(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'], { cwd: project });
}

/** The programs, alone in a directory: what they need is in them. */
async function withoutDependencies(plain) {
  const alone = path.join(plain, '../alone');
  cpSync(path.join(plain, 'node_modules/rawcloud/dist'), path.join(alone, 'dist'), { recursive: true });
  await script(alone, 'load.cjs', `require('./dist/bin/commands.js'); require('./dist/bin/backend.js'); require('./dist/bin/admin.js');`);
  await output(process.execPath, ['dist/bin/rawcloud.js', '--help'], { cwd: alone });
}
