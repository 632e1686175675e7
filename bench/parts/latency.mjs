import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { median, percentile } from '../measure.mjs';

const TALKER = `
let n = 0;
const say = () => {
  process.stdout.write(Date.now() + '\\n');
  if (++n < 120) setTimeout(say, 20 + Math.random() * 480);
};
say();
`;

/** From a line that a job writes to the developer's terminal. */
export async function measure({ project, rawcloud, calls, report }) {
  await writeFile(path.join(project, 'talker.js'), TALKER);
  const delays = [];
  let rest = '';
  const onStdout = (data) => {
    const now = Date.now();
    const lines = (rest + data).split('\n');
    rest = lines.pop();
    for (const line of lines) delays.push(now - Number(line));
  };
  await rawcloud(['run', '--quiet', '--', 'node', 'talker.js'], { onStdout });
  const puts = (await calls()).filter((c) => c.operation === 'PutObject' && /\/vm\//.test(c.resource));
  const mine = puts.filter((c) => c.principal === puts.at(-1).principal);
  const seconds = (mine.at(-1).at - mine[0].at) / 1000;
  const figures = { medianMs: median(delays), p99Ms: percentile(delays, 0.99), lines: delays.length };
  report('a line from job to terminal', figures, 'none', 1000, 'medianMs');
  report('the slowest hundredth of them', { p99Ms: figures.p99Ms }, 'none', 2000, 'p99Ms');
  const beats = mine.filter((c) => c.resource.endsWith('beat.json')).length;
  const logs = mine.filter((c) => c.resource.includes('/log/')).length;
  report('PUTs of that VM under its own directory', { perSecond: mine.length / seconds, beats, logs, seconds }, 'none', 1, 'perSecond');
}
