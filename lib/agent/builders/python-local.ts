import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RawcloudError, unlessMissing } from '../../contract';
import type { BuildIo, LocalPackage, Place } from '../../contract';
import { findProgram } from './programs';
import { needsCompiler } from './python-failure';
import { writePrograms } from './python-programs';
import type { Installer } from './python-installer';

/** A virtual environment on the VM. */
export interface Venv {
  readonly directory: string;
  /** Its site-packages. */
  readonly site: string;
  /** Versions of what is there by other means, and stays as it is, by canonical name. @default - nothing is */
  readonly provided?: ReadonlyMap<string, string>;
}

interface Local {
  readonly venv: Venv;
  readonly installer: Installer;
  readonly io: BuildIo;
  readonly onLine: (line: string) => void;
}

/**
 * Puts packages that came from no index into an environment in which everything else is already: files where they were,
 * wheels and what is to be compiled by the installer. What points at source points at the same place in the tree.
 */
export async function installLocal(packages: readonly LocalPackage[], local: Local): Promise<void> {
  const places = new Places(local.io);
  for (const found of packages) {
    local.io.log(`${found.name}: ${found.kind === 'source' || ('needs' in found && found.needs) ? 'building' : 'putting in place'}`);
    switch (found.kind) {
      case 'files':
        await placeFiles(found, places, local);
        break;
      case 'path':
        await writeFile(path.join(local.venv.site, `${found.name.replace(/\.pth$/, '')}.pth`), `${await places.find(found.place)}\n`);
        break;
      case 'file':
        if (found.needs) checkCompiler(found.name, found.needs, local.io);
        await installFile(found, local);
        break;
      case 'source':
        checkCompiler(found.name, found.needs, local.io);
        await local.installer.installPath(local.venv.directory, await places.find(found.place), {
          editable: found.editable,
          onLine: local.onLine,
        });
        break;
    }
  }
}

/** What is put in place without pip or uv needs neither. */
export function needsInstaller({ kind }: LocalPackage): boolean {
  return kind === 'file' || kind === 'source';
}

/** Where directories of the developer's machine lie on this one. */
class Places {
  readonly #unpacked = new Map<string, string>();

  constructor(private readonly io: BuildIo) {}

  async find(place: Place): Promise<string> {
    if ('tree' in place) return path.join(this.io.root, place.tree);
    const known = this.#unpacked.get(place.archive);
    const directory = known ?? (await unpack(place.archive, path.join(this.io.directory, 'local', place.archive.slice(0, 16)), this.io));
    this.#unpacked.set(place.archive, directory);
    return path.join(directory, place.path);
  }
}

async function unpack(archive: string, directory: string, io: BuildIo): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = `${directory}.tar.gz`;
  await writeFile(file, await io.source(archive));
  await io.run('tar', ['-xzf', file, '-C', directory]);
  await rm(file);
  return directory;
}

async function placeFiles(found: Extract<LocalPackage, { kind: 'files' }>, places: Places, { venv, io }: Local): Promise<void> {
  const unpacked = await unpack(found.archive, path.join(io.directory, 'files', found.archive.slice(0, 16)), io);
  const targets: string[] = [];
  for (const place of found.places) targets.push(await places.find(place));
  for (const name of found.rewritten) {
    const file = path.join(unpacked, name);
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text.replaceAll(/\{\{rawcloud:(\d+)\}\}/g, (_, at: string) => targets[Number(at)]!),
    );
  }
  await copyInto(path.join(unpacked, 'site'), venv.site);
  await copyInto(path.join(unpacked, 'data'), venv.directory);
  // What back ends generate is there only where nothing else is: the tree comes first.
  if (targets[0] !== undefined) await copyInto(path.join(unpacked, 'overlay'), targets[0], { force: false });
  await writePrograms({ site: path.join(unpacked, 'site'), scripts: path.join(unpacked, 'scripts'), venv: venv.directory });
  await writeRecord(path.join(unpacked, 'site'), venv.site);
  await rm(unpacked, { recursive: true });
}

async function copyInto(from: string, to: string, { force = true } = {}): Promise<void> {
  if (await unlessMissing(readdir(from), undefined)) await cp(from, to, { recursive: true, force });
}

/** Installers find by it what to remove. */
async function writeRecord(unpacked: string, site: string): Promise<void> {
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.relative(unpacked, path.join(entry.parentPath, entry.name)));
  const distInfo = (await readdir(unpacked)).find((name) => name.endsWith('.dist-info'));
  if (distInfo === undefined) return;
  const lines = [...files, `${distInfo}/RECORD`].sort().map((file) => `${csv(file)},,\n`);
  await writeFile(path.join(site, distInfo, 'RECORD'), lines.join(''));
}

function csv(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

async function installFile(
  { file, content }: Extract<LocalPackage, { kind: 'file' }>,
  { venv, installer, io, onLine }: Local,
): Promise<void> {
  const directory = path.join(io.directory, 'wheels', content.slice(0, 16));
  await mkdir(directory, { recursive: true });
  const place = path.join(directory, file);
  await writeFile(place, await io.source(content));
  await installer.installPath(venv.directory, place, { editable: false, onLine });
  await rm(directory, { recursive: true });
}

/** @throws E_ENVIRONMENT before minutes go into what cannot succeed */
function checkCompiler(name: string, needs: 'c' | 'rust', io: BuildIo): void {
  const programs = needs === 'rust' ? ['cargo'] : ['cc', 'gcc', 'clang'];
  if (programs.some((program) => findProgram(program, io))) return;
  throw new RawcloudError(
    'E_ENVIRONMENT',
    `${name} was compiled on your machine and has to be compiled on the VM, which has no ${programs.join(', ')}`,
    {
      remedy: needsCompiler(needs),
      data: { package: name },
    },
  );
}
