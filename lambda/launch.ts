import { connectDuties } from '../lib/runtime/duties';
import type { StartedTick, TickRequest } from '../lib/runtime';
import type { Duties } from '../lib/runtime/duties';
import { tickOf } from '../lib/contract';

let client: Promise<Duties> | undefined;

/**
 * Runs a deployed job for one tick. The event names the job and the tick; what runs stands in the parameter that
 * CloudFormation wrote. A failure is thrown: EventBridge delivers again, and the next call finishes the same launch.
 */
export async function handler(event: unknown): Promise<StartedTick> {
  const tick: TickRequest = tickOf(event);
  client ??= connectDuties({ env: process.env, cwd: '/tmp', scaffold: process.env['RAWCLOUD_SCAFFOLD'] ?? 'default' });
  const started = await (await forgetFailure(client)).start(tick);
  console.log(JSON.stringify({ ...tick, ...started, input: undefined }));
  return started;
}

/** A connection that could not be made is made anew by the next call. */
async function forgetFailure(connecting: Promise<Duties>): Promise<Duties> {
  try {
    return await connecting;
  } catch (error) {
    client = undefined;
    throw error;
  }
}
