import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { decodeJson, GrantSchema } from '../contract';
import type { Clock } from '../contract';
import { Imds } from '../aws/imds';
import { createWireStore } from '../aws/wire-store';
import { Agent } from './agent';
import { placesIn } from './environment';
import { chooseLauncher } from './launcher';
import { Phases } from './phases';

/* The edge: what the bootstrap hands over as environment becomes an agent's dependencies. */

const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const wake = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      const stop = (): void => {
        clearTimeout(wake);
        reject(signal!.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the bootstrap did not hand over ${name}`);
  return value;
}

/** When Node had started and began to read our first line. */
function firstLineAt(): number {
  return Math.round(performance.timeOrigin + performance.nodeTiming.bootstrapComplete);
}

async function main(): Promise<boolean> {
  const machine = process.env;
  const phases = new Phases(clock, machine['RAWCLOUD_PHASES']);
  phases.begin('agent', firstLineAt());
  const root = machine['RAWCLOUD_ROOT'] ?? '';
  const imds = new Imds(given('RAWCLOUD_IMDS'), clock);
  const endpoint = machine['AWS_ENDPOINT_URL'];
  const region = given('RAWCLOUD_REGION');
  const goingDown = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => goingDown.abort());
  const store = createWireStore({
    region,
    bucket: given('RAWCLOUD_BUCKET'),
    ...(endpoint ? { endpoint } : {}),
    credentials: (fresh) => {
      if (fresh) imds.forget();
      return imds.roleCredentials();
    },
    clock,
  });
  const processMachine = root !== '';
  const agent = new Agent({
    store,
    clock,
    grant: decodeJson(GrantSchema, await readFile(given('RAWCLOUD_GRANT')), 'the grant'),
    vm: given('RAWCLOUD_VM'),
    bootId: await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      (text) => text.trim(),
      () => 'unknown',
    ),
    region,
    places: placesIn(root, given('RAWCLOUD_STATE')),
    phases,
    machine,
    launcher: (asRoot) => chooseLauncher({ processMachine, isRoot: process.getuid?.() === 0, userName: os.userInfo().username }, asRoot),
    goingDown: goingDown.signal,
  });
  try {
    return await agent.run();
  } finally {
    store.close();
  }
}

main().then(
  (decided) => process.exit(decided ? 0 : 1),
  (error: unknown) => {
    // To the boot log: the trap of the bootstrap ships it and powers off.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`rawcloud agent failed: ${text}\n`, () => process.exit(1));
  },
);
