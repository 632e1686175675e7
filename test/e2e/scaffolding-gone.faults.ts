import { DeleteLaunchTemplateCommand, DeleteSecurityGroupCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { House } from './house';

let house: House;
beforeEach(async () => {
  house = await House.open();
});
afterEach(async () => {
  await house.close();
});

const ANY_NUMBER = 1_000_000;
const WAITS = ['sh', '-c', 'echo begun; until [ -e go ]; do sleep 0.05; done; echo end; exit 5'];

/** What goes with the stack, but for the role; the bucket stays. A group that is in use stays until it no longer is. */
async function deleteStack(): Promise<void> {
  const { url: endpoint, region, credentials, scaffold } = house.cloud;
  const config = { endpoint, region, credentials: { ...credentials } };
  const [ec2, ssm] = [new EC2Client(config), new SSMClient(config)];
  await ssm.send(new DeleteParameterCommand({ Name: '/rawcloud/default/scaffold' }));
  await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateId: scaffold.launchTemplateId }));
  await ec2.send(new DeleteSecurityGroupCommand({ GroupId: scaffold.securityGroupId })).catch((error: Error) => {
    if (!/DependencyViolation/.test(error.name)) throw error;
  });
  ec2.destroy();
  ssm.destroy();
}

test('a stack that is deleted while a job runs leaves the job alone: who watches sees it to its end, and others are told what is missing', async () => {
  const running = house.start(['run', '--', ...WAITS]);
  await running.saw(/begun/);
  await deleteStack();
  const asked = await house.rawcloud(['ps']);
  expect(asked.code).toBe(120);
  expect(asked.stderr).toContain("there is no rawcloud scaffolding 'default'");
  await house.place('go');
  expect(await running.ended).toMatchObject({ code: 5, stdout: Buffer.from('begun\nend\n') });
  expect(house.alive()).toEqual([]);
}, 60_000);

test('with the stack goes the role: a VM that nobody watches, and whose every call is refused, ends with its command', async () => {
  const running = house.start(['run', '--', ...WAITS]);
  await running.saw(/begun/);
  running.child.kill('SIGKILL');
  await running.ended;
  await deleteStack();
  house.cloud.faults.arm({ operation: 's3:*', count: ANY_NUMBER, effect: { kind: 'error', status: 403, code: 'InvalidAccessKeyId' } });
  await house.place('go');
  await house.allGone();
}, 60_000);
