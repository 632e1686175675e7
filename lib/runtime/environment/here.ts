import os from 'node:os';
import path from 'node:path';
import { packagesOf } from '../../capture/inventory';
import type { CarriedPackage } from '../../capture/inventory';
import { findRoot } from '../../capture/root';
import { canonicalName } from '../../contract';
import type { Arch, Login, Notice } from '../../contract';
import type { ConnectOptions, RunRequest, TreeSize } from '../api';
import { cacheDirectory } from '../cache-directory';
import { findLogins } from '../logins';
import { capture } from '../run/capture';
import { bytesOf, measureEnvironment } from '../run/disk';
import type { EnvironmentSize } from '../run/disk';
import { diffTree } from '../sync/diff';
import type { TreeDiff } from '../sync/diff';
import { measureTree } from '../sync/sync';
import { lastRun } from './last-run';
import type { LastRun } from './last-run';

/** What a command would take along. */
export interface EnvironmentRequest {
  /** As typed. @default - a shell: whatever environment is active here, or lies in `.venv` */
  readonly command?: readonly string[];
  /** @default - as of the last run for a comparison, else what is installed or the lockfile that says the same */
  readonly packages?: RunRequest['packages'];
  /** As of a run. @default - as of the last run for a comparison, else none */
  readonly setup?: readonly string[];
  readonly setupScript?: string;
  /** Of the VM. @default - this machine's */
  readonly arch?: Arch;
  /** @default - none */
  readonly logins?: readonly Login[];
  /** @default 'forward' */
  readonly credentials?: 'forward' | 'none';
}

/** What would be synchronized for a command that is started here. Nothing of it was sent. */
export interface ShownEnvironment {
  readonly command: readonly string[];
  readonly root: string;
  /** Interpreters and projects: `Python 3.11 (.venv)`. */
  readonly found: readonly {
    readonly kind: string;
    readonly title: string;
    /** What its packages take on a disk; absent where nothing here says so. */
    readonly installedBytes?: number;
  }[];
  readonly packages: readonly CarriedPackage[];
  /** What travels besides the tree: sources of packages. */
  readonly packageBytes: number;
  readonly files: TreeSize;
  /** What would travel as the job's identity and logins, by name. */
  readonly access: readonly string[];
  /** What is left out, changed or worth knowing, in the order in which it was found. */
  readonly notices: readonly Notice[];
}

export interface ChangedPackage {
  readonly kind: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** What is not as it was at the last run of the project. */
export interface EnvironmentDiff {
  /** Absent when no run of the project was started here. */
  readonly since?: { readonly job: string; readonly at: number; readonly command: readonly string[] };
  readonly root: string;
  readonly found: readonly ChangedPackage[];
  readonly packages: {
    readonly added: readonly CarriedPackage[];
    readonly removed: readonly CarriedPackage[];
    readonly changed: readonly ChangedPackage[];
  };
  /** Absent when it is not known how they were. */
  readonly files?: TreeDiff;
}

/** This machine's part of a run; no account is asked. */
export interface EnvironmentHere {
  show(request: EnvironmentRequest, options?: { signal?: AbortSignal }): Promise<ShownEnvironment>;
  diff(request: EnvironmentRequest, options?: { signal?: AbortSignal }): Promise<EnvironmentDiff>;
}

type Place = Pick<ConnectOptions, 'env' | 'cwd' | 'local' | 'profile'>;

export function environmentHere(place: Place): EnvironmentHere {
  const here = new Here(place);
  return {
    show: (request, { signal } = {}) => here.show(request, signal),
    diff: (request, { signal } = {}) => here.diff(request, signal),
  };
}

class Here {
  readonly #home: string;
  readonly #system: string;

  constructor(private readonly place: Place) {
    this.#home = place.env['HOME'] ?? os.homedir();
    this.#system = place.local ? process.platform : 'linux';
  }

  async show(request: EnvironmentRequest, signal?: AbortSignal): Promise<ShownEnvironment> {
    const { env, cwd } = this.place;
    const command = request.command ?? [];
    const captured = await this.#capture(command, cwd, request, signal);
    const { root, include, layers, contents, found } = captured;
    const [size, measured, logins] = await Promise.all([
      measureEnvironment(captured),
      measureTree({ root, include, home: this.#home, env, ...(signal ? { signal } : {}) }),
      findLogins(request.logins ?? [], { env, home: this.#home, cwd, ...(signal ? { signal } : {}) }),
    ]);
    return {
      command: request.command ?? [],
      root,
      found: found.map(({ kind, title }) => {
        const bytes = bytesOf(size.sizes[kind] ?? {});
        return { kind, title, ...(bytes > 0 ? { installedBytes: bytes } : {}) };
      }),
      packages: (await packagesOf(layers, captured)).map((one) => withSize(one, found, size)),
      packageBytes: contents.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      files: measured.size,
      access: [...this.#identity(request), ...(request.logins ?? []).map((login) => `login ${login}`), ...secretNames(captured.secrets)],
      notices: [...captured.notices, ...size.notices, ...logins.notices, ...measured.notices],
    };
  }

  async diff(request: EnvironmentRequest, signal?: AbortSignal): Promise<EnvironmentDiff> {
    const root = await findRoot(this.place.cwd, { home: this.#home });
    const cacheDir = cacheDirectory(this.place.env, this.#home);
    const last = await lastRun(cacheDir, root);
    const command = request.command ?? last?.command ?? [];
    const cwd = request.command ? this.place.cwd : path.join(root, last?.cwd ?? path.relative(root, this.place.cwd));
    const lastSetup = request.setup === undefined && request.setupScript === undefined ? last?.setup : undefined;
    const asLast = {
      ...(last?.packagesFrom ? { packages: last.packagesFrom } : {}),
      ...(lastSetup ? { setup: lastSetup.commands } : {}),
      ...(lastSetup?.script === undefined ? {} : { setupScript: lastSetup.script }),
    };
    const captured = await this.#capture(command, cwd, { ...asLast, ...request }, signal);
    const { include, found } = captured;
    const packages = await packagesOf(captured.layers, captured);
    if (!last) return { root, found: [], packages: { added: packages, removed: [], changed: [] } };
    const files = await diffTree({
      root,
      include,
      home: this.#home,
      env: this.place.env,
      treeCacheDirectory: path.join(cacheDir, 'trees', last.bucket),
      ...(signal ? { signal } : {}),
    });
    return {
      since: { job: last.job, at: last.at, command: last.command },
      root,
      found: changedTitles(last, found),
      packages: comparePackages(last.packages, packages),
      ...(files ? { files } : {}),
    };
  }

  #capture(
    command: readonly string[],
    cwd: string,
    { arch, packages, setup, setupScript }: EnvironmentRequest,
    signal?: AbortSignal,
  ): ReturnType<typeof capture> {
    const { env, local = false } = this.place;
    const here = `${process.platform}-${process.arch === 'arm64' ? 'arm64' : 'x86_64'}`;
    const deps = { home: this.#home, env, vmSystem: this.#system, local, cacheDir: cacheDirectory(env, this.#home), here };
    return capture(
      deps,
      {
        command,
        cwd,
        ...(packages ? { packages } : {}),
        ...(setup ? { setup } : {}),
        ...(setupScript === undefined ? {} : { setupScript }),
      },
      arch ?? (process.arch === 'arm64' ? 'arm64' : 'x86_64'),
      signal,
    );
  }

  #identity({ credentials }: EnvironmentRequest): string[] {
    const { env, profile, local } = this.place;
    if (credentials === 'none') return [];
    if (local) return ['AWS: the identity of the local cloud'];
    const named = profile ?? (env['AWS_ACCESS_KEY_ID'] ? undefined : (env['AWS_PROFILE'] ?? 'default'));
    return [named === undefined ? 'AWS: the identity of AWS_ACCESS_KEY_ID' : `AWS: the identity of profile ${named}, if there is one`];
  }
}

/** pip's packages of a conda environment are measured with it. */
function withSize(one: CarriedPackage, found: readonly { readonly kind: string }[], { sizes }: EnvironmentSize): CarriedPackage {
  const name = canonicalName(one.name);
  const [bytes] = found.flatMap(({ kind }) => (kind === one.kind || kind === 'conda' ? (sizes[kind]?.[name] ?? []) : []));
  return bytes === undefined ? one : { ...one, installedBytes: bytes };
}

/** Names alone. */
function secretNames(secrets: Readonly<Record<string, string>>): string[] {
  return Object.keys(secrets).map((name) => `${name.replace(':', ' ')}, for whoever installs packages`);
}

function changedTitles({ titles }: LastRun, found: readonly { readonly kind: string; readonly title: string }[]): ChangedPackage[] {
  const now = Object.fromEntries(found.map(({ kind, title }) => [kind, title]));
  const kinds = [...new Set([...Object.keys(titles), ...Object.keys(now)])];
  return kinds.flatMap((kind) => {
    const [from, to] = [titles[kind] ?? 'none', now[kind] ?? 'none'];
    return from === to ? [] : [{ kind, name: kind, from, to }];
  });
}

/** One version of a name for another is a change; where a name has several, each is for itself. */
export function comparePackages(before: readonly CarriedPackage[], now: readonly CarriedPackage[]): EnvironmentDiff['packages'] {
  const same = (a: CarriedPackage): string => [a.kind, a.name, a.version, a.from, a.bytes ?? ''].join('\n');
  const [old, fresh] = [new Set(before.map(same)), new Set(now.map(same))];
  const removed = before.filter((one) => !fresh.has(same(one)));
  const added = now.filter((one) => !old.has(same(one)));
  const changed: ChangedPackage[] = [];
  const isOf = (one: CarriedPackage) => (other: CarriedPackage) => other.kind === one.kind && other.name === one.name;
  const pairs = new Set<CarriedPackage>();
  for (const to of added) {
    const [from, more] = removed.filter(isOf(to));
    if (!from || more || added.filter(isOf(to)).length > 1) continue;
    changed.push({ kind: to.kind, name: to.name, ...difference(from, to) });
    pairs.add(from).add(to);
  }
  return { added: added.filter((one) => !pairs.has(one)), removed: removed.filter((one) => !pairs.has(one)), changed };
}

function difference(from: CarriedPackage, to: CarriedPackage): { from: string; to: string } {
  if (from.version !== to.version) return { from: from.version || from.from, to: to.version || to.from };
  return from.from !== to.from ? { from: from.from, to: to.from } : { from: from.version, to: `${to.version}, with other content` };
}
