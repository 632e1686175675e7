import { readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import { Imds } from '../aws/imds';
import { secretReader } from '../aws/secret-values';
import { createWireStore } from '../aws/wire-store';
import { decodeJson, GrantSchema, systemClock } from '../contract';
import type { Grant } from '../contract';
import { serveAsWriter } from '../store/environments/writer-threads';
import { runAgent } from './agent';
import { placesIn } from './environment';
import { measureUsage } from './idle/usage';
import { chooseLauncher, namesJobUser } from './launcher';
import { readOomKills } from './memory';
import { Phases } from './phases';

/* The edge: what the bootstrap hands over as environment becomes an agent's dependencies. */

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the bootstrap did not hand over ${name}`);
  return value;
}

/** When Node had started and began to read our first line. */
function firstLineAt(): number {
  return Math.round(performance.timeOrigin + performance.nodeTiming.bootstrapComplete);
}

/** Read once, then gone from the disk too. */
async function readGrant(): Promise<Grant> {
  const file = given('RAWCLOUD_GRANT');
  const grant = decodeJson(GrantSchema, await readFile(file), 'the grant');
  await rm(file, { force: true });
  return grant;
}

async function bootId(): Promise<string> {
  const read = readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return read.then(
    (text) => text.trim(),
    () => 'unknown',
  );
}

function listenForPowerButton(): AbortSignal {
  const goingDown = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => goingDown.abort());
  return goingDown.signal;
}

async function main(): Promise<boolean> {
  const machine = process.env;
  const phases = new Phases(systemClock, machine['RAWCLOUD_PHASES']);
  phases.begin('agent', firstLineAt());
  const goingDown = listenForPowerButton();
  const root = machine['RAWCLOUD_ROOT'] ?? '';
  const region = given('RAWCLOUD_REGION');
  const endpoint = machine['AWS_ENDPOINT_URL'];
  const imds = new Imds(given('RAWCLOUD_IMDS'), systemClock);
  const place = { region, ...(endpoint ? { endpoint } : {}), clock: systemClock };
  const store = createWireStore({
    ...place,
    bucket: given('RAWCLOUD_BUCKET'),
    credentials: (fresh) => {
      if (fresh) imds.forget();
      return imds.roleCredentials();
    },
  });
  const facts = {
    processMachine: root !== '',
    isRoot: process.getuid?.() === 0,
    userName: os.userInfo().username,
    hasJobUser: namesJobUser(await readFile('/etc/passwd', 'utf8').catch(() => '')),
  };
  try {
    return await runAgent({
      store,
      clock: systemClock,
      grant: await readGrant(),
      vm: given('RAWCLOUD_VM'),
      bootId: await bootId(),
      region,
      places: placesIn(root, given('RAWCLOUD_STATE')),
      phases,
      machine,
      user: { isRoot: facts.isRoot, name: facts.userName },
      program: __filename,
      launcher: (asRoot) => chooseLauncher(facts, asRoot),
      metadata: { find: (path) => imds.find(path) },
      roleCredentials: () => imds.roleCredentials(),
      readSecret: secretReader({ ...place, credentials: () => imds.roleCredentials() }),
      measureUsage: measureUsage(machine['PATH'] ?? ''),
      oomKills: readOomKills,
      goingDown,
    });
  } finally {
    store.close();
  }
}

/** Started by somebody who enters the VM, this is the way in and no agent. */
async function enter(): Promise<boolean> {
  const { enterJob } = await import('./entry/enter.js');
  return enterJob(process.argv[3] ?? '', given('RAWCLOUD_ENTRY'));
}

function start(): Promise<boolean> {
  return process.argv[2] === 'exec' ? enter() : main();
}

if (!serveAsWriter())
  start().then(
    (decided) => process.exit(decided ? 0 : 1),
    (error: unknown) => {
      // To the boot log: the trap of the bootstrap ships it and powers off.
      process.stderr.write(`rawcloud agent failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, () =>
        process.exit(1),
      );
    },
  );
