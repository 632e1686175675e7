/* npm run demo: a real job in the local cloud, from a fresh clone on. */
import { ensureInstalled } from './house/install.mjs';

await ensureInstalled();
const { ensureBuilt } = await import('./house/build.mjs');
await ensureBuilt();
await import('./demo/run.mjs');
