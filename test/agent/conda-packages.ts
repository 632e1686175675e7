import { python3 } from '../capture/package-fixtures';
import { PLACEHOLDER } from './conda-channel';
import type { CondaChannel, MadePackage } from './conda-channel';

/** Packages of every kind there is: compiled and not, for one Python and for all, in both formats. */
export function addPackages(channel: CondaChannel): MadePackage[] {
  const minor = python3?.minor ?? '3.11';
  const python = channel.add({
    name: 'python',
    version: `${minor}.1`,
    files: {
      // The machine's own, looking into this environment.
      [`bin/python${minor}`]: {
        content: `#!/bin/sh\nPYTHONPATH=${PLACEHOLDER}/lib/python${minor}/site-packages exec ${python3?.executable ?? 'python3'} "$@"\n`,
        mode: 0o755,
        prefix: 'text',
      },
      'bin/python': { link: `python${minor}` },
      [`lib/python${minor}/site-packages/README`]: 'packages\n',
    },
  });
  const greet = channel.add({
    name: 'greet',
    version: '1.2',
    build: 'pyhd_0',
    depends: ['python >=3.8', 'where'],
    python: ['greet = greet:main'],
    files: {
      'site-packages/greet/__init__.py':
        'import os, subprocess\n' +
        'def main():\n    print("hello from", subprocess.run(["where"], capture_output=True, text=True).stdout.strip(), os.environ["GREETING"])\n',
      'site-packages/greet-1.2.dist-info/METADATA': 'Metadata-Version: 2.1\nName: greet\nVersion: 1.2\n',
      'site-packages/greet-1.2.dist-info/INSTALLER': 'conda\n',
    },
  });
  const where = channel.add({
    name: 'where',
    version: '2.0',
    files: {
      'bin/where': { content: `#!/bin/sh\ntr -d '\\000' < ${PLACEHOLDER}/lib/where.bin\n`, mode: 0o755, prefix: 'text' },
      'lib/where.bin': { content: Buffer.from(`\0${PLACEHOLDER}/share\0:\0end`), prefix: 'binary' },
    },
  });
  const settings = channel.add({
    name: 'settings',
    version: '1',
    format: '.tar.bz2',
    files: {
      'etc/conda/activate.d/settings.sh': { content: 'export GREETING="$CONDA_DEFAULT_ENV $FROM_PACKAGE"\necho activated\n' },
      'etc/conda/env_vars.d/settings.json': '{"FROM_PACKAGE": "set"}',
      'bin/.settings-post-link.sh': { content: 'echo "$PKG_NAME $PKG_VERSION" > "$PREFIX/linked.txt"\n', mode: 0o755 },
    },
  });
  return [python, greet, where, settings];
}
