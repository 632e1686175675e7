import type { Client } from '../../lib/runtime';
import { machineProcesses } from '../fakes/local-cloud';
import { AGENT } from '../e2e/house';
import type { House, Running } from '../e2e/house';
import type { Chance } from './chance';

/**
 * harmless: the job must come to its own result all the same · stop: it may be stopped instead · deadly: it may be lost
 * instead.
 */
export type Harm = 'harmless' | 'stop' | 'deadly';

/** What a disturbance can get hold of. */
export interface Scene {
  readonly house: House;
  readonly client: Client;
  readonly running: Running;
  readonly name: string;
  readonly chance: Chance;
  /** Set when the client cannot tell how the job ended. */
  clientGone: boolean;
  /** What has been begun and must be over before the round is. */
  readonly begun: Promise<unknown>[];
}

export interface Disturbance {
  readonly what: string;
  readonly harm: Harm;
  act(scene: Scene): void | Promise<void>;
}

const BOOT_SCRIPT = /user-data$/;

function signalProcesses({ house }: Scene, what: RegExp, signal: NodeJS.Signals): void {
  for (const { pid, command } of machineProcesses(house.directory)) {
    if (!what.test(command)) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

async function anyVm({ house, chance }: Scene, act: (id: string) => Promise<void>): Promise<void> {
  const on = house.alive();
  if (on.length > 0) await act(chance.pick(on)).catch(() => undefined);
}

async function anySpotVm(scene: Scene, act: (id: string) => Promise<void>): Promise<void> {
  const spot = new Set(scene.house.cloud.ec2.instances().flatMap((i) => (i.spot ? [i.id] : [])));
  await anyVm(scene, async (id) => (spot.has(id) ? act(id) : undefined));
}

function burst(scene: Scene, operation: string, status: number, code: string): void {
  scene.house.cloud.faults.arm({ operation, count: scene.chance.whole(1, 25), effect: { kind: 'error', status, code } });
}

/** All that may go wrong. A job is told by its name, since who kills a client may not know more. */
export const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'client killed',
    harm: 'harmless',
    act: (scene) => {
      scene.clientGone = true;
      scene.running.child.kill('SIGKILL');
    },
  },
  {
    what: 'client asleep for a while',
    harm: 'harmless',
    act: async ({ running, house }) => {
      running.child.kill('SIGSTOP');
      await house.allGone().catch(() => undefined);
      running.child.kill('SIGCONT');
    },
  },
  { what: 'Ctrl-C', harm: 'stop', act: ({ running }) => void running.child.kill('SIGINT') },
  {
    what: 'Ctrl-C twice',
    harm: 'stop',
    act: (scene) => {
      scene.clientGone = true;
      scene.running.child.kill('SIGINT');
      setImmediate(() => scene.running.child.kill('SIGINT'));
    },
  },
  { what: 'somebody stops', harm: 'stop', act: ({ house, name, begun }) => void begun.push(house.rawcloud(['stop', name])) },
  { what: 'somebody attaches', harm: 'harmless', act: ({ house, name, begun }) => void begun.push(house.rawcloud(['attach', name])) },
  { what: 'somebody extends', harm: 'harmless', act: ({ house, name, begun }) => void begun.push(house.rawcloud(['extend', name, '3h'])) },
  { what: 'reaper', harm: 'harmless', act: ({ client, begun }) => void begun.push(client.reap().catch(() => undefined)) },
  { what: 'agent killed', harm: 'deadly', act: (scene) => signalProcesses(scene, AGENT, 'SIGKILL') },
  { what: 'boot script killed', harm: 'deadly', act: (scene) => signalProcesses(scene, BOOT_SCRIPT, 'SIGKILL') },
  { what: 'host dies', harm: 'deadly', act: (scene) => anyVm(scene, (id) => scene.house.cloud.ec2.kill(id)) },
  {
    what: 'EC2 takes the VM back',
    harm: 'deadly',
    act: (scene) => anySpotVm(scene, (id) => scene.house.cloud.ec2.interrupt(id, { noticeMs: scene.chance.whole(0, 4_000) })),
  },
  { what: 'EC2 advises to move', harm: 'harmless', act: (scene) => anySpotVm(scene, (id) => scene.house.cloud.ec2.rebalance(id)) },
  { what: 'power button', harm: 'deadly', act: (scene) => anyVm(scene, (id) => scene.house.cloud.ec2.powerOff(id)) },
  { what: 'reboot', harm: 'deadly', act: (scene) => anyVm(scene, (id) => scene.house.cloud.ec2.reboot(id)) },
  { what: 'S3 is slowed down', harm: 'harmless', act: (scene) => burst(scene, 's3:*', 503, 'SlowDown') },
  { what: 'everything fails for a moment', harm: 'harmless', act: (scene) => burst(scene, '*', 500, 'InternalError') },
  { what: 'EC2 is throttled', harm: 'harmless', act: (scene) => burst(scene, 'ec2:*', 503, 'RequestLimitExceeded') },
  { what: 'conflicts', harm: 'harmless', act: (scene) => burst(scene, 'PutObject', 409, 'ConditionalRequestConflict') },
  {
    what: 'replies of writes are lost',
    harm: 'harmless',
    act: ({ house, chance }) =>
      house.cloud.faults.arm({
        operation: chance.pick(['PutObject', 'RunInstances', 'TerminateInstances', 'DeleteObject', 'CreateTags']),
        count: chance.whole(1, 3),
        effect: { kind: 'lost-reply' },
      }),
  },
  {
    what: 'slow answers',
    harm: 'harmless',
    act: ({ house, chance }) => house.cloud.faults.arm({ operation: '*', count: 10, effect: { kind: 'delay', ms: chance.whole(50, 500) } }),
  },
  { what: 'no capacity in a zone', harm: 'harmless', act: ({ house }) => house.cloud.ec2.noCapacity([{ count: 1 }]) },
];
