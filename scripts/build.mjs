/* npm run build [-- --bundles]: what the package holds; with --bundles only what esbuild makes; with --clean from nothing. */
import { rmSync } from 'node:fs';
import { ensureInstalled } from './house/install.mjs';

await ensureInstalled();
const { buildAll, DIST, ensureBuilt } = await import('./house/build.mjs');
if (process.argv.includes('--clean')) rmSync(DIST, { recursive: true, force: true });
await (process.argv.includes('--bundles') ? ensureBuilt() : buildAll());
