import { outputBytes } from '../../lib/contract';
import type { Client, JobStatus } from '../../lib/runtime';
import type { CallRecord } from '../../lib/local/service';
import type { Ended, House } from '../e2e/house';
import type { Chance } from './chance';
import { DISTURBANCES } from './disturbances';
import type { Disturbance, Harm, Scene } from './disturbances';
import { makeJob } from './jobs';
import type { ChaosJob } from './jobs';

/** What happened in one round, as the oracle judges it. */
export interface Round {
  readonly job: ChaosJob;
  readonly disturbances: readonly { readonly atCall: number; readonly what: string; readonly harm: Harm }[];
  readonly ended: Ended;
  readonly clientGone: boolean;
  /** The test itself asked a job to stop whose client had died before it launched anything. */
  readonly givenUp: boolean;
  /** Absent when the client died before the job was on record. */
  readonly status: JobStatus | undefined;
  /** What each VM shipped, in the order in which they were launched. */
  readonly logs: readonly Shipped[];
  readonly launched: number;
  /** What the last VM said while it booted. */
  readonly bootLog: string;
}

export interface Shipped {
  readonly vm: string;
  stdout: string;
  stderr: string;
}

/** Calls of a whole run in peace, about: disturbances strike somewhere among them. */
const CALLS_OF_A_RUN = 90;

/** Plays one round: a job, its client, and what goes wrong at chosen calls. Ends with every job ended by whoever is left. */
export async function playRound(house: House, client: Client, chance: Chance, name: string): Promise<Round> {
  const job = makeJob(chance, name);
  const chosen = choose(chance);
  const before = house.cloud.ec2.instances().length;
  const running = house.start(['run', '--name', name, ...job.options, '--', ...job.argv]);
  const scene: Scene = { house, client, running, name, chance, clientGone: false, begun: [] };
  const undo = strikeAt(house, chosen, scene);
  const ended = await running.ended;
  undo();
  house.cloud.faults.clear();
  house.cloud.ec2.clearCapacity();
  await Promise.all(scene.begun);
  const givenUp = await driveToEnd(house, client);
  const status = await statusOf(client, name);
  return {
    job,
    disturbances: chosen.map(({ atCall, disturbance: { what, harm } }) => ({ atCall, what, harm })),
    ended,
    clientGone: scene.clientGone,
    givenUp,
    status,
    logs: await logsOf(client, status),
    launched: house.cloud.ec2.instances().length - before,
    bootLog: status ? await (await client.job(status.job)).bootLog() : '',
  };
}

interface Chosen {
  readonly atCall: number;
  readonly disturbance: Disturbance;
}

function choose(chance: Chance): Chosen[] {
  const count = chance.pick([0, 1, 1, 2, 2, 3, 5]);
  return Array.from({ length: count }, () => ({ atCall: chance.whole(1, CALLS_OF_A_RUN), disturbance: chance.pick(DISTURBANCES) }));
}

/** @returns what stops it */
function strikeAt(house: House, chosen: readonly Chosen[], scene: Scene): () => void {
  const { calls } = house.cloud;
  const record = calls.record.bind(calls);
  let count = 0;
  calls.record = (call: CallRecord): void => {
    record(call);
    count += 1;
    for (const { atCall, disturbance } of chosen) if (atCall === count) scene.begun.push(Promise.resolve(disturbance.act(scene)));
  };
  return () => {
    calls.record = record;
  };
}

/** What the reaper does every few minutes. @returns whether a job was given up that had launched nothing */
async function driveToEnd(house: House, client: Client): Promise<boolean> {
  let givenUp = false;
  for (let tick = 0; tick < 30; tick++) {
    const open = await client.jobs();
    if (open.length === 0) return givenUp;
    // It would be given up five minutes later by itself; a test does not wait.
    for (const { job, state } of open) {
      if (state !== 'recorded') continue;
      givenUp = true;
      await (await client.job(job)).stop();
    }
    await client.reap();
    await house.allGone();
  }
  throw new Error(`a job does not end: ${JSON.stringify(await client.jobs())}`);
}

async function statusOf(client: Client, name: string): Promise<JobStatus | undefined> {
  const summary = (await client.jobs({ all: true })).find((job) => job.name === name);
  return summary && (await client.job(summary.job)).status();
}

/** An ended job is told from its first byte on to whoever watches it. */
async function logsOf(client: Client, status: JobStatus | undefined): Promise<Shipped[]> {
  const logs = (status?.vms ?? []).map(({ id }): Shipped => ({ vm: id, stdout: '', stderr: '' }));
  if (!status) return logs;
  for await (const event of (await client.job(status.job)).watch()) {
    if (event.type !== 'output' || event.data.stream === 'system' || event.data.stream === 'environment') continue;
    const shipped = logs.find(({ vm }) => vm === event.vm);
    if (shipped) shipped[event.data.stream] += Buffer.from(outputBytes(event.data)).toString();
  }
  return logs;
}
