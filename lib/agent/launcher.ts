import { existsSync } from 'node:fs';

/** A command as it is started. */
export interface Invocation {
  readonly file: string;
  readonly args: readonly string[];
  /** Given to the process itself; a unit gets them from its own arguments file instead. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface Launcher {
  readonly kind: 'plain' | 'unit';
  /** Unix user the command runs as. */
  readonly user: string;
  wrap(command: Invocation): Invocation;
}

/** Unix user of jobs, made by the bootstrap. */
export const JOB_USER = 'rawcloud-job';

/** As the same user, in a process group of its own: where there is no systemd, or no root. */
export function plainLauncher(user: string): Launcher {
  return { kind: 'plain', user, wrap: (command) => command };
}

/**
 * As a unit of its own: own user, all of its processes ended with it, and no way to the metadata service, where it
 * would find the VM's role. With `root` neither.
 */
export function unitLauncher({ root }: { readonly root: boolean }): Launcher {
  return { kind: 'unit', user: root ? 'root' : JOB_USER, wrap: (command) => compileUnit(command, root) };
}

/** systemd-run's arguments. Variables go through its environment by name, since arguments are for everyone to read. */
export function compileUnit({ file, args, env, cwd }: Invocation, root: boolean): Invocation {
  const properties = [
    'KillMode=control-group',
    'OOMPolicy=continue',
    ...(root ? [] : ['IPAddressDeny=169.254.169.254/32', 'NoNewPrivileges=no']),
  ];
  return {
    file: 'systemd-run',
    args: [
      '--quiet',
      '--pipe',
      '--wait',
      '--collect',
      '--service-type=exec',
      '--unit=rawcloud-task',
      `--working-directory=${cwd}`,
      ...(root ? [] : [`--uid=${JOB_USER}`, `--gid=${JOB_USER}`]),
      ...properties.map((p) => `--property=${p}`),
      ...Object.keys(env).map((name) => `--setenv=${name}`),
      '--',
      file,
      ...args,
    ],
    env,
    cwd,
  };
}

/** The launcher that fits the machine. */
export function chooseLauncher(
  machine: { readonly processMachine: boolean; readonly isRoot: boolean; readonly userName: string },
  root: boolean,
): Launcher {
  const systemd = !machine.processMachine && machine.isRoot && existsSync('/run/systemd/system');
  return systemd ? unitLauncher({ root }) : plainLauncher(machine.userName);
}
