import { PassThrough } from 'node:stream';
import { systemClock } from '../../lib/contract';
import type { Context } from '../context';
import { createProgram } from '../program';
import { Sink } from '../sink';
import { errorsPage } from './errors-page';
import { jsonPage } from './json-page';
import { referencePage } from './reference-page';

/** The pages that are made from the code: path below the repository's root, and text. */
export function pages(): readonly { readonly path: string; readonly text: string }[] {
  return [
    { path: 'docs/reference.md', text: referencePage(createProgram(nowhere(), async () => undefined)) },
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/json.md', text: jsonPage() },
  ];
}

/** A context in which nothing is run: verbs are declared only. */
function nowhere(): Context {
  const stream = new PassThrough();
  const unused = () => Promise.reject(new Error('verbs are not run here'));
  const io: Context['io'] = {
    stdout: stream,
    stderr: stream,
    stdin: { kind: 'none', isTTY: false, read: () => new PassThrough().end(), ask: unused },
    env: {},
    cwd: '/',
    clock: systemClock,
    signals: { listen: () => () => undefined },
    connect: unused,
    environmentHere: unused,
    openDoctor: unused,
    openExec: unused,
    openDeployment: unused,
    openDestruction: unused,
    localCloud: unused,
  };
  return { io, out: new Sink(stream), err: new Sink(stream) };
}
