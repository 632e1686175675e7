/** The verbs: what runs once the command line is parsed. A file of its own in the build. */
export { attach } from './attach';
export { complete, completion } from './completion';
export { deploy } from './deploy';
export { destroy } from './destroy';
export { doctor } from './doctor';
export { download } from './download';
export { envBuild } from './env/build';
export { envDiff, envShow } from './env/here';
export { envDelete, envList } from './env/kept';
export { exec } from './exec';
export { explain } from './explain';
export { extend } from './extend';
export { local } from './local';
export { logs } from './logs';
export { ps } from './ps';
export { reap } from './reap';
export { reportError } from './report-error';
export { run } from './run';
export { status } from './status';
export { stop } from './stop';

/** All of them, as the launcher loads them. */
export type Commands = typeof import('./index');
