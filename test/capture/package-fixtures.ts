import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { CaptureContext } from '../../lib/contract';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that is gone after the test. Its path has no links in it. */
export function scratch(): string {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'rawcloud-packages-')));
  made.push(directory);
  return directory;
}

/** Files by path; a value that is no string is JSON. */
export function write(root: string, files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

export function writeProgram(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, 0o755);
}

/** What pip leaves behind of a package. */
export interface FakePackage {
  readonly name: string;
  readonly version: string;
  readonly installer?: string;
  readonly directUrl?: unknown;
  readonly requires?: readonly string[];
  /** Of its wheel. @default - there is no WHEEL */
  readonly tag?: string;
  /** It was named on the installer's command line. */
  readonly requested?: boolean;
}

export function writeDistribution(
  site: string,
  { name, version, installer = 'pip', directUrl, requires = [], tag, requested }: FakePackage,
): void {
  const record = `${name.replaceAll('-', '_')}-${version}.dist-info`;
  write(site, {
    [`${record}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nSummary: Version: 9.9\n${requires.map((line) => `Requires-Dist: ${line}\n`).join('')}\nName: not-me\n`,
    [`${record}/RECORD`]: '',
    ...(installer ? { [`${record}/INSTALLER`]: `${installer}\n` } : {}),
    ...(tag ? { [`${record}/WHEEL`]: `Wheel-Version: 1.0\nTag: ${tag}\n` } : {}),
    ...(requested ? { [`${record}/REQUESTED`]: '' } : {}),
    ...(directUrl === undefined ? {} : { [`${record}/direct_url.json`]: directUrl }),
  });
}

/** A virtual environment as far as its files tell; its python does not run. @returns its site-packages */
export function writeVenv(prefix: string, packages: readonly FakePackage[], minor = '3.11', settings = ''): string {
  write(prefix, { 'pyvenv.cfg': `home = /usr/bin\ninclude-system-site-packages = false\nversion = ${minor}.4\n${settings}` });
  const site = path.join(prefix, 'lib', `python${minor}`, 'site-packages');
  mkdirSync(site, { recursive: true });
  for (const name of ['python', 'python3', `python${minor}`]) writeProgram(path.join(prefix, 'bin', name), '#!/bin/false\n');
  for (const fake of packages) writeDistribution(site, fake);
  return site;
}

export function context(root: string, argv: readonly string[], change: Partial<CaptureContext> = {}): CaptureContext {
  return {
    root,
    cwd: root,
    argv,
    env: { PATH: '/nowhere' },
    platform: 'linux-x86_64',
    vmNode: '22.3.0',
    cacheDir: '/nowhere/cache',
    ...change,
  };
}

/** The machine's own Python, for the few tests that need one to run. */
export const python3 = findPython3();

/** Tests of what only a real Python can show; skipped, and so said, where there is none. */
export const pythonTest = python3 === undefined ? test.skip : test;

function findPython3(): { executable: string; minor: string } | undefined {
  try {
    const question = 'import sys, venv, ensurepip; print(sys.executable); print("%d.%d" % sys.version_info[:2])';
    const [executable, minor] = execFileSync('python3', ['-I', '-c', question], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n');
    return executable && minor ? { executable, minor } : undefined;
  } catch {
    return undefined;
  }
}
