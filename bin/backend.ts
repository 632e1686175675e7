/** Everything heavy, in a file of its own in the build: the runtime with the AWS SDK, and the local cloud. */
import type { ConnectOptions } from '../lib/runtime/api';
import type { Doctor } from '../lib/runtime/doctor/open';

export { connect } from '../lib/runtime';
export { localCloud } from '../lib/local';

/** What administrators do is loaded when it is done: jobs start without it. */
export async function openDoctor(options: ConnectOptions): Promise<Doctor> {
  return (await import('../lib/runtime/doctor/open.js')).openDoctor(options);
}
