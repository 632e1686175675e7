import path from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { mustRun } from '../measure.mjs';

const VMS = 10_000;
/** What the function has: see lib/constructs/functions.ts. */
const FUNCTION_S = 300;
const FUNCTION_MIB = 512;

/** A pass of the reaper over a large account. */
export async function measure({ scratch, report }) {
  const program = path.join(scratch, 'reap-pass.js');
  const entry = path.resolve(import.meta.dirname, '../reap-pass.ts');
  await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' });
  const { stdout } = await mustRun(process.execPath, [`--max-old-space-size=${FUNCTION_MIB}`, program, String(VMS)]);
  const { seconds, peakMiB, requests, jobs, removed, unproved } = JSON.parse(stdout);
  if (jobs + removed !== VMS || unproved > 0) throw new Error(`the pass went wrong: ${stdout}`);
  report(
    `a pass of the reaper over ${VMS} VMs, a tenth of them left behind`,
    { seconds, requests },
    'the time a function has',
    FUNCTION_S,
    'seconds',
  );
  report('its memory, with the account that it looks at', { peakMiB }, 'the memory a function has', FUNCTION_MIB, 'peakMiB');
}
