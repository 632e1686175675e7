/* npm test [-- jest's arguments]: from a fresh clone on. */
import { ensureInstalled } from './house/install.mjs';
import { run } from './house/command.mjs';

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
process.exitCode = await run(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)]);
