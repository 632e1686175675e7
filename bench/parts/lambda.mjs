import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { mustRun, sideBySide } from '../measure.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SDK = path.join(ROOT, 'lib/aws/sdk');
/** What our own code of a function may weigh. */
const OURS_KB = 200;

/** What the functions weigh and take to load, and what synthesizing the default app takes. */
export async function measure({ scratch, pairs, report }) {
  const bare = path.join(scratch, 'bare.js');
  await bundleBare(scratch, bare);
  const bareKB = (await stat(bare)).size / 1000;
  for (const name of ['launch', 'reap']) {
    const ours = path.join(ROOT, 'dist/lambda', name, 'index.js');
    const KB = (await stat(ours)).size / 1000;
    const commands = 'a bundle of the same SDK commands alone';
    report(`the ${name} function's code`, { KB, baselineKB: bareKB, KBMore: KB - bareKB }, commands, OURS_KB, 'KBMore');
    const { one, baseline, ratio } = await sideBySide(pairs, loading(ours), loading(bare));
    report(`loading the ${name} function`, { ratio, ms: one, baselineMs: baseline }, commands, 1.3);
  }
  const empty = await writeEmptyApp(scratch);
  const { one, baseline, ratio } = await sideBySide(
    Math.min(pairs, 5),
    synthesizing(path.join(ROOT, 'dist/bin/app.js'), scratch),
    synthesizing(empty, scratch),
  );
  report('synth of the default app', { ratio, ms: one, baselineMs: baseline }, 'an app of one empty stack', 1.5);
}

/** As our functions are bundled, but with nothing of ours, and with the clients as they come. */
async function bundleBare(scratch, outfile) {
  const entry = path.join(scratch, 'bare.ts');
  const exports = await Promise.all((await readdir(SDK)).map((file) => readFile(path.join(SDK, file), 'utf8')));
  await writeFile(entry, `${exports.join('\n')}\nexport const handler = async () => undefined;\n`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node20.19',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'error',
    nodePaths: [path.join(ROOT, 'node_modules')],
  });
}

function loading(file) {
  const environment = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  return async () => (await mustRun(process.execPath, ['-e', `require(${JSON.stringify(file)})`], { env: environment })).ms;
}

async function writeEmptyApp(scratch) {
  const directory = path.join(scratch, 'empty-app');
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, 'app.js');
  const library = JSON.stringify(path.join(ROOT, 'node_modules/aws-cdk-lib'));
  await writeFile(file, `const { App, Stack } = require(${library});\nconst app = new App();\nnew Stack(app, 'Empty');\napp.synth();\n`);
  return file;
}

function synthesizing(app, scratch) {
  const env = { ...process.env, CDK_OUTDIR: path.join(scratch, 'cdk.out') };
  return async () => (await mustRun(process.execPath, [app], { env })).ms;
}
