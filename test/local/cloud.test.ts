import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DescribeLaunchTemplateVersionsCommand } from '@aws-sdk/client-ec2';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import {
  amazonLinuxParameter,
  bucketKeys,
  encodeGrant,
  jobKeys,
  jobPrefix,
  parseScaffold,
  scaffoldParameterName,
  vmUserId,
} from '../../lib/contract';
import { startLocalCloud } from '../../lib/local/cloud';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { IMAGES, launch, script } from './launching';

async function parameter({ ssm }: TestCloud, Name: string): Promise<string> {
  return (await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value!;
}

async function put({ s3, cloud }: TestCloud, Key: string, Body: Uint8Array): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: cloud.scaffold.bucket, Key, Body }));
}

async function text({ s3, cloud }: TestCloud, Key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: cloud.scaffold.bucket, Key }));
  return Body!.transformToString();
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('the scaffolding is what the parameter says, and stays the same over a restart', async () => {
  await withLocalCloud({}, async (test) => {
    const scaffold = parseScaffold(await parameter(test, scaffoldParameterName('default')));
    expect(scaffold).toEqual(test.cloud.scaffold);
    expect(scaffold).toMatchObject({
      name: 'default',
      region: 'us-east-1',
      launchTemplateVersion: '1',
      zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
    });
    expect(scaffold.roleId).toMatch(/^AROALOCAL[A-Z2-7]{12}$/);
    expect(await parameter(test, amazonLinuxParameter('x86_64'))).toBe(IMAGES.x86_64);
    expect(await parameter(test, amazonLinuxParameter('arm64'))).toBe(IMAGES.arm64);
    const next = await test.restart();
    expect(next.cloud.scaffold).toEqual(scaffold);
    expect(next.cloud.credentials).toEqual(test.cloud.credentials);
  });
});

test('a changed bootstrap becomes a new version of the launch template; the old one stays', async () => {
  await withLocalCloud({ userData: () => '#!/bin/bash\necho old\n' }, async (test) => {
    const next = await test.restart({ userData: ({ bucket }) => `#!/bin/bash\necho ${bucket}\n` });
    const { launchTemplateId, launchTemplateVersion, bucket } = parseScaffold(await parameter(next, scaffoldParameterName('default')));
    expect(launchTemplateVersion).toBe('2');
    const { LaunchTemplateVersions } = await next.ec2.send(
      new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: launchTemplateId }),
    );
    const scripts = LaunchTemplateVersions!.map((v) => Buffer.from(v.LaunchTemplateData!.UserData!, 'base64').toString());
    expect(scripts).toEqual(['#!/bin/bash\necho old\n', `#!/bin/bash\necho ${bucket}\n`]);
    expect(LaunchTemplateVersions!.map((v) => v.DefaultVersion)).toEqual([false, true]);
  });
});

test('the real bootstrap finds its grant, takes Node from the image and the agent from the bucket, and powers off', async () => {
  await withLocalCloud({ imageNode: true }, async (test) => {
    const { scaffold, stateDir, ec2 } = test.cloud;
    const [nodeSha256] = await readdir(path.join(stateDir, 'image/opt/rawcloud/node'));
    const agent = Buffer.from("console.log('agent of ' + process.env.RAWCLOUD_VM); process.exitCode = 7;\n");
    await put(test, bucketKeys.agent(sha256(agent)), agent);
    const prefix = jobPrefix('job', '0'.repeat(32));
    const id = await launch(test, {
      LaunchTemplate: { LaunchTemplateId: scaffold.launchTemplateId, Version: scaffold.launchTemplateVersion },
    });
    const vm = vmUserId(scaffold.roleId, id);
    const intervals = { beatMs: 1, idleBeatMs: 1, flushMs: 1, idleFlushMs: 1, controlMs: 1, idleControlMs: 1, bootMs: 1, lostMs: 1 };
    const grant = {
      v: 1,
      prefix,
      nodeSha256: nodeSha256!,
      agentSha256: sha256(agent),
      serial: 0,
      variables: {},
      intervals,
      lifetimeUntil: 0,
    } as const;
    await put(test, bucketKeys.grant(vm), encodeGrant(grant));
    await ec2.whenState(id, 'terminated');
    const log = await text(test, jobKeys.bootLog(prefix, vm));
    expect(log).toContain(`agent of ${vm}\n`);
    expect(log).toContain('the boot script ends with 7');
    expect(await ec2.consoleOutput(id)).toContain(log.trimEnd());
    expect(ec2.instances()[0]!.stateReason!.code).toBe('Client.InstanceInitiatedShutdown');
    // Nobody but the VM reads its grant.
    await expect(text(test, bucketKeys.grant(vm))).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

test('calls are recorded with principal and outcome, and without secrets', async () => {
  await withLocalCloud({}, async (test) => {
    await launch(test, { UserData: script('true # secret-of-mine') });
    const calls = test.cloud.calls.recent();
    expect(calls).toMatchObject([
      { service: 'ec2', operation: 'RunInstances', status: 200, principal: expect.stringContaining('user/developer') as string },
    ]);
    test.cloud.calls.flush();
    const file = await readFile(path.join(test.cloud.stateDir, 'calls.jsonl'), 'utf8');
    expect(file).not.toContain('secret');
    expect(file).not.toContain(script('true # secret-of-mine'));
  });
});

test('fails to start a second one on the same state', async () => {
  await withLocalCloud({}, async ({ cloud }) => {
    await expect(startLocalCloud({ stateDir: cloud.stateDir })).rejects.toMatchObject({
      code: 'E_LOCAL_CLOUD',
      data: { pid: process.pid },
    });
  });
});
