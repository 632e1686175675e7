import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { RawcloudError } from '../../lib/contract';
import type { BuildIo, Layer } from '../../lib/contract';

/** A VM's side of a build, on this machine: commands are really run, in an environment that holds nothing but what is given. */
export interface FakeVm extends BuildIo {
  readonly lines: string[];
  /** Commands that were run, as typed. */
  readonly commands: string[];
  /** Adds a source. @returns its hash */
  addSource(bytes: Uint8Array | string): string;
}

export function fakeVm(
  directory: string,
  options: { path: readonly string[]; signal?: AbortSignal; node?: string; secrets?: Readonly<Record<string, string>> },
): FakeVm {
  const root = path.join(directory, 'tree');
  const home = path.join(directory, 'home');
  for (const made of [root, home]) mkdirSync(made, { recursive: true });
  const sources = new Map<string, Uint8Array>();
  const env = { PATH: options.path.join(path.delimiter), HOME: home, TMPDIR: home };
  const signal = options.signal ?? new AbortController().signal;
  const lines: string[] = [];
  const commands: string[] = [];
  return {
    root,
    directory: path.join(directory, 'layer'),
    env,
    node: options.node ?? process.execPath,
    signal,
    secrets: options.secrets ?? {},
    variables: {},
    machine: { isRoot: false, isOwn: true, user: 'tester' },
    lines,
    commands,
    addSource: (bytes) => {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      sources.set(sha256, Buffer.from(bytes));
      return sha256;
    },
    source: (sha256) => {
      const bytes = sources.get(sha256);
      return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no source ${sha256}`));
    },
    log: (line) => void lines.push(line),
    run: async (command, args, { cwd = root, env: extra = {}, onLine } = {}) => {
      commands.push([command, ...args].join(' '));
      const child = spawn(command, args, { cwd, env: { ...env, ...extra }, signal, stdio: ['ignore', 'pipe', 'pipe'] });
      const said = (line: string): void => {
        lines.push(line);
        onLine?.(line);
      };
      createInterface(child.stdout).on('line', said);
      createInterface(child.stderr).on('line', said);
      const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
      if (code !== 0) throw new RawcloudError('E_ENVIRONMENT', `${path.basename(command)} exited with ${code}`);
    },
  };
}

export function layer(kind: string, recipe: Record<string, unknown>): Layer {
  return { kind, key: 'k', platform: 'linux-x86_64', recipe, sources: [], notices: [] };
}
