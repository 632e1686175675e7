/** Everything heavy, in a file of its own in the build: the runtime with the AWS SDK, and the local cloud. */
export { connect, environmentHere } from '../lib/runtime';
export { localCloud } from '../lib/local';
