import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A command as it is started. */
export interface Invocation {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface Launcher {
  readonly kind: 'plain' | 'user' | 'unit';
  /** Unix user the command runs as. */
  readonly user: string;
  /** What is started instead; it becomes the command, so that its process and exit are the command's. */
  wrap(command: Invocation): Invocation;
  /** The same for what somebody runs besides the command, in the same place. @param n its number */
  beside(command: Invocation, n: number): Invocation;
  /** Kills what has left the command's process group. */
  sweep(): Promise<void>;
}

/** Unix user of jobs, made by the bootstrap. */
export const JOB_USER = 'rawcloud-job';

const AS_JOB_USER = ['setpriv', `--reuid=${JOB_USER}`, `--regid=${JOB_USER}`, '--init-groups', '--'] as const;

const UNIT = 'rawcloud-task.scope';

/** Of boot script and agent. What starts before it is stopped after it: at a shutdown the agent hears first, and ends the command itself. */
const AGENT_UNIT = 'rawcloud-agent.scope';

/** As the same user, in a process group of its own: where there is neither systemd nor a user for jobs, or no root. */
export function plainLauncher(user: string): Launcher {
  return { kind: 'plain', user, wrap: (command) => command, beside: (command) => command, sweep: async () => undefined };
}

/**
 * In a unit of its own: own user, none of its processes escapes, and no way to the metadata service, where it would
 * find the VM's role. With `root` neither user nor ban.
 */
export function unitLauncher({ root }: { readonly root: boolean }): Launcher {
  return {
    kind: 'unit',
    user: root ? 'root' : JOB_USER,
    wrap: (command) => compileUnit(command, root),
    beside: (command, n) => compileUnit(command, root, `rawcloud-exec-${n}.scope`),
    sweep: killUnit,
  };
}

/** As the user of jobs, without a unit: where there is no systemd. What has left the group is found by its user. */
export function userLauncher(): Launcher {
  const wrap = ({ file, args, ...rest }: Invocation): Invocation => ({
    ...rest,
    file: AS_JOB_USER[0],
    args: [...AS_JOB_USER.slice(1), file, ...args],
  });
  return {
    kind: 'user',
    user: JOB_USER,
    wrap,
    beside: wrap,
    // -1 is everything that this user may signal, but for who asks.
    sweep: () => ended(AS_JOB_USER[0], [...AS_JOB_USER.slice(1), '/bin/bash', '-c', 'kill -KILL -- -1']),
  };
}

/** IMDS in both families. Source: EC2 user guide, "Access instance metadata". */
const METADATA = ['169.254.169.254/32', 'fd00:ec2::254/128'];

/**
 * A scope and not a service: systemd-run then becomes the command itself, with its pipes, environment and exit code,
 * and no variable passes through the system bus, where everybody may read it. `setpriv` changes the user, for
 * systemd-run would put that user's own HOME over the job's.
 */
export function compileUnit({ file, args, env, cwd }: Invocation, root: boolean, unit = UNIT): Invocation {
  const denied = root ? [] : METADATA.map((address) => `IPAddressDeny=${address}`);
  const properties = [...denied, 'TasksMax=infinity', `Before=${AGENT_UNIT}`];
  const user = root ? [] : AS_JOB_USER;
  return {
    file: 'systemd-run',
    args: ['--quiet', '--scope', '--collect', `--unit=${unit}`, ...properties.map((p) => `--property=${p}`), '--', ...user, file, ...args],
    env,
    cwd,
  };
}

/** A unit whose last process has gone is gone itself: that systemctl finds none is the usual case. */
function killUnit(): Promise<void> {
  return ended('systemctl', ['kill', '--signal=SIGKILL', UNIT]);
}

/** Runs it to its end, however that is. */
function ended(file: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile(file, args, () => resolve());
  });
}

/** What decides how commands are started. */
export interface LauncherFacts {
  /** Of the local cloud, without users and file system of its own. */
  readonly processMachine: boolean;
  readonly isRoot: boolean;
  readonly userName: string;
  /** Whether {@link JOB_USER} is there and another than root. */
  readonly hasJobUser: boolean;
}

/** The launcher that fits the machine. */
export function chooseLauncher({ processMachine, isRoot, userName, hasJobUser }: LauncherFacts, root: boolean): Launcher {
  if (processMachine || !isRoot) return plainLauncher(userName);
  if (existsSync('/run/systemd/system')) return unitLauncher({ root });
  return hasJobUser && !root ? userLauncher() : plainLauncher(userName);
}

/** Whether a passwd file names the user of jobs as somebody else than root. */
export function namesJobUser(passwd: string): boolean {
  const id = new RegExp(`^${JOB_USER}:[^:]*:(\\d+):`, 'm').exec(passwd)?.[1];
  return id !== undefined && id !== '0';
}
