/* npm run chaos [-- --seed N] [--minutes M] [--rounds R]: random runs under random kills and faults, judged by docs/protocol.md. */
import { parseArgs } from 'node:util';
import { ensureInstalled } from './house/install.mjs';
import { run } from './house/command.mjs';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, minutes: { type: 'string', default: '1' }, rounds: { type: 'string' } },
});
// The seed is printed: a finding is looked at again with --seed and --rounds 1.
const seed = values.seed ?? String(Math.floor(Math.random() * 1e6));

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
const env = {
  ...process.env,
  RAWCLOUD_CHAOS_SEED: seed,
  RAWCLOUD_CHAOS_SECONDS: String(Number(values.minutes) * 60),
  ...(values.rounds ? { RAWCLOUD_CHAOS_ROUNDS: values.rounds } : {}),
};
process.exitCode = await run(process.execPath, ['node_modules/jest/bin/jest.js', '--testMatch', '**/*.chaos.ts'], { env });
