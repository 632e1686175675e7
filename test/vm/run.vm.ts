import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VmHouse } from './vm-house';

let house: VmHouse;

beforeEach(async () => {
  house = await VmHouse.open();
});

afterEach(async () => {
  await house.close();
});

test('a job runs as its own user, without a way to the metadata service but with its identity; all it made arrives, and the VM powers off', async () => {
  await house.write({
    'data.txt': 'from home\n',
    'job.sh': `
id -un
cat /proc/self/cgroup data.txt
curl -s -m 5 -o /dev/null http://169.254.169.254/latest/meta-data/; echo "metadata service: $?"
curl -s -m 20 -o /dev/null -w 'endpoint: %{http_code}\\n' "$AWS_ENDPOINT_URL"
curl -s -m 20 -H "Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN" "$AWS_CONTAINER_CREDENTIALS_FULL_URI" | grep -o '"AccessKeyId":"ASIA'
echo err >&2
mkdir results; cat >results/new.txt
exit 7
`,
  });
  const ended = await house.rawcloud(['run', '--download', '--', 'sh', 'job.sh'], { stdin: 'piped in' });
  expect(ended.stdout.toString().split('\n')).toEqual([
    'rawcloud-job',
    '0::/system.slice/rawcloud-task.scope',
    'from home',
    // curl's "timed out": what is sent there is dropped.
    'metadata service: 28',
    'endpoint: 403',
    '"AccessKeyId":"ASIA',
    '',
  ]);
  expect(ended.stderr).toMatch(/^err$/m);
  expect(ended.code).toBe(7);
  expect(await readFile(path.join(house.project, 'results/new.txt'), 'utf8')).toBe('piped in');
  await house.gone();
  await house.expectCleanEnd();
  expect(await house.bootLog()).toMatch(/the boot script ends with 0, powering off/);
});

test('a stop ends the command with SIGTERM, then SIGKILL, and what it left in the background before the VM powers off', async () => {
  await house.write({
    // Both ignore SIGTERM; one says so. The witness is outside of the job's unit.
    'job.sh': `
trap 'echo "asked to end"' TERM
setsid sh -c 'trap "" TERM; exec sleep 7777' &
systemd-run --quiet sh -c 'while pgrep -f "^sleep 7777"; do sleep 0.1; done; echo "witness: the daemon is gone, $(pgrep -c -f "[r]awcloud/agent.js") agent is there" >/dev/console'
echo begun
while :; do sleep 1; done
`,
  });
  // Between the end of the command and that of the agent, so that the witness has the time to look.
  house.cloud.faults.arm({ operation: 'PutObject', resource: 'done\\.json$', effect: { kind: 'delay', ms: 10_000 } });
  const running = house.start(['run', '--root', '--', 'sh', 'job.sh']);
  await running.saw(/begun/);
  await house.rawcloud(['stop']);
  const ended = await running.ended;
  expect(ended.stdout.toString()).toBe('begun\nasked to end\n');
  expect(ended.code).toBe(130);
  await house.gone();
  expect(await house.console()).toMatch(/witness: the daemon is gone, 1 agent is there/);
  await house.expectCleanEnd();
});

test('a command is left alone by its idle timeout while a process below it works, and ended once that sleeps', async () => {
  await house.write({
    'job.sh': `
setsid sh -c 'end=$(($(date +%s) + 25)); while [ $(date +%s) -lt $end ]; do :; done'
echo worked
sleep 7777
`,
  });
  const ended = await house.rawcloud(['run', '--idle-timeout', '15s', '--', 'sh', 'job.sh']);
  expect(ended.stdout.toString()).toBe('worked\n');
  expect(ended.stderr).toMatch(/did next to nothing for 1\d s: CPU \d\.\d % of a core, disk .+\/s, network .+\/s, no output/);
  expect(ended.code).toBe(124);
  await house.gone();
});
