import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { write } from './package-fixtures';

export interface Install {
  readonly name: string;
  readonly version?: string;
  readonly tag?: string;
  readonly directUrl: unknown;
  /** Relative to site-packages, all that the package has. */
  readonly files: Readonly<Record<string, string>>;
  readonly entryPoints?: string;
}

/** Installs as pip does: files, a dist-info with all records, programs of entry points. */
export function install(site: string, { name, version = '0.1.0', tag = 'py3-none-any', directUrl, files, entryPoints }: Install): void {
  const info = `${name.replaceAll('-', '_')}-${version}.dist-info`;
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
    [`${info}/INSTALLER`]: 'pip\n',
    [`${info}/direct_url.json`]: JSON.stringify(directUrl),
    ...(entryPoints ? { [`${info}/entry_points.txt`]: entryPoints } : {}),
  };
  const programs = [...(entryPoints ?? '').matchAll(/^([\w-]+) = /gm)].map(([, program]) => `../../../bin/${program}`);
  const record = [...Object.keys(all), `${info}/RECORD`, ...programs].map((file) => `${file.includes(',') ? `"${file}"` : file},,\n`);
  write(site, { ...all, [`${info}/RECORD`]: record.join('') });
  for (const program of programs) {
    mkdirSync(path.dirname(path.join(site, program)), { recursive: true });
    writeFileSync(path.join(site, program), '#!/nowhere/python\n', { mode: 0o755 });
  }
}

/** An editable install of a directory, with what its build back end leaves in site-packages. */
export function installEditable(site: string, project: string, name: string, files: Readonly<Record<string, string>>): void {
  const url = new URL(`file://${project.split('/').map(encodeURIComponent).join('/')}`).href;
  install(site, {
    name,
    directUrl: { url, dir_info: { editable: true } },
    files,
    entryPoints: `[console_scripts]\n${name} = ${name}:main\n`,
  });
}

export function writeProject(directory: string, name: string, where = 'src'): void {
  write(directory, {
    'pyproject.toml': `[project]\nname = "${name}"\nversion = "0.1.0"\n`,
    [`${where}/${name}/__init__.py`]: `def main():\n    print("${name} of", __file__)\n`,
  });
}
