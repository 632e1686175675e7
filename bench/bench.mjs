/*
 * Ratios, measured side by side in one run, against the baseline that each line names. `npm run bench`.
 * Usage: node bench/bench.mjs [--pairs 9] [--json] [part …]
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { openContext } from './context.mjs';

// The SDK's word about Node versions is no finding.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** Each a file in parts/ of that name. */
const PARTS = [
  'startup',
  'agent',
  'latency',
  'floor',
  'output',
  'rest',
  'files',
  'transfer',
  'capture',
  'environments',
  'reaper',
  'lambda',
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}; there are ${PARTS.join(', ')}`);

const context = await openContext({ pairs: Math.max(7, Number(options.pairs)), json: options.json });
try {
  const wanted = positionals.length > 0 ? positionals : PARTS;
  if (wanted.some((part) => part !== 'startup')) await context.rawcloud(['local', 'start']);
  for (const part of wanted) {
    const { measure } = await import(`./parts/${part}.mjs`);
    await measure(context);
  }
  if (options.json) console.log(JSON.stringify(context.rows, null, 1));
} finally {
  await context.close();
}
