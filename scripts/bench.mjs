/* npm run bench: figures as ratios within one run. */
import { ensureInstalled } from './house/install.mjs';

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
await import('../bench/bench.mjs');
