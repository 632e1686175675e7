import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Where a machine's root is put together, in a mount namespace of its own, before it becomes `/`. */
export const STAGE = '/mnt';

/** Top-level directories that are the host's, each under a layer of the machine's own. */
export const SHARED = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'etc'] as const;

/** Directories of the machine alone. */
export const OWN = ['dev', 'dev/pts', 'dev/shm', 'home', 'mnt', 'opt', 'proc', 'root', 'run', 'srv', 'sys', 'tmp', 'var'] as const;

/** Host devices that every program may expect. */
export const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;

/** What of the host's root is a directory to share and what a link (`/bin` to `usr/bin`) to make anew. */
export interface HostRoot {
  readonly directories: readonly string[];
  readonly links: Readonly<Record<string, string>>;
}

export function hostRoot(): HostRoot {
  const names = new Set<string>(SHARED);
  const entries = readdirSync('/', { withFileTypes: true }).filter(({ name }) => names.has(name));
  return {
    directories: entries.filter((e) => e.isDirectory()).map((e) => e.name),
    links: Object.fromEntries(entries.filter((e) => e.isSymbolicLink()).map((e) => [e.name, readlinkSync(path.join('/', e.name))])),
  };
}

export interface MountsOptions {
  /** The machine's directory. */
  readonly root: string;
  /** Host files that appear in the machine: from path to path below the root, where an empty file stands. */
  readonly files: Readonly<Record<string, string>>;
  /** Directories of the host's root, without slash, that are shared. */
  readonly shared: readonly string[];
}

/** By which a program knows one boot from another. */
const BOOT_ID = 'proc/sys/kernel/random/boot_id';

type Line = readonly [source: string, target: string, type: string, options: string];

/**
 * The mounts of a machine as an fstab for `mount -a`, which makes them all in one process: a `mount` each would cost 40 ms.
 * The order is that of mounting. Once the root lies on the stage every path is short and plain, whatever the machine's
 * directory is called.
 */
export function mountTable({ root, files, shared }: MountsOptions): string {
  const at = (name: string): string => `${STAGE}/${name}`;
  const bind = (source: string, name: string): Line => [source, at(name), 'none', 'bind'];
  // Not every kernel has them.
  const over = (source: string, name: string): Line[] => (existsSync(`/${name}`) ? [bind(source, name)] : []);
  const lines: Line[] = [
    ...Object.entries(files).map(([to, from]): Line => [from, path.join(root, to), 'none', 'bind']),
    [root, STAGE, 'none', 'rbind'],
    ...shared.map((name): Line => ['overlay', at(name), 'overlay', overlay(name)]),
    ['proc', at('proc'), 'proc', 'nosuid,nodev,noexec'],
    ['sysfs', at('sys'), 'sysfs', 'ro,nosuid,nodev,noexec,nofail'],
    ...DEVICES.map((name) => bind(`/dev/${name}`, `dev/${name}`)),
    // What goes to the console of a boot is what init and user data write; a file here would be emptied by `>`.
    bind('/dev/null', 'dev/console'),
    bind(at('.machine/requests'), 'dev/initctl'),
    ['devpts', at('dev/pts'), 'devpts', 'newinstance,ptmxmode=0666,mode=620,nofail'],
    ['tmpfs', at('dev/shm'), 'tmpfs', 'mode=1777,nosuid,nodev'],
    ['tmpfs', at('run'), 'tmpfs', 'mode=755,nosuid,nodev'],
    // To a root with the host's own number the kernel's settings would be open, and are the host's.
    [at('proc/sys'), at('proc/sys'), 'none', 'bind,ro'],
    ...over('/dev/null', 'proc/sysrq-trigger'),
    ...over(at('.machine/boot-id'), BOOT_ID),
    ['tmpfs', at('.machine'), 'tmpfs', 'mode=700,size=4k'],
  ];
  return lines.map((line) => [...line, '0', '0'].map(escaped).join(' ') + '\n').join('');
}

/** The machine's own changes lie where they would on a plain disk; the host's files below are never written. */
function overlay(name: string): string {
  return `lowerdir=/${name},upperdir=${STAGE}/${name},workdir=${STAGE}/.machine/work/${name},userxattr`;
}

/** Source: fstab(5), getmntent(3). */
function escaped(field: string): string {
  return field.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
