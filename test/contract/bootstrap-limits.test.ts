import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { userData } from '../../lib/contract';
import { processesWith } from '../setup/processes';
import { withLocalCloud } from '../fakes/local-cloud';
import { ROLE_ID } from '../fakes/records';
import { launch } from '../local/launching';
import { until } from '../local/until';

/** The console of a VM with this user data, once it is gone. */
async function consoleOf(options: Parameters<typeof withLocalCloud>[0]): Promise<string> {
  return withLocalCloud(options, async (test) => {
    const id = await launch(test, { LaunchTemplate: { LaunchTemplateId: test.cloud.scaffold.launchTemplateId } });
    await test.cloud.ec2.whenState(id, 'terminated', AbortSignal.timeout(20_000));
    return readFile(test.file(id, '.machine/console.log'), 'utf8');
  });
}

test('fails with no-grant when none comes', async () => {
  expect(await consoleOf({ userData: (facts) => userData(facts, { grantWaitS: 1 }) })).toMatch(
    /no grant came within 1 s; the last answer of S3 was 403 AccessDenied[\s\S]*ends with 1 \(no-grant\), powering off/,
  );
});

test('a VM whose boot takes too long is ended by its guard', async () => {
  expect(await consoleOf({ userData: (facts) => userData(facts, { bootDeadlineS: 1 }) })).toMatch(
    /guard: the deadline is reached, powering off/,
  );
});

test.each([
  [403, 'RequestTimeTooSkewed'],
  [400, 'AuthorizationHeaderMalformed'],
  [404, 'NoSuchBucket'],
  [301, 'PermanentRedirect'],
])('fails at once on %i %s', async (status, code) => {
  const console = await consoleOf({
    control: (cloud) => {
      cloud.faults.arm({ operation: 'GetObject', resource: 'v1/private/', count: 1000, effect: { kind: 'error', status, code } });
      return () => false;
    },
  });
  expect(console).toMatch(
    new RegExp(`S3 refuses the request for the grant: ${status} ${code}[\\s\\S]*ends with 1 \\(${code}\\), powering off`),
  );
});

describe('where things are missing', () => {
  let directory: string;
  let root: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-boot-'));
    root = path.join(directory, "it's a root");
    for (const made of ['host', "it's a root/sbin"]) await mkdir(path.join(directory, made), { recursive: true });
    await program('host/poweroff', `echo off >'${directory}/host-off'`);
  });

  afterEach(async () => {
    // The guard lives until the machine is off, which these never are.
    for (const { pid, command } of processesWith(directory)) if (command.endsWith('/guard first')) process.kill(-pid, 'SIGKILL');
    await rm(directory, { recursive: true });
  });

  async function program(name: string, script: string): Promise<void> {
    await writeFile(path.join(directory, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  }

  const ownPowerOff = (): Promise<void> => program("it's a root/sbin/poweroff", 'echo off >"$RAWCLOUD_ROOT/off"');

  /** Runs user data to its end. @returns what it said, once `last` is in it: what it writes comes by a `tee` that outlives it */
  async function boot(last = /powering off/): Promise<string> {
    const script = userData({ bucket: 'b', region: 'us-east-1', roleId: ROLE_ID }, { grantWaitS: 1 });
    const env = {
      RAWCLOUD_ROOT: root,
      PATH: `${root}/sbin:${directory}/host:/usr/bin:/bin`,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
    };
    const console = await open(path.join(directory, 'console'), 'w+');
    try {
      const child = spawn('bash', ['-c', script], { env, stdio: ['ignore', console.fd, console.fd] });
      await once(child, 'exit');
      const said = (): Promise<string> => readFile(path.join(directory, 'console'), 'utf8');
      await until('the last line', async () => last.test(await said()));
      return await said();
    } finally {
      await console.close();
    }
  }

  const METADATA = `case "$*" in
  *api/token*) echo token ;;
  *instance-id*) printf 'i-0123456789abcdef0\\nrole\\n' ;;
  *security-credentials/role*) echo '{ "AccessKeyId": "A", "SecretAccessKey": "B", "Token": "C" }' ;;
  *--version*) echo 'curl 7.74.0 (test)' ;;
  *--aws-sigv4*)`;

  test('fails without IMDS, and powers off', async () => {
    await ownPowerOff();
    const said = await boot();
    expect(said).toMatch(/does not tell who this VM is[\s\S]*ends with 1 \(imds\), powering off/);
    expect(said).not.toMatch(/command not found/);
    await access(path.join(root, 'off'));
  });

  test('fails with the version of a curl that cannot sign', async () => {
    await ownPowerOff();
    await program("it's a root/sbin/curl", `${METADATA} echo 'curl: option --aws-sigv4: is unknown' >&2; exit 2 ;;\nesac`);
    expect(await boot()).toMatch(
      /this curl cannot sign requests for S3, 7.86 or newer can: curl 7.74.0 \(test\)[\s\S]*ends with 1 \(curl\)/,
    );
  });

  test('fails at once with a curl that leaves the session token unsigned', async () => {
    await ownPowerOff();
    const answer = '<Error><Code>AccessDenied</Code><HeadersNotSigned>x-amz-security-token</HeadersNotSigned></Error>';
    await program("it's a root/sbin/curl", `${METADATA} while [ "$1" != -o ]; do shift; done; echo '${answer}' >"$2"; printf 403 ;;\nesac`);
    expect(await boot()).toMatch(/this curl cannot sign[\s\S]*ends with 1 \(curl\)/);
  });

  test('never powers off the computer that a process machine runs on', async () => {
    await boot(/this machine has no poweroff of its own/);
    await expect(access(path.join(directory, 'host-off'))).rejects.toThrow('ENOENT');
  });
});
