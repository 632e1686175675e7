/** What is done to the account itself, in a file of its own in the build: jobs start without it. */
export { openDestruction } from '../lib/runtime/destroy/open';
export { openDoctor } from '../lib/runtime/doctor/open';
export { openDeployment } from '../lib/runtime/deploy/open';
