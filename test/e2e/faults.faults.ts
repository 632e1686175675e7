import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AGENT, House } from './house';
import { machineProcesses } from '../fakes/local-cloud';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
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
    house.killAgents();
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
      skip: 1,
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
