/*
 * npm run test:moto [-- jest's arguments]: ring 2, the tests in test/moto against an emulator that we did not write.
 * Without python3 or PyPI it says `skipped: …` as its last line and exits 0.
 */
import path from 'node:path';
import { runRing } from './house/ring.mjs';
import { ensureMoto } from './moto/environment.mjs';
import { startMoto } from './moto/server.mjs';
import { passedOver } from './moto/unproven.mjs';

await runRing('moto', async ({ directory, jest }) => {
  const python = await ensureMoto();
  const log = path.join(directory, 'moto.log');
  const server = await startMoto(python, log);
  try {
    await jest({ RAWCLOUD_MOTO_URL: server.url, RAWCLOUD_MOTO_LOG: log, RAWCLOUD_MOTO_PYTHON: python });
    sayUnproven(log);
  } finally {
    await server.stop();
  }
});

/** What this ring does not prove, so that nobody believes it does. The list of known deviations is in test/contract/deviations.ts. */
function sayUnproven(log) {
  const types = passedOver(log);
  if (types.length > 0) process.stderr.write(`not proven here: moto's CloudFormation passes over ${types.join(', ')}\n`);
}
