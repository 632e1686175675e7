import { canonicalName, findRawcloudError, RawcloudError } from '../../contract';
import type { CaptureContext, Notice } from '../../contract';
import { few } from '../python/lock/compare';
import { markerValues } from '../python/platform/target';
import { checkPython, readCondaChoices } from './choices/names';
import { select } from './choices/select';
import type { CondaCandidate, CondaSet } from './choices/select';
import { changesFor, differences } from './lock/compare';
import type { CondaInstalled } from './lock/compare';
import { findLock } from './lock/find';
import type { CondaLock, LockedSet } from './lock/model';
import { installedPip, lockedDistributions, lockedPip, minorOf } from './pip';
import type { CondaPip, PipChosen, PipInstalled } from './pip';
import { subdirOf } from './platform';
import { solvingFor } from './solve';
import type { Solving } from './solve';
import { inOrder } from './records';
import type { CondaRecord } from './records';

/** An environment as it was read. */
export interface CondaRead {
  readonly title: string;
  readonly prefix: string;
  readonly records: readonly CondaRecord[];
  readonly pip: PipInstalled;
}

/** What of it travels. */
export interface CondaChosen {
  /** Each after what it needs. */
  readonly packages: readonly CondaCandidate[];
  /** @default - they are installed as they are */
  readonly solving?: Solving;
  readonly pip?: CondaPip;
  readonly notices: readonly Notice[];
}

/**
 * What is installed here, with the hashes of a lockfile that says the same; where the two differ, that is said. On another platform
 * what the lockfile has for it, else what the VM solves.
 * @throws E_PACKAGE when a lockfile is asked for that is not there or has nothing for the VM, and for choices that cannot be answered
 */
export async function choosePackages(read: CondaRead, context: CaptureContext): Promise<CondaChosen> {
  const wanted = subdirOf(context.platform);
  const made = read.records.find(({ subdir }) => subdir && subdir !== 'noarch')?.subdir ?? wanted;
  const isAsked = context.packages === 'lock';
  const { lock, notices } = await lockFor(read, { isNeeded: isAsked || made !== wanted }, context);
  const installed = installedOf(read);
  const locked = lock?.platforms.get(made);
  const differs = lock ? (locked ? differences(installed, locked) : [`it has nothing for ${made}`]) : [];
  const told = (taken: string): Notice[] =>
    differs.length === 0 ? [] : [{ level: 'info', text: `${lock!.name} and what is installed differ (${few(differs)}): ${taken}` }];
  const there = lock?.platforms.get(wanted);
  if (!isAsked && (made === wanted || !there)) {
    const same = made === wanted && differs.length === 0 ? locked : undefined;
    const said =
      made === wanted ? told(`what is installed is taken; --packages lock takes ${lock?.name}`) : willSolve(read, { lock, made, wanted });
    return takeInstalled(read, { same, made, notices: [...notices, ...said] }, context);
  }
  if (!lock) throw noLock(read);
  if (!there) throw nothingFor(lock, read, { made, wanted });
  const why = isAsked ? 'as asked' : `as what is installed is made for ${made}`;
  const changes = made === wanted ? [] : changesFor(installed, there, lock.name, wanted);
  return takeLock(read, { lock, locked: there, notices: [...told(`${lock.name} is taken, ${why}`), ...changes] }, context);
}

/** One that cannot be read is no reason to stop where it is not needed. */
async function lockFor(
  { prefix }: CondaRead,
  { isNeeded }: { isNeeded: boolean },
  context: CaptureContext,
): Promise<{ lock?: CondaLock | undefined; notices: Notice[] }> {
  if (context.packages === 'installed') return { notices: [] };
  try {
    return { lock: await findLock(prefix, context), notices: [] };
  } catch (error) {
    const known = findRawcloudError(error);
    if (known?.code !== 'E_PACKAGE' || isNeeded) throw error;
    return { notices: [{ level: 'warning', text: `${known.message}; what is installed is taken` }] };
  }
}

function installedOf({ records, pip }: CondaRead): CondaInstalled {
  return {
    conda: records,
    pip: pip.distributions.map(({ name, version, directUrl, linkedTo }) => ({
      name,
      ...(version === undefined ? {} : { version }),
      isLocal: directUrl !== undefined || linkedTo !== undefined,
    })),
  };
}

async function takeInstalled(
  { title, prefix, records, pip }: CondaRead,
  { same, made, notices }: { same: LockedSet | undefined; made: string; notices: readonly Notice[] },
  context: CaptureContext,
): Promise<CondaChosen> {
  const hashes = new Map((same?.conda ?? []).map((found) => [found.name, found]));
  const packages = records.map((record) => ({ ...record, sha256: record.sha256 ?? hashes.get(record.name)?.sha256 ?? null }));
  const chosen = chooseOf({ packages, distributions: pip.distributions, made }, { title, pip }, context);
  const asking = { title, prefix, minor: minorOf(chosen.packages) };
  const carried = await installedPip(chosen, { provided: pip.provided, locked: same }, asking, context);
  return { ...chosen.travels, ...(carried ? { pip: carried } : {}), notices: [...notices, ...chosen.notices] };
}

async function takeLock(
  { title, prefix, pip }: CondaRead,
  { lock, locked, notices }: { lock: CondaLock; locked: LockedSet; notices: readonly Notice[] },
  context: CaptureContext,
): Promise<CondaChosen> {
  const distributions = lockedDistributions(pip, { locked, file: lock.name });
  const set = { packages: inOrder(locked.conda), distributions, made: subdirOf(context.platform) };
  const chosen = chooseOf(set, { title, pip }, context);
  const asking = { title, prefix, minor: minorOf(chosen.packages) };
  const carried = await lockedPip(chosen, { provided: pip.provided, locked }, asking, context);
  return { ...chosen.travels, ...(carried ? { pip: carried } : {}), notices: [...notices, ...chosen.notices] };
}

interface Chosen extends PipChosen {
  readonly packages: readonly CondaCandidate[];
  readonly travels: Pick<CondaChosen, 'packages' | 'solving'>;
  readonly notices: readonly Notice[];
}

/**
 * What of an environment is asked for.
 * @param set - `made`: the platform that it is for
 * @throws E_PACKAGE for choices that it cannot answer
 */
function chooseOf(
  set: CondaSet & { readonly made: string },
  { title, pip }: Pick<CondaRead, 'title' | 'pip'>,
  context: CaptureContext,
): Chosen {
  const choices = readCondaChoices(
    set.packages.map(({ name }) => name),
    set,
    context,
    title,
  );
  const minor = minorOf(set.packages) ?? '3';
  const machines = [markerValues(context.here ?? context.platform, minor), markerValues(context.platform, minor)] as const;
  const selected = select(set, choices, pip, machines);
  const left = selected.distributions.filter(
    ({ name }) => !choices.ofPip.ignore?.some((other) => canonicalName(other) === canonicalName(name)),
  );
  checkPython(choices, { hasPython: minorOf(selected.packages) !== undefined, count: left.length, title });
  const solving = solvingFor(selected.packages, choices, { made: set.made, wanted: subdirOf(context.platform) });
  return { ...selected, choices: choices.ofPip, travels: { packages: selected.packages, ...(solving ? { solving } : {}) } };
}

/** Before anything is launched. */
function willSolve({ title }: CondaRead, { lock, made, wanted }: { lock: CondaLock | undefined; made: string; wanted: string }): Notice[] {
  const locked = lock ? `, as ${lock.name} has nothing for it ('${lock.addPlatform(wanted)}' adds it)` : '';
  return [{ level: 'info', text: `${title} is made for ${made}: the VM solves it for ${wanted}${locked}, and says what changes` }];
}

function nothingFor(lock: CondaLock, { title }: CondaRead, { made, wanted }: { made: string; wanted: string }): RawcloudError {
  const known = [...lock.platforms.keys()].sort().join(', ') || 'none';
  const about = made === wanted ? '' : `, and ${title} is made for ${made}`;
  return new RawcloudError('E_PACKAGE', `${lock.name} has nothing for ${wanted}${about}; its platforms: ${known}`, {
    remedy: `Add it: '${lock.addPlatform(wanted)}'. Or ask for VMs of a platform that is there (--arch).`,
  });
}

function noLock({ title }: CondaRead): RawcloudError {
  return new RawcloudError('E_PACKAGE', `there is no lockfile to take the packages of ${title} from`, {
    remedy:
      "Write one ('pixi lock', 'conda-lock lock'); pixi.lock of pixi's project and conda-lock.yml are read. Without --packages lock, what is installed here is taken.",
  });
}
