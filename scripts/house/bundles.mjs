/**
 * Every file that esbuild makes, each whole: no node_modules at run time. A dynamic import of another entry
 * stays one (it becomes a require of that entry's output), so that `rawcloud --help` loads the first file only.
 * @typedef {{ entry: string, out: string, minify?: 'all' | 'but names', external?: string[] }} Bundle
 * @type {readonly Bundle[]}
 */
export const BUNDLES = [
  { entry: 'bin/rawcloud.ts', out: 'bin/rawcloud.js' },
  { entry: 'bin/commands/index.ts', out: 'bin/commands.js' },
  // The SDK is read faster without its white space; names stay, so that a stack trace tells something.
  { entry: 'bin/backend.ts', out: 'bin/backend.js', minify: 'but names' },
  { entry: 'bin/admin.ts', out: 'bin/admin.js', minify: 'but names' },
  { entry: 'bin/exec.ts', out: 'bin/exec.js', minify: 'but names' },
  // WebSockets of the local cloud, which few of its users need.
  { entry: 'lib/local/sessions/websocket.ts', out: 'bin/websocket.js', minify: 'but names' },
  // A thread of the client that reads the files of a large tree.
  { entry: 'lib/store/reading/serve.ts', out: 'bin/read-files.js', minify: 'but names' },
  { entry: 'lib/agent/main.ts', out: 'agent/agent.js', minify: 'all' },
  // Each becomes the code of a function, whose start is paid for by the millisecond.
  { entry: 'lambda/launch.ts', out: 'lambda/launch/index.js', minify: 'but names' },
  { entry: 'lambda/reap.ts', out: 'lambda/reap/index.js', minify: 'but names' },
  { entry: 'bin/synth-capture.ts', out: 'bin/synth-capture.js' },
  // The CDK app runs where aws-cdk-lib is installed: bundling that would add 10 MB.
  { entry: 'bin/app.ts', out: 'bin/app.js', external: ['aws-cdk-lib', 'constructs'] },
];
