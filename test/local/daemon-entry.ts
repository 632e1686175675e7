/** Stands for the CLI's script: `node <this> local serve`. */
import { DRIVER_VARIABLE, parseDriverChoice } from '../../lib/local/drivers/driver-choice';
import { serveLocalCloud } from '../../lib/local/serve';

const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());

const stateDir = process.env['RAWCLOUD_LOCAL_DIR']!;
const driver = parseDriverChoice(process.env[DRIVER_VARIABLE]);
serveLocalCloud({ stateDir, driver, signal: end.signal, imageNode: false, userData: () => '#!/bin/bash\n' }).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
