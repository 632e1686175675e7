import path from 'node:path';

/** Files of one process machine. Everything the machine sees lies under `root`; `.machine` is its hypervisor's side. */
export interface MachineDirectory {
  readonly root: string;
  readonly own: string;
  /** The init script; its path in a process's arguments is what tells that process from another with the same number. */
  readonly init: string;
  readonly userData: string;
  readonly console: string;
  /** Process number of the running init. */
  readonly pid: string;
  /** Boots so far. */
  readonly boots: string;
  /** Named pipe for `poweroff <ms>` and `reboot`. */
  readonly requests: string;
  /** `poweroff`, `killed` or `crashed`, once the machine is off. */
  readonly exit: string;
}

export function machineDirectory(root: string): MachineDirectory {
  const own = path.join(root, '.machine');
  const file = (name: string) => path.join(own, name);
  return {
    root,
    own,
    init: file('init'),
    userData: file('user-data'),
    console: file('console.log'),
    pid: file('pid'),
    boots: file('boots'),
    requests: file('requests'),
    exit: file('exit'),
  };
}
