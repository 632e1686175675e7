import type { Client } from '../../lib/runtime';
import { House } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

/** Writes that the client makes, in order; reads change nothing, so dying at one is dying after the last write. */
const WRITES =
  /^(PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload|RunInstances|TerminateInstances|DeleteObject|CreateTags)$/;

/** Kills the client when it has made so many writes. @returns how many it made before it ended by itself, if it did */
async function runKilledAt(at: number): Promise<{ writes: number; code: number | null }> {
  const { calls, credentials } = house.cloud;
  const record = calls.record.bind(calls);
  let writes = 0;
  const running = house.start(['run', '--', 'sh', '-c', 'echo ran >> "$HOME/../ran"; exit 4']);
  calls.record = (call): void => {
    record(call);
    if (!call.principal.includes('user/') || !WRITES.test(call.operation)) return;
    writes += 1;
    if (writes === at) running.child.kill('SIGKILL');
  };
  const { code } = await running.ended;
  calls.record = record;
  expect(credentials.accessKeyId).toBeDefined();
  return { writes, code };
}

/** What the reaper does every few minutes, until no job is open. */
async function reapUntilEnded(client: Client): Promise<void> {
  for (let tick = 0; tick < 20; tick++) {
    const open = await client.jobs();
    if (open.length === 0) return;
    // Before a launch was on record nothing can be launched; the job is given up five minutes later, or at once when asked.
    for (const { job, state } of open) if (state === 'recorded') await (await client.job(job)).stop();
    expect((await client.reap()).unproved).toEqual([]);
    await house.allGone();
  }
  throw new Error(`the job did not end: ${JSON.stringify(await client.jobs())}`);
}

describe('a client that is killed', () => {
  test('at any of its writes leaves a job that another driver ends, with one VM at most', async () => {
    const client = await house.client();
    const whole = await runKilledAt(Infinity);
    expect(whole.code).toBe(4);
    for (let at = 1; at <= whole.writes; at++) {
      const launchesBefore = house.cloud.ec2.instances().length;
      const { code } = await runKilledAt(at);
      expect(code === null || code === 4).toBe(true);
      await reapUntilEnded(client);
      expect(house.cloud.ec2.instances().length - launchesBefore).toBeLessThanOrEqual(1);
      expect(house.alive()).toEqual([]);
    }
    await client.close();
  }, 480_000);
});
