import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { BuildIo, NodeRecipe } from '../../contract';
import { answerOf, findProgram, isThere, unpack } from './programs';

/** The Node that a job gets. */
export interface ChosenNode {
  readonly version: string;
  readonly program: string;
  /** Archive that the program is still to be taken out of. */
  readonly archive?: string;
}

/** The VM's own or the agent's where it is of the line that is wanted, else the one that travelled. Without that, what there is. */
export async function chooseNode({ node }: NodeRecipe, io: BuildIo): Promise<ChosenNode> {
  const ours = { version: process.versions.node, program: io.node };
  const program = findProgram('node', io);
  const version = program && (await answerOf(program, ['--version'], io))?.replace(/^v/, '');
  const theirs = program !== undefined && version !== undefined ? { version, program } : undefined;
  if (node === undefined) return theirs ?? ours;
  const fitting = [theirs, ours].find((found) => found !== undefined && isLine(found.version, node.version));
  if (fitting) return fitting;
  if (node.archive === undefined) return theirs ?? ours;
  return { version: node.version, program: path.join(io.directory, 'node', 'bin', 'node'), archive: node.archive };
}

/** @returns the program, which is there then */
export async function prepareNode({ version, program, archive }: ChosenNode, io: BuildIo): Promise<string> {
  if (archive === undefined || (await isThere(program))) return program;
  io.log(`unpacking Node ${version}`);
  await unpack(archive, path.join(io.directory, 'node'), io, 1);
  return program;
}

/** `22.3.0` and `22.3.9`: they differ in what was mended. */
function isLine(version: string, wanted: string): boolean {
  const line = (text: string): string => text.split('.').slice(0, 2).join('.');
  return line(version) === line(wanted);
}

/** Where Node's headers lie, against which add-ons are compiled; undefined when node-gyp must fetch them. */
export async function headersOf(node: string): Promise<string | undefined> {
  const prefix = path.join(await realpath(node), '..', '..');
  return (await isThere(path.join(prefix, 'include', 'node', 'node.h'))) ? prefix : undefined;
}
