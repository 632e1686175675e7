import path from 'node:path';
import { resolveArguments } from '../../capture/arguments';
import { resolveKept } from '../../capture/kept-paths';
import { capturePackages } from '../../capture/packages';
import type { Measure } from '../../capture/packages';
import { findRoot } from '../../capture/root';
import { captureSetup } from '../../capture/setup';
import { resolveUploads } from '../../capture/uploads';
import type { Upload } from '../../capture/uploads';
import { RawcloudError } from '../../contract';
import type { Found, Layer, Notice, SourceContent } from '../../contract';
import type { ClientDeps } from '../deps';
import { anyCommand } from '../environment/anything';
import { NODE_VERSION } from '../launch/node-pins';
import type { NormalRequest } from '../request';

/** What was found on the developer's machine, besides the files' contents. */
export interface Captured {
  /** Root of the synchronized tree, absolute. */
  readonly root: string;
  /** Working directory relative to the root, '' for the root. */
  readonly cwd: string;
  readonly argv: readonly string[];
  /** Paths named in the command or by packages, which travel even when ignored. */
  readonly include: readonly string[];
  /** What travels whole. */
  readonly uploads: readonly Upload[];
  /** What is kept whole of what the job writes, relative to the root. */
  readonly outputs: readonly string[];
  readonly layers: readonly Layer[];
  readonly contents: readonly SourceContent[];
  readonly found: readonly Found[];
  /** What builders of layers need and nobody may see. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
  /** What tells how large the environment is. */
  readonly measures: readonly Measure[];
}

/** Reads root, arguments and packages off the developer's machine; nothing is sent. An abort ends the programs that are asked. */
export async function capture(
  deps: Pick<ClientDeps, 'home' | 'env' | 'vmSystem' | 'local' | 'cacheDir' | 'here'>,
  request: Pick<NormalRequest, 'command' | 'cwd' | 'packages'> &
    Partial<
      Pick<
        NormalRequest,
        'devPackages' | 'packageChoices' | 'setup' | 'setupScript' | 'setupTimeoutS' | 'environmentOnly' | 'uploads' | 'keep'
      >
    >,
  arch: string,
  signal?: AbortSignal,
): Promise<Captured> {
  signal?.throwIfAborted();
  const root = await findRoot(request.cwd, { home: deps.home });
  const command = request.command.length > 0 ? request.command : await anyCommand(deps.env, { cwd: request.cwd, home: deps.home });
  const uploads = await resolveUploads(request.uploads ?? [], { root, cwd: request.cwd, home: deps.home });
  const words = await resolveArguments(command, { cwd: request.cwd, root, home: deps.home, env: deps.env, uploads });
  const platform = `${deps.vmSystem}-${arch}`;
  const { setup: commands = [], setupScript: script, setupTimeoutS: timeoutS, cwd } = request;
  const setup = await captureSetup({ commands, ...(script === undefined ? {} : { script }), timeoutS, cwd, root, platform });
  const packages = await capturePackages({
    root,
    cwd: request.cwd,
    argv: command,
    env: deps.env,
    platform,
    ...(request.packages ? { packages: request.packages } : {}),
    ...(request.devPackages ? { dev: true } : {}),
    vmNode: deps.local ? process.versions.node : NODE_VERSION,
    cacheDir: deps.cacheDir,
    here: deps.here,
    ...(request.packageChoices ? { packageChoices: request.packageChoices } : {}),
    ...(signal ? { signal } : {}),
  });
  if (request.environmentOnly && packages.layers.length === 0) throw nothingToBuild(request.command);
  return {
    root,
    cwd: path.relative(root, request.cwd).split(path.sep).join('/'),
    argv: words.argv,
    include: [...new Set([...words.include, ...packages.include])],
    uploads,
    outputs: resolveKept(request.keep ?? [], { root, cwd: request.cwd }),
    layers: [...(setup ? [setup.layer] : []), ...packages.layers],
    contents: [...(setup?.contents ?? []), ...packages.contents],
    found: [...(setup ? [setup.found] : []), ...packages.found],
    secrets: packages.secrets,
    measures: packages.measures,
    notices: [
      ...(request.environmentOnly ? [ENVIRONMENT_ONLY] : []),
      ...words.notices,
      ...packages.layers.flatMap((layer) => layer.notices),
    ],
  };
}

const ENVIRONMENT_ONLY: Notice = {
  level: 'info',
  text: 'the VM makes the environment and keeps it for later jobs; the job itself runs nothing but true',
};

function nothingToBuild(command: readonly string[]): RawcloudError {
  const [program] = command;
  const why =
    program === undefined ? 'nothing is active here, and no lockfile lies here' : `'${program}' needs neither Python nor Node packages`;
  return new RawcloudError('E_USAGE', `there is no environment to build: ${why}`, {
    remedy:
      'Name the command that it is for, as in: rawcloud env build -- python train.py. What --setup does is not kept: each VM does it.',
  });
}
