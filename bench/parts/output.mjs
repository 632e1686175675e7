import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { highestMemoryMiB, processesWith } from '../processes.mjs';
import { mustRun } from '../measure.mjs';

const BYTES = 2 ** 30;
const LINES = 5_000_000;

/** Much output: every byte, how fast, in how much memory. On machines that see the host's files, so that nobody has to make them. */
export async function measure(context) {
  const { rawcloud } = context;
  await rawcloud(['local', 'stop']);
  await rawcloud(['local', 'start', '--driver', 'process']);
  await measureOutput(context);
  await rawcloud(['local', 'stop']);
  await rawcloud(['local', 'start']);
}

async function measureOutput({ scratch, rawcloud, report }) {
  const file = path.join(scratch, 'gigabyte');
  const expected = await writeRandom(file);
  const watching = highestMemoryMiB(() => processesWith('/agent.js'));
  const begun = performance.now();
  const hash = createHash('sha256');
  let bytes = 0;
  await rawcloud(['run', '--quiet', '--', 'sh', '-c', `cat '${file}'`], {
    discard: true,
    onStdout: (data) => {
      bytes += data.length;
      hash.update(data);
    },
  });
  const ms = performance.now() - begun;
  const agentMiB = await watching.end();
  const baseline = (await mustRun('sh', ['-c', `cat '${file}' | sha256sum`])).ms;
  const isWhole = bytes === BYTES && hash.digest('hex') === expected;
  // Speeds, so that more is better: the gate is a least.
  report(
    '1 GiB of output, the whole run',
    { slownessRatio: ms / baseline, ms, baselineMs: baseline },
    'cat | sha256sum',
    5,
    'slownessRatio',
  );
  report('bytes of it that were lost or changed', { bytes: isWhole ? 0 : Math.max(1, Math.abs(BYTES - bytes)) }, 'none', 0, 'bytes');
  report("the agent's memory at its highest meanwhile", { MiB: agentMiB }, 'none', 150, 'MiB');

  const from = performance.now();
  let lines = 0;
  await rawcloud(['run', '--quiet', '--', 'seq', '1', String(LINES)], {
    discard: true,
    onStdout: (data) => {
      for (const byte of data) if (byte === 10) lines += 1;
    },
  });
  report('short lines', { perSecond: Math.round((LINES / (performance.now() - from)) * 1000), lost: LINES - lines }, 'none', 0, 'lost');
}

/** @returns its SHA-256 */
async function writeRandom(file) {
  const handle = await open(file, 'w');
  const hash = createHash('sha256');
  const block = randomBytes(2 ** 20);
  for (let i = 0; i < BYTES / block.length; i++) {
    block.writeUInt32LE(i);
    hash.update(block);
    await handle.write(block);
  }
  await handle.close();
  return hash.digest('hex');
}
