import type { InstanceDriver, Machine } from '../../lib/contract';

/** Machines that run nothing and are off at once: for tests of EC2 itself, a thousand of which must cost nothing. */
export function emptyDriver(): InstanceDriver {
  return { kind: 'empty', start: () => Promise.resolve(emptyMachine()), adopt: () => Promise.resolve(undefined) };
}

function emptyMachine(): Machine {
  const power: { off?: (how: 'poweroff' | 'killed') => void } = {};
  const exited = new Promise<'poweroff' | 'killed'>((resolve) => {
    power.off = resolve;
  });
  const end = (how: 'poweroff' | 'killed') => (): Promise<void> => {
    power.off!(how);
    return Promise.resolve();
  };
  return {
    powerOff: end('poweroff'),
    kill: end('killed'),
    reboot: () => Promise.resolve(),
    consoleOutput: () => Promise.resolve(new Uint8Array()),
    exited,
  };
}
