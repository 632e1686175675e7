import path from 'node:path';
import { NODE_MANAGERS } from '../../contract';
import type { NodeManager } from '../../contract';
import { isFile } from '../executables';
import { readBunLock, refuseBunLockb } from './bun-lock';
import type { Lock } from './lock';
import type { Manifest } from './manifest';
import { readNpmLock } from './npm-lock';
import { readPnpmLock } from './pnpm-lock';
import { readYarnLock } from './yarn-lock';

/** The lockfile that counts. */
export interface Choice {
  readonly remark?: string;
  read(): Promise<Lock>;
}

interface Candidate {
  readonly name: string;
  readonly manager: NodeManager;
  readonly read: (file: string) => Promise<Lock>;
}

/** Of one manager, the first that is there: npm prefers the shrinkwrap. */
const CANDIDATES: readonly Candidate[] = [
  { name: 'npm-shrinkwrap.json', manager: 'npm', read: readNpmLock },
  { name: 'package-lock.json', manager: 'npm', read: readNpmLock },
  { name: 'pnpm-lock.yaml', manager: 'pnpm', read: readPnpmLock },
  { name: 'yarn.lock', manager: 'yarn', read: readYarnLock },
  { name: 'bun.lock', manager: 'bun', read: readBunLock },
  { name: 'bun.lockb', manager: 'bun', read: (file) => Promise.reject(refuseBunLockb(file)) },
];

/** What each manager leaves in node_modules, so that it knows its own work again. */
const TRACES: readonly (readonly [file: string, manager: NodeManager])[] = [
  ['.package-lock.json', 'npm'],
  ['.modules.yaml', 'pnpm'],
  ['.yarn-integrity', 'yarn'],
  ['.yarn-state.yml', 'yarn'],
];

/** The first lockfile of any manager in a directory. */
export async function lockfileIn(directory: string): Promise<string | undefined> {
  for (const { name } of CANDIDATES) if (await isFile(path.join(directory, name))) return path.join(directory, name);
  return undefined;
}

/** With several managers' lockfiles: the one that package.json names, that the command calls, that installed what is here, the first. */
export async function chooseLockfile(
  directory: string,
  manifest: Manifest,
  { called, locked }: { readonly called?: NodeManager; readonly locked: boolean },
): Promise<Choice | undefined> {
  const found: Candidate[] = [];
  for (const candidate of CANDIDATES) {
    const isFirst = !found.some(({ manager }) => manager === candidate.manager);
    if (isFirst && (await isFile(path.join(directory, candidate.name)))) found.push(candidate);
  }
  const [first] = found;
  if (!first) return undefined;
  if (found.length === 1) return choiceOf(directory, first);
  const reasons: readonly (readonly [manager: NodeManager | undefined, why: string])[] = [
    [managerNamedBy(manifest), "as package.json's packageManager says"],
    [called, 'as the command calls it'],
    [locked ? undefined : await installedBy(directory), 'as it installed node_modules'],
  ];
  for (const [manager, why] of reasons) {
    const candidate = found.find((one) => one.manager === manager);
    if (candidate) return choiceOf(directory, candidate, remarkOf(found, candidate, why));
  }
  return choiceOf(directory, first, remarkOf(found, first, 'the first that is looked for'));
}

/** `pnpm@9.1.0+sha512.…` gives pnpm. */
export function managerNamedBy({ packageManager }: Manifest): NodeManager | undefined {
  const name = packageManager?.split('@')[0];
  return NODE_MANAGERS.find((manager) => manager === name);
}

async function installedBy(directory: string): Promise<NodeManager | undefined> {
  for (const [file, manager] of TRACES) if (await isFile(path.join(directory, 'node_modules', file))) return manager;
  return undefined;
}

function choiceOf(directory: string, { name, read }: Candidate, remark?: string): Choice {
  return { ...(remark === undefined ? {} : { remark }), read: () => read(path.join(directory, name)) };
}

function remarkOf(found: readonly Candidate[], taken: Candidate, why: string): string {
  const others = found.filter((candidate) => candidate !== taken).map(({ name }) => name);
  return `${taken.name} is taken, ${why}, and ${others.join(' and ')} left alone: delete what is no longer kept, or name the manager in package.json ("packageManager")`;
}
