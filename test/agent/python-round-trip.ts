import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { builders } from '../../lib/agent/builders';
import { capturePackages } from '../../lib/capture/packages';
import type { Built, Layer } from '../../lib/contract';
import { context, python3, scratch } from '../capture/package-fixtures';
import { fakeVm } from './build-io';
import type { FakeVm } from './build-io';
import { Wheels } from './wheels';

/** An environment that was captured, and its twin on another machine with the tree in another place. */
export interface Twin {
  readonly layer: Layer;
  readonly built: Built;
  readonly io: FakeVm;
  readonly wheels: Wheels;
  /** Runs a program of the twin, or its Python. */
  run(program: string, ...args: readonly string[]): string;
}

export interface TwinOptions {
  /** The synchronized tree here. */
  readonly root: string;
  readonly venv: string;
  readonly wheels?: Wheels;
  /** More of PATH on the VM. @default - a C compiler's, and nothing else */
  readonly path?: readonly string[];
  /** Of the tree there. @default - all of the tree here but the environment */
  readonly carries?: (file: string) => boolean;
}

/** Captures an environment here and builds it there, with an installer that asks no network. */
export async function twin({ root, venv, path: more = ['/usr/bin', '/bin'], ...options }: TwinOptions): Promise<Twin> {
  const env = { VIRTUAL_ENV: venv, PATH: `${venv}/bin:/usr/bin:/bin`, HOME: '/nowhere', PIP_CONFIG_FILE: '/dev/null' };
  const { layers, contents } = await capturePackages(context(root, ['python', 'a.py'], { env }));
  const there = scratch();
  const wheels = options.wheels ?? new Wheels(path.join(there, 'wheels'));
  const io = fakeVm(there, { path: [wheels.bin, path.dirname(python3!.executable), ...more] });
  const carries = options.carries ?? (() => true);
  cpSync(root, io.root, { recursive: true, filter: (from) => path.resolve(from) !== path.resolve(venv) && carries(from) });
  for (const { bytes } of contents) io.addSource(bytes);
  const built = await builders['python']!.build(layers[0]!, io);
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(path.join(built.path[0]!, program), args, { encoding: 'utf8', cwd: '/' }).trim();
  return { layer: layers[0]!, built, io, wheels, run };
}
