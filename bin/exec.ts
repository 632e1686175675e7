/** Commands on the VMs of running jobs, in a file of its own in the build: WebSockets and Session Manager are loaded by `exec` alone. */
export { openExec } from '../lib/runtime/exec/open';
