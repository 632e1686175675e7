import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '../../lib/runtime';
import { House } from './house';
import { machineProcesses } from '../fakes/local-cloud';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

/** The agent, as a process: nothing else on a VM runs on the Node that the image ships. */
const AGENT = /opt\/rawcloud\/node\/[0-9a-f]{64}\/bin\/node/;

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

describe('when AWS or the VM fails', () => {
  test('a lost reply to RunInstances makes one VM', async () => {
    house.cloud.faults.arm({ operation: 'RunInstances', effect: { kind: 'lost-reply' } });
    const ended = await house.rawcloud(['run', '--quiet', '--', 'sh', '-c', 'echo once']);
    expect(ended.stdout.toString()).toBe('once\n');
    expect(house.calls('RunInstances')).toBeGreaterThan(1);
    expect(house.cloud.ec2.instances()).toHaveLength(1);
  });

  test('lost replies to every kind of write double nothing', async () => {
    for (const operation of ['PutObject', 'PutObject', 'PutObject'])
      house.cloud.faults.arm({ operation, resource: 'v1/jobs|v1/active|v1/sealed', skip: 1, effect: { kind: 'lost-reply' } });
    const ended = await house.rawcloud(['run', '--quiet', '--', 'sh', '-c', 'echo once']);
    expect(ended.stdout.toString()).toBe('once\n');
    expect(house.cloud.ec2.instances()).toHaveLength(1);
  });

  test('no capacity in one zone takes the next', async () => {
    house.cloud.ec2.noCapacity([{ count: 1 }]);
    const ended = await house.rawcloud(['run', '--quiet', 'true']);
    expect(ended.code).toBe(0);
    expect(house.cloud.ec2.instances()).toHaveLength(1);
  });

  test('no capacity anywhere is 120, with what was tried', async () => {
    house.cloud.ec2.noCapacity([{}]);
    const ended = await house.rawcloud(['run', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/InsufficientInstanceCapacity|capacity/);
    expect(ended.stderr).toMatch(/tried/);
    expect(house.cloud.ec2.instances()).toEqual([]);
  });

  test('a quota that is too low is 120, with the remedy', async () => {
    house.cloud.faults.arm({
      operation: 'RunInstances',
      effect: {
        kind: 'error',
        status: 400,
        code: 'VcpuLimitExceeded',
        message: 'You have requested more vCPU capacity than your current vCPU limit of 5 allows',
      },
    });
    const ended = await house.rawcloud(['run', 'true']);
    expect(ended.code).toBe(120);
    expect(ended.stderr).toMatch(/Service Quotas/);
  });

  test('a killed agent means that the VM ends and the job is lost, with 123', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    const agents = machineProcesses(house.directory).filter((p) => AGENT.test(p.command));
    expect(agents.length).toBeGreaterThan(0);
    for (const { pid } of agents) process.kill(pid, 'SIGKILL');
    const ended = await running.ended;
    expect(ended.code).toBe(123);
    expect(ended.stdout.toString()).toBe('begun\n');
    const boot = await house.rawcloud(['logs', '--boot']);
    expect(boot.stdout.toString()).toMatch(/the boot script ends with/);
  });

  test('a host that dies loses the job, with 123, and no byte that was shipped', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    await house.cloud.ec2.kill(house.alive()[0]!);
    expect(await running.ended).toMatchObject({ code: 123, stdout: Buffer.from('begun\n') });
  });

  test('a VM that ends at once is 121, with EC2’s reason', async () => {
    house.cloud.ec2.deadInstances(1);
    const ended = await house.rawcloud(['run', 'true']);
    expect(ended.code).toBe(121);
    expect(ended.stderr).toMatch(/Server\.|Client\.|error/i);
  });

  test('a VM that cannot fetch its agent is 121, and its boot log can be read', async () => {
    house.cloud.faults.arm({
      operation: 'GetObject',
      resource: 'v1/agent/',
      skip: 2,
      count: 1000,
      effect: { kind: 'error', status: 404, code: 'NoSuchKey' },
    });
    const ended = await house.rawcloud(['run', 'true']);
    house.cloud.faults.clear();
    expect(ended.code).toBe(121);
    expect((await house.rawcloud(['logs', '--boot'])).stdout.toString()).toMatch(/cannot fetch v1\/agent/);
  }, 60_000);

  test('a VM whose agent and boot script stand still is ended by its guard', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    const id = house.alive()[0]!;
    for (const { pid, command } of machineProcesses(house.directory))
      if (AGENT.test(command) || /user-data$/.test(command)) process.kill(pid, 'SIGSTOP');
    // The guard reads its deadline every five seconds; this is what a lifetime that is over looks like.
    await writeFile(path.join(house.cloud.stateDir, 'machines', id, 'var/lib/rawcloud/deadline'), '1\n');
    expect((await running.ended).code).toBe(123);
  }, 60_000);

  test('a second boot ends the VM', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    await house.cloud.ec2.reboot(house.alive()[0]!);
    expect((await running.ended).code).toBe(123);
  }, 60_000);

  test('an endpoint that goes away for a while is waited for', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; sleep 2; echo end']);
    await running.saw(/begun/);
    house.cloud.faults.arm({ operation: '*', count: 40, effect: { kind: 'error', status: 503, code: 'ServiceUnavailable' } });
    const ended = await running.ended;
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('begun\nend\n') });
  }, 60_000);
});

test('the boot log of a VM is in the bucket from its beginning', async () => {
  const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
  await running.saw(/begun/);
  expect((await house.rawcloud(['logs', '--boot'])).stdout.toString()).toMatch(/rawcloud: VM i-/);
  await house.rawcloud(['stop']);
  expect((await running.ended).code).toBe(130);
});
