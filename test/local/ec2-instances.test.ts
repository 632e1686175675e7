import {
  DescribeInstancesCommand,
  GetConsoleOutputCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { Instance } from '@aws-sdk/client-ec2';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch, script } from './launching';
import { until } from './until';

async function describe1({ ec2 }: TestCloud, id: string): Promise<Instance> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations![0]!.Instances![0]!;
}

async function consoleOf({ ec2 }: TestCloud, id: string): Promise<string> {
  const { Output = '' } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }));
  return Buffer.from(Output, 'base64').toString();
}

const FOREVER = script('echo up >up; sleep 1000');

test('an instance that powers itself off is terminated when it shall be', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: script('echo hello; poweroff'), InstanceInitiatedShutdownBehavior: 'terminate' });
    await test.cloud.ec2.whenState(id, 'terminated');
    expect(await describe1(test, id)).toMatchObject({
      State: { Code: 48, Name: 'terminated' },
      StateReason: { Code: 'Client.InstanceInitiatedShutdown', Message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown' },
      StateTransitionReason: 'User initiated',
      BlockDeviceMappings: [],
    });
    expect(await consoleOf(test, id)).toContain('hello\n');
  });
});

test('an instance that powers itself off is stopped otherwise, and starts again without user data but with its units', async () => {
  await withLocalCloud({}, async (test) => {
    const unit =
      '#!/bin/bash\necho boot >>"$RAWCLOUD_ROOT/boots"\n[ $(wc -l <"$RAWCLOUD_ROOT/boots") -lt 2 ] || echo twice >"$RAWCLOUD_ROOT/twice"';
    const install = `printf '%s' '${unit}' >etc/rc.d/unit; chmod +x etc/rc.d/unit; etc/rc.d/unit; echo run >>runs; shutdown -h now`;
    const id = await launch(test, { UserData: script(install) });
    await test.cloud.ec2.whenState(id, 'stopped');
    await test.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
    expect(await test.line(id, 'twice')).toBe('twice');
    expect(await test.line(id, 'runs')).toBe('run');
    expect(await describe1(test, id)).toMatchObject({ State: { Name: 'running' }, StateTransitionReason: '' });
  });
});

test('terminate: shutting-down, then terminated, with the reason and time that EC2 gives', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: FOREVER });
    await test.line(id, 'up');
    const { TerminatingInstances } = await test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(TerminatingInstances).toMatchObject([
      { InstanceId: id, PreviousState: { Name: 'running' }, CurrentState: { Name: 'shutting-down' } },
    ]);
    await test.cloud.ec2.whenState(id, 'terminated');
    expect(await describe1(test, id)).toMatchObject({
      StateReason: { Code: 'Client.UserInitiatedShutdown' },
      StateTransitionReason: expect.stringMatching(/^User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)$/) as string,
    });
    const again = await test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(again.TerminatingInstances).toMatchObject([{ PreviousState: { Name: 'terminated' }, CurrentState: { Name: 'terminated' } }]);
  });
});

test('a termination lets programs say their last word', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: script('trap "echo farewell; exit" TERM; echo up >up; while :; do sleep 0.05; done') });
    await test.line(id, 'up');
    await test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await test.cloud.ec2.whenState(id, 'terminated');
    expect(await consoleOf(test, id)).toContain('farewell');
  });
});

test('stop and start by the API; what is terminated cannot be started', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: FOREVER });
    await test.cloud.ec2.whenState(id, 'running');
    await test.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await test.cloud.ec2.whenState(id, 'stopped');
    expect(await describe1(test, id)).toMatchObject({ StateReason: { Code: 'Client.UserInitiatedShutdown' } });
    await test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await test.cloud.ec2.whenState(id, 'terminated');
    await expect(test.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject({ name: 'IncorrectInstanceState' });
  });
});

test('a reboot runs units again, not user data', async () => {
  await withLocalCloud({}, async (test) => {
    const install = `printf '#!/bin/bash\\necho back >"$RAWCLOUD_ROOT/back"' >etc/rc.d/unit; chmod +x etc/rc.d/unit; echo run >>runs; echo up >up; sleep 1000`;
    const id = await launch(test, { UserData: script(install) });
    await test.line(id, 'up');
    await test.ec2.send(new RebootInstancesCommand({ InstanceIds: [id] }));
    expect(await test.line(id, 'back')).toBe('back');
    expect(await test.line(id, 'runs')).toBe('run');
    expect(await describe1(test, id)).toMatchObject({ State: { Name: 'running' } });
  });
});

test('a host that dies takes the instance with it', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: script('trap "echo farewell" TERM EXIT; echo up >up; sleep 1000') });
    await test.line(id, 'up');
    await test.cloud.ec2.kill(id);
    expect(await describe1(test, id)).toMatchObject({ State: { Name: 'terminated' }, StateReason: { Code: 'Server.InternalError' } });
    expect(await consoleOf(test, id)).not.toContain('farewell');
  });
});

test('a dead instance is accepted, runs nothing and ends with a reason', async () => {
  await withLocalCloud({}, async (test) => {
    test.cloud.ec2.deadInstances(1);
    const dead = await launch(test, { UserData: FOREVER });
    await test.cloud.ec2.whenState(dead, 'terminated');
    expect(await describe1(test, dead)).toMatchObject({
      StateReason: { Code: 'Server.InternalError', Message: 'Server.InternalError: Internal error on launch' },
      StateTransitionReason: '',
    });
    expect(await consoleOf(test, dead)).toBe('');
    const alive = await launch(test, { UserData: FOREVER });
    expect(await test.line(alive, 'up')).toBe('up');
  });
});

test('an instance that is terminated while it is pending never runs', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    const id = await launch(test, { UserData: FOREVER });
    expect(await describe1(test, id)).toMatchObject({ State: { Name: 'pending' } });
    await test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await test.cloud.ec2.whenState(id, 'terminated');
    expect(existsSync(test.file(id, ''))).toBe(false);
  });
});

test('machines live on without the local cloud and are adopted by the next one', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: FOREVER });
    await test.line(id, 'up');
    const next = await test.restart({ keepMachines: true });
    expect(next.cloud.url).toBe(test.cloud.url);
    expect(await describe1(next, id)).toMatchObject({ State: { Name: 'running' } });
    await next.cloud.ec2.powerOff(id);
    expect(await describe1(next, id)).toMatchObject({ State: { Name: 'stopped' } });
  });
});

test('a machine that powers off while no local cloud runs is terminated when one runs again', async () => {
  await withLocalCloud({}, async (test) => {
    const wait = 'until [ -e go ]; do sleep 0.02; done; poweroff';
    const id = await launch(test, { UserData: script(`echo up >up; ${wait}`), InstanceInitiatedShutdownBehavior: 'terminate' });
    await test.line(id, 'up');
    const off = test.file(id, '.machine/exit');
    const next = await test.restart({
      keepMachines: true,
      // Called while the next one starts, before it looks at machines.
      userData: () => {
        execFileSync('/bin/bash', ['-c', `touch '${test.file(id, 'go')}'; until [ -e '${off}' ]; do sleep 0.02; done`]);
        return '#!/bin/bash\n';
      },
    });
    await next.cloud.ec2.whenState(id, 'terminated');
    expect(await describe1(next, id)).toMatchObject({ StateReason: { Code: 'Client.InstanceInitiatedShutdown' } });
  });
});

test('a launch on record whose process died before it was carried out is carried out by the next one', async () => {
  await withLocalCloud({ bootMs: 60_000 }, async (test) => {
    const id = await launch(test, { UserData: FOREVER });
    const next = await test.restart({ keepMachines: true, bootMs: 0 });
    expect(await next.line(id, 'up')).toBe('up');
  });
});

test('the directory of a terminated instance goes, its console stays', async () => {
  await withLocalCloud({ keepMs: 0 }, async (test) => {
    const data = script('echo last words; mkdir cache; touch cache/x; chmod 500 cache; poweroff');
    const id = await launch(test, { UserData: data, InstanceInitiatedShutdownBehavior: 'terminate' });
    await test.cloud.ec2.whenState(id, 'terminated');
    await until('the directory is gone', () => !existsSync(test.file(id, '')));
    expect(await consoleOf(test, id)).toContain('last words\n');
  });
});

test('the end of the local cloud powers machines off', async () => {
  await withLocalCloud({}, async (test) => {
    const id = await launch(test, { UserData: FOREVER, InstanceInitiatedShutdownBehavior: 'terminate' });
    await test.line(id, 'up');
    const next = await test.restart();
    expect(await describe1(next, id)).toMatchObject({ State: { Name: 'terminated' } });
  });
});
