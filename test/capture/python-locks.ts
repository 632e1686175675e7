import { createHash } from 'node:crypto';
import { write } from './package-fixtures';

/* One project, as each of the tools locks it. Hashes are made up; everything else is as the tools write it. */

export const hash = (of: string): string => `sha256:${createHash('sha256').update(of).digest('hex')}`;

const PYPROJECT = `[project]
name = "demo"
version = "1"
requires-python = ">=3.11"
dependencies = ["idna==3.7", "colorama; sys_platform == 'win32'", "requests[socks]>=2.31", "numpy>=1.26"]
[project.optional-dependencies]
extra = ["six"]
[dependency-groups]
dev = ["iniconfig"]
`;

const wheel = (name: string, version: string, tag: string): string => `${name}-${version}-${tag}.whl`;
const NUMPY = [
  'cp311-cp311-manylinux_2_28_x86_64',
  'cp311-cp311-manylinux_2_28_aarch64',
  'cp311-cp311-win_amd64',
  'cp312-cp312-manylinux_2_28_x86_64',
];

const uvPackage = (name: string, version: string, rest = '', tags: readonly string[] = ['py3-none-any']): string => `
[[package]]
name = "${name}"
version = "${version}"
source = { registry = "https://pypi.org/simple" }
${rest}
sdist = { url = "https://files.test/x/${name}-${version}.tar.gz", hash = "${hash(`${name}-sdist`)}", size = 1 }
wheels = [
${tags.map((tag) => `    { url = "https://files.test/y/${wheel(name, version, tag)}", hash = "${hash(`${name}-${tag}`)}", size = 2 },`).join('\n')}
]
`;

const UV_LOCK = `version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = ["python_full_version >= '3.12'", "python_full_version < '3.12'"]
${uvPackage('colorama', '0.4.6')}
[[package]]
name = "demo"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "colorama", marker = "sys_platform == 'win32'" },
    { name = "idna" },
    { name = "numpy", version = "2.4.6", source = { registry = "https://pypi.org/simple" }, marker = "python_full_version < '3.12'" },
    { name = "numpy", version = "2.5.5", source = { registry = "https://pypi.org/simple" }, marker = "python_full_version >= '3.12'" },
    { name = "requests", extra = ["socks"] },
]
[package.optional-dependencies]
extra = [{ name = "six" }]
[package.dev-dependencies]
dev = [{ name = "iniconfig" }]
${uvPackage('idna', '3.7')}${uvPackage('iniconfig', '2.3.1')}
${uvPackage('numpy', '2.4.6', `resolution-markers = ["python_full_version < '3.12'"]`, NUMPY)}
${uvPackage('numpy', '2.5.5', `resolution-markers = ["python_full_version >= '3.12'"]`, NUMPY)}
${uvPackage('pysocks', '1.7.1')}
${uvPackage('requests', '2.34.2', 'dependencies = [{ name = "idna" }]')}
[package.optional-dependencies]
socks = [{ name = "pysocks" }]
${uvPackage('six', '1.17.0')}
`;

const entry = (name: string, version: string, rest: string, tags: readonly string[] = ['py3-none-any']): string => `
[[package]]
name = "${name}"
version = "${version}"
${rest}
files = [
${[...tags.map((tag) => [wheel(name, version, tag), `${name}-${tag}`]), [`${name}-${version}.tar.gz`, `${name}-sdist`]]
  .map(([file, of]) => `    {file = "${file}", hash = "${hash(of!)}"},`)
  .join('\n')}
]
`;

const poetry = (group: string, more = ''): string => `optional = false\npython-versions = "*"\ngroups = ["${group}"]\n${more}`;
const POETRY_LOCK = `${entry('colorama', '0.4.6', poetry('main', 'markers = "sys_platform == \\"win32\\""'))}
${entry('idna', '3.7', poetry('main'))}${entry('iniconfig', '2.3.1', poetry('dev'))}
${entry('numpy', '2.4.6', poetry('main'), NUMPY)}${entry('pysocks', '1.7.1', poetry('main'))}
${entry('requests', '2.34.2', poetry('main'))}
[package.dependencies]
idna = ">=2.5,<4"
PySocks = {version = ">=1.5.6", optional = true, markers = "extra == \\"socks\\""}
[package.extras]
socks = ["pysocks (>=1.5.6,!=1.5.7)"]
${entry('six', '1.17.0', `optional = true\npython-versions = "*"\ngroups = ["main"]\nmarkers = "extra == \\"extra\\""`)}
[extras]
extra = ["six"]
[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = "00"
`;

/** Before 2.1 packages did not say which groups want them. */
const OLD_POETRY_LOCK = POETRY_LOCK.replaceAll(/^(groups|markers) = .*\n/gm, '').replace('"2.1"', '"2.0"');

const pdm = (group: string, more = ''): string => `requires_python = ">=3.5"\nsummary = "x"\ngroups = ["${group}"]\n${more}`;
const PDM_LOCK = `[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.1"
content_hash = "sha256:00"
${entry('colorama', '0.4.6', pdm('default', 'marker = "sys_platform == \\"win32\\""'))}
${entry('idna', '3.7', pdm('default'))}${entry('iniconfig', '2.3.1', pdm('dev'))}${entry('six', '1.17.0', pdm('extra'))}
${entry('numpy', '2.4.6', pdm('default'), NUMPY)}${entry('pysocks', '1.7.1', pdm('default'))}
${entry('requests', '2.34.2', pdm('default', 'dependencies = ["idna<4,>=2.5"]'))}
${entry('requests', '2.34.2', pdm('default', 'extras = ["socks"]\ndependencies = ["PySocks!=1.5.7", "requests==2.34.2"]'))}
`;

const PIPFILE = `[[source]]
url = "https://pypi.org/simple"
verify_ssl = true
name = "pypi"
[packages]
idna = "==3.7"
numpy = "*"
requests = {extras = ["socks"], version = ">=2.31"}
colorama = {version = "*", markers = "sys_platform == 'win32'"}
[dev-packages]
iniconfig = "*"
[requires]
python_version = "3.11"
`;

const all = (name: string, tags: readonly string[] = ['py3-none-any']): string[] => [
  ...tags.map((tag) => hash(`${name}-${tag}`)),
  hash(`${name}-sdist`),
];
const PIPFILE_LOCK = {
  _meta: {
    hash: { sha256: '00' },
    'pipfile-spec': 6,
    requires: {},
    sources: [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }],
  },
  default: {
    colorama: { markers: "sys_platform == 'win32'", version: '*' },
    idna: { hashes: all('idna'), index: 'pypi', markers: "python_version >= '3.5'", version: '==3.7' },
    numpy: { hashes: all('numpy', NUMPY), markers: "python_version >= '3.11'", version: '==2.4.6' },
    pysocks: { hashes: all('pysocks'), version: '==1.7.1' },
    requests: { extras: ['socks'], hashes: all('requests'), version: '==2.34.2' },
  },
  develop: { iniconfig: { hashes: all('iniconfig'), index: 'pypi', version: '==2.3.1' } },
};

const pylockEntry = (name: string, version: string, marker = '', tags: readonly string[] = ['py3-none-any']): string => `
[[packages]]
name = "${name}"
version = "${version}"
${marker && `marker = "${marker}"`}
index = "https://pypi.org/simple"
sdist = { url = "https://files.test/x/${name}-${version}.tar.gz", upload-time = 2024-04-11T03:34:43Z, size = 1, hashes = { sha256 = "${hash(`${name}-sdist`).slice(7)}" } }
wheels = [
${tags.map((tag) => `    { url = "https://files.test/y/${wheel(name, version, tag)}", size = 2, hashes = { sha256 = "${hash(`${name}-${tag}`).slice(7)}" } },`).join('\n')}
]
`;
const PYLOCK = `lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"
${pylockEntry('colorama', '0.4.6', "sys_platform == 'win32'")}${pylockEntry('idna', '3.7')}
${pylockEntry('iniconfig', '2.3.1', "'dev' in dependency_groups")}${pylockEntry('six', '1.17.0', "'extra' in extras")}
${pylockEntry('numpy', '2.4.6', "python_full_version < '3.12'", NUMPY)}${pylockEntry('numpy', '2.5.5', "python_full_version >= '3.12'", NUMPY)}
${pylockEntry('pysocks', '1.7.1')}${pylockEntry('requests', '2.34.2')}
`;

const hashed = (name: string, version: string, tags?: readonly string[], marker = ''): string =>
  [`${name}==${version}${marker}`, ...all(name, tags).map((one) => `    --hash=${one}`)].join(' \\\n');
const REQUIREMENTS = [
  '# by uv pip compile',
  hashed('colorama', '0.4.6', undefined, " ; sys_platform == 'win32'"),
  hashed('idna', '3.7'),
  hashed('numpy', '2.4.6', NUMPY),
  hashed('pysocks', '1.7.1'),
  hashed('requests', '2.34.2'),
  '',
].join('\n');

/** Files of the project, by what locked it. */
export const LOCKED_PROJECTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'uv.lock': { 'pyproject.toml': PYPROJECT, 'uv.lock': UV_LOCK },
  'poetry.lock': { 'pyproject.toml': PYPROJECT, 'poetry.lock': POETRY_LOCK },
  'poetry.lock of an older poetry': { 'pyproject.toml': PYPROJECT, 'poetry.lock': OLD_POETRY_LOCK },
  'pdm.lock': { 'pyproject.toml': PYPROJECT, 'pdm.lock': PDM_LOCK },
  'Pipfile.lock': { Pipfile: PIPFILE, 'Pipfile.lock': PIPFILE_LOCK },
  'pylock.toml': { 'pyproject.toml': PYPROJECT, 'pylock.toml': PYLOCK },
  'requirements.txt with hashes': { 'pyproject.toml': PYPROJECT, 'requirements.txt': REQUIREMENTS },
};

export function writeLocked(root: string, name: string, change: Readonly<Record<string, unknown>> = {}): void {
  write(root, { ...LOCKED_PROJECTS[name], ...change });
}

/** What each of them asks for on Linux with x86_64 and Python 3.11. */
export const LOCKED_VERSIONS = { idna: '3.7', numpy: '2.4.6', pysocks: '1.7.1', requests: '2.34.2' };
