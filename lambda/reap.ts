import { connectDuties } from '../lib/runtime/duties';
import type { ReapReport } from '../lib/runtime';
import { metricLine, METRICS_VARIABLE } from '../lib/contract';

/** One pass of the reaper. What it could not prove fails the call, after everything else was done. */
export async function handler(): Promise<ReapReport> {
  const client = await connectDuties({ env: process.env, cwd: '/tmp', scaffold: process.env['RAWCLOUD_SCAFFOLD'] ?? 'default' });
  try {
    const report = await client.reap();
    console.log(JSON.stringify(report));
    const counted = process.env[METRICS_VARIABLE] ? metricLine(client.scaffold.name, Date.now(), report) : undefined;
    // As it is: what Lambda puts before a line of `console.log`, CloudWatch would have to see through.
    if (counted) process.stdout.write(`${counted}\n`);
    if (report.unproved.length === 0) return report;
    throw new Error(`not proved: ${report.unproved.map(({ what, error }) => `${what}: ${error}`).join('; ')}`);
  } finally {
    await client.close();
  }
}
