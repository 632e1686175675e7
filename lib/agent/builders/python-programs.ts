import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { entryPointsIn, unlessMissing } from '../../contract';
import type { EntryPoint } from '../../contract';

/** Linux reads no more of a script's first line. */
const LONGEST_LINE = 120;

/**
 * Writes the programs of a package into an environment: those that its entry points ask for, and the scripts it brings.
 * Source: PyPA specification "Entry points".
 */
export async function writePrograms(options: { site: string; scripts: string; venv: string }): Promise<void> {
  const { site, scripts, venv } = options;
  const bin = path.join(venv, 'bin');
  await mkdir(bin, { recursive: true });
  const head = headOf(path.join(bin, 'python'));
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(bin, name), text, { mode: 0o755 });
  const distInfo = (await unlessMissing(readdir(site), [])).find((name) => name.endsWith('.dist-info'));
  const text = distInfo === undefined ? '' : await unlessMissing(readFile(path.join(site, distInfo, 'entry_points.txt'), 'utf8'), '');
  for (const { name, module, attribute } of entryPointsIn(text)) await write(name, programText(head, module, attribute));
  for (const name of await unlessMissing(readdir(scripts), [])) {
    const script = await readFile(path.join(scripts, name), 'latin1');
    await writeFile(path.join(bin, name), withHead(script, head), { encoding: 'latin1', mode: 0o755 });
  }
}

/** The program of one entry point, for an interpreter in the same directory. */
export async function writeEntryPoint(
  { bin, python }: { bin: string; python: string },
  { name, module, attribute }: EntryPoint,
): Promise<void> {
  await mkdir(bin, { recursive: true });
  await writeFile(path.join(bin, name), programText(headOf(path.join(bin, python)), module, attribute), { mode: 0o755 });
}

function programText(head: string, module: string, attribute: string): string {
  const [first] = attribute.split('.');
  return `${head}import sys\nfrom ${module} import ${first}\nif __name__ == "__main__":\n    sys.exit(${attribute}())\n`;
}

/** A path that is too long for the kernel, or has a space in it, goes by way of a shell, as installers do it. */
function headOf(python: string): string {
  if (python.length <= LONGEST_LINE && !/\s/.test(python)) return `#!${python}\n`;
  return `#!/bin/sh\n'''exec' "${python}" "$0" "$@"\n' '''\n`;
}

/** A script that ran with the developer's Python runs with this one. */
function withHead(script: string, head: string): string {
  const trampoline = /^#!\/bin\/sh\n'''exec' .*\n' '''\n/;
  if (trampoline.test(script)) return script.replace(trampoline, () => head);
  return script.replace(/^#!.*python[\d.]*.*\n/, () => head);
}
