import { findRawcloudError, RawcloudError } from '../../contract';
import type { CaptureContext, Notice } from '../../contract';
import { few } from '../python/lock/compare';
import { changesFor, differences } from './lock/compare';
import type { CondaInstalled } from './lock/compare';
import { findLock } from './lock/find';
import type { CondaLock, LockedSet } from './lock/model';
import { installedPip, lockedPip, minorOf } from './pip';
import type { CondaPip, PipInstalled } from './pip';
import { subdirOf } from './platform';
import { inOrder } from './records';
import type { CondaRecord } from './records';
import type { CondaOrigin } from './sources';

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
  readonly packages: readonly CondaOrigin[];
  readonly pip?: CondaPip;
  readonly notices: readonly Notice[];
}

/**
 * What is installed here, with the hashes of a lockfile that says the same; where the two differ, that is said. On another platform
 * what the lockfile has for it.
 * @throws E_PACKAGE when what is installed is not for the VM and no lockfile has anything for it, or one is asked for and there is none
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
  if (!isAsked && made === wanted) {
    const same = differs.length === 0 ? locked : undefined;
    const said = [...notices, ...told(`what is installed is taken; --packages lock takes ${lock?.name}`)];
    return takeInstalled(read, { same, notices: said }, context);
  }
  if (!lock) throw made === wanted ? noLock(read) : notForVm(read, made, wanted);
  const there = lock.platforms.get(wanted);
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
  { same, notices }: { same: LockedSet | undefined; notices: readonly Notice[] },
  context: CaptureContext,
): Promise<CondaChosen> {
  const hashes = new Map((same?.conda ?? []).map((found) => [found.name, found]));
  const packages = records.map((record) => ({ ...record, sha256: record.sha256 ?? hashes.get(record.name)?.sha256 ?? null }));
  const carried = await installedPip(pip, same, { title, prefix, minor: minorOf(records) }, context);
  return { packages, ...(carried ? { pip: carried } : {}), notices };
}

async function takeLock(
  { title, prefix, pip }: CondaRead,
  { lock, locked, notices }: { lock: CondaLock; locked: LockedSet; notices: readonly Notice[] },
  context: CaptureContext,
): Promise<CondaChosen> {
  const minor = minorOf(locked.conda);
  const carried = await lockedPip(pip, { locked, file: lock.name }, { title, prefix, minor }, context);
  return { packages: inOrder(locked.conda), ...(carried ? { pip: carried } : {}), notices };
}

function notForVm({ title, records }: CondaRead, made: string, wanted: string): RawcloudError {
  const count = records.filter(({ subdir }) => subdir && subdir !== 'noarch' && subdir !== wanted).length;
  const message = `${title} is made for ${made}, and the VM is ${wanted}: ${count} of its packages are not for it`;
  return new RawcloudError('E_PACKAGE', message, {
    remedy:
      `Lock it for ${wanted} as well, and the lockfile is taken: 'pixi workspace platform add ${wanted}', or 'conda-lock lock -p ${wanted}' for a ` +
      'conda-lock.yml beside the command. Or make the environment on that platform, or ask for VMs of its own (--arch).',
  });
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
