import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layer } from '../../lib/contract';
import { python3, pythonTest, scratch, writeProgram } from '../capture/package-fixtures';
import { spec } from '../fakes/records';
import { TestVm } from './vm';

const vms: TestVm[] = [];
afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.remove();
});

/** Lines of a build that goes well, on both of an installer's outputs, before and after the words that matter. */
const BEFORE = Array.from({ length: 300 }, (_, number) => `Downloading package-${number}`);
const AFTER = ['hint: see the manual', '  at the end of it all'];

/** A VM whose uv says these words while it installs, and fails. */
async function failing(said: readonly string[], recipe: Readonly<Record<string, unknown>> = {}): Promise<TestVm> {
  const directory = scratch();
  writeFileSync(path.join(directory, 'said'), [...BEFORE, ...said, ...AFTER].join('\n'));
  const uv = `#!/bin/sh\n[ "$1" = venv ] && exec mkdir -p "$4/lib/python${python3!.minor}/site-packages"\nhead -n 150 ${directory}/said\ntail -n +151 ${directory}/said >&2\nexit 2\n`;
  writeProgram(path.join(directory, 'bin', 'uv'), uv);
  const whole = { python: python3!.minor, requirements: ['numpy==1.26.4', 'six==1.16.0'], uv: false, ...recipe };
  const layer: Layer = { kind: 'python', key: 'k', platform: 'linux-x86_64', recipe: whole, sources: [], notices: [] };
  const { environment } = spec();
  const vm = await TestVm.run({
    argv: ['true'],
    // No compiler.
    path: [path.join(directory, 'bin'), pythonAlone(directory), '/bin'].join(':'),
    spec: { environment: { ...environment, layers: [layer] } },
  });
  vms.push(vm);
  return vm;
}

function pythonAlone(directory: string): string {
  writeProgram(path.join(directory, 'python', 'python3'), `#!/bin/sh\nexec ${python3!.executable} "$@"\n`);
  return path.join(directory, 'python');
}

interface Failing {
  readonly said: readonly string[];
  readonly message: RegExp;
  readonly remedy: RegExp;
  readonly recipe?: Readonly<Record<string, unknown>>;
}

/* The words are those of uv 0.13 and pip 26. */
const FAILURES: Readonly<Record<string, Failing>> = {
  'a version that is nowhere': {
    said: ['  cause: Because there is no version of numpy==1.26.4 and you require numpy==1.26.4, we can conclude that'],
    message: /^the Python packages could not be installed: numpy has no version 1\.26\.4 in the package index$/,
    remedy: /--package-strictness numpy=compatible .* --package-ignore numpy leaves it out/,
  },
  'no wheel for the platform': {
    said: ['  cause: Because numpy==1.26.4 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`)'],
    message: /: numpy has no build for this platform$/,
    remedy: /--package-strictness numpy=compatible/,
  },
  'no wheel and no compiler': {
    said: ['error: Failed to build `numpy==1.26.4`', "  error: command 'cc' failed: No such file or directory"],
    message: /: numpy could not be built on the VM/,
    remedy: /dnf install -y gcc.*--package-ignore numpy/,
  },
  'a wheel with a wrong hash': {
    said: [
      'error: Failed to download `numpy==1.26.4`',
      '  Hash mismatch for `numpy==1.26.4`',
      'Expected:',
      '  sha256:00',
      'Computed:',
      '  sha256:11',
    ],
    message: /: numpy does not have the hash that the lockfile says/,
    remedy: /Lock again and look at what changed/,
  },
  'packages that exclude each other': {
    said: ['  cause: Because only numpy<=1.26.4 is available and numpy==1.26.4 depends on six>=2, we can conclude'],
    message: /: numpy needs other versions than those that are here$/,
    remedy: /--package-strictness numpy=loose lets the VM choose/,
  },
  'an index that goes in the middle': {
    said: ['error: Failed to fetch: `https://index.example.com/simple/six/`', '  cause: Connection reset by peer (os error 104)'],
    message: /^the package index index\.example\.com did not answer the VM$/,
    remedy: /Check that it is up, and that the VM has a way to it/,
  },
  'an index that refuses': {
    said: [
      'hint: An index URL (https://index.example.com/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)',
    ],
    message: /^the package index index\.example\.com refused the VM; tried were the credentials of netrc$/,
    remedy: /Check here that they are right/,
    recipe: { credentials: { 'https://index.example.com/simple': 'netrc' } },
  },
  'a full disk': {
    said: ['error: Failed to install: numpy-1.26.4.whl', '  cause: failed to copy file: No space left on device (os error 28)'],
    message: /^the VM's disk is full: the Python packages did not fit/,
    remedy: /^Give the VM more disk \(--disk\)/,
  },
};

pythonTest.each(Object.entries(FAILURES))(
  'a build that fails for %s: the log has every line of it, the error names package, reason and remedy',
  async (_what, { said, message, remedy, recipe }) => {
    const vm = await failing(said, recipe);
    expect(await vm.outcome()).toMatchObject({
      outcome: 'environment',
      exitCode: 119,
      message: expect.stringMatching(message) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
    expect((await vm.outcome()).remedy).toContain('rawcloud logs --environment');
    const log = (await vm.text('environment')).split('\n');
    for (const line of [...BEFORE, ...said, ...AFTER]) expect(log).toContain(line);
    expect(log.filter((line) => line.startsWith('Downloading'))).toEqual(BEFORE);
  },
);
