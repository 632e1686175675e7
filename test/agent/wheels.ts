import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { write, writeProgram } from '../capture/package-fixtures';

/**
 * An installer that behaves as uv does, as far as builders call it, and takes packages from a directory: real files, scripts
 * with the environment's own Python in their first line, records; no network and hardly any time. `log` has a line for each
 * package that was installed.
 */
export class Wheels {
  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(this.log, '');
    write(path.join(directory, 'packages'), {});
    writeProgram(path.join(this.bin, 'uv'), `#!/usr/bin/env python3\n${INSTALLER.replace('@ROOT@', directory)}`);
  }

  /** To be put on PATH. */
  get bin(): string {
    return path.join(this.directory, 'bin');
  }

  get log(): string {
    return path.join(this.directory, 'log');
  }

  /** From now on the installer stands still after each package, until it is let go. */
  hold(): void {
    writeFileSync(path.join(this.directory, 'hold'), '');
  }

  letGo(): void {
    rmSync(path.join(this.directory, 'hold'), { force: true });
  }

  /** A package with a module, a program that prints its version, and whatever else it shall have. */
  add(name: string, version: string, files: Readonly<Record<string, string>> = {}): string {
    write(path.join(this.directory, 'packages', `${name}-${version}`), {
      [`${name}/__init__.py`]: `VERSION = ${JSON.stringify(version)}\n`,
      ...files,
    });
    return `${name}==${version}`;
  }
}

const INSTALLER = `
import os, shutil, sys, time
ROOT = '@ROOT@'
words = sys.argv[1:]
minor = 'python%d.%d' % sys.version_info[:2]
if words[0] == 'venv':
    venv = words[-1]
    os.makedirs(venv + '/bin'); os.makedirs(venv + '/lib/' + minor + '/site-packages')
    os.symlink(words[2], venv + '/bin/python'); os.symlink('lib', venv + '/lib64')
    open(venv + '/pyvenv.cfg', 'w').write('home = %s\\ninclude-system-site-packages = false\\nversion = %s.0\\n' % (os.path.dirname(words[2]), minor[6:]))
    open(venv + '/bin/activate', 'w').write('VIRTUAL_ENV=%s\\n' % venv)
else:
    python = words[words.index('--python') + 1]
    venv = os.path.dirname(os.path.dirname(python))
    site = venv + '/lib/' + minor + '/site-packages'
    for line in open(words[-1]).read().split():
        name, version = line.split('==')
        source = '%s/packages/%s-%s' % (ROOT, name, version)
        if not os.path.isdir(source): sys.exit('cause: Because there is no version of %s==%s' % (name, version))
        record = []
        for base, _, files in os.walk(source):
            for file in files:
                at = os.path.relpath(os.path.join(base, file), source)
                os.makedirs(os.path.dirname(os.path.join(site, at)) or site, exist_ok=True)
                shutil.copy(os.path.join(base, file), os.path.join(site, at)); record.append(at)
        script = venv + '/bin/' + name
        open(script, 'w').write('#!%s\\nimport %s; print(%s.VERSION)\\n' % (python, name, name)); os.chmod(script, 0o755)
        info = '%s-%s.dist-info' % (name, version)
        os.makedirs(os.path.join(site, info), exist_ok=True)
        open(os.path.join(site, info, 'METADATA'), 'w').write('Name: %s\\nVersion: %s\\n' % (name, version))
        record += ['../../../bin/' + name, info + '/METADATA', info + '/RECORD']
        open(os.path.join(site, info, 'RECORD'), 'w').write(''.join(at + ',,\\n' for at in record))
        open(ROOT + '/log', 'a').write(line + '\\n')
        os.makedirs(site + '/' + name + '/__pycache__', exist_ok=True)
        open(site + '/' + name + '/__pycache__/x.pyc', 'w').write('bytecode')
        while os.path.exists(ROOT + '/hold'): time.sleep(0.05)
`;
