import { existsSync } from 'node:fs';
import { chooseLauncher, compileUnit, namesJobUser, unitLauncher, userLauncher } from '../../lib/agent/launcher';

const COMMAND = { file: 'python3', args: ['a b.py', '--x'], env: { TOKEN: 's3cret', PATH: '/bin' }, cwd: '/tree' };

test('a unit has a user of its own and no way to the metadata service, and becomes the command', () => {
  expect(compileUnit(COMMAND, false)).toEqual({
    file: 'systemd-run',
    args: [
      ...['--quiet', '--scope', '--collect', '--unit=rawcloud-task.scope'],
      ...[
        '--property=IPAddressDeny=169.254.169.254/32',
        '--property=IPAddressDeny=fd00:ec2::254/128',
        '--property=TasksMax=infinity',
        '--property=Before=rawcloud-agent.scope',
        '--',
      ],
      ...['setpriv', '--reuid=rawcloud-job', '--regid=rawcloud-job', '--init-groups', '--', 'python3', 'a b.py', '--x'],
    ],
    env: COMMAND.env,
    cwd: '/tree',
  });
});

test('as root it keeps the user and reaches the metadata service', () => {
  const { args } = compileUnit(COMMAND, true);
  expect(args.join(' ')).not.toMatch(/setpriv|IPAddressDeny/);
  expect(unitLauncher({ root: true }).user).toBe('root');
});

test('no value of a variable is among the arguments', () => {
  expect(compileUnit(COMMAND, false).args.join(' ')).not.toContain('s3cret');
});

test('a process machine has no units', () => {
  expect(chooseLauncher({ processMachine: true, isRoot: true, userName: 'me', hasJobUser: true }, false)).toMatchObject({
    kind: 'plain',
    user: 'me',
  });
});

// A machine with systemd has units, whatever else there is.
const withoutSystemd = existsSync('/run/systemd/system') ? test.skip : test;
withoutSystemd('without systemd the job has its user all the same, unless it is to be root or there is none', () => {
  const facts = { processMachine: false, isRoot: true, userName: 'root', hasJobUser: true };
  expect(chooseLauncher(facts, false)).toMatchObject({ kind: 'user', user: 'rawcloud-job' });
  expect(chooseLauncher(facts, true)).toMatchObject({ kind: 'plain', user: 'root' });
  expect(chooseLauncher({ ...facts, hasJobUser: false }, false)).toMatchObject({ kind: 'plain' });
  expect(chooseLauncher({ ...facts, isRoot: false, userName: 'me' }, false)).toMatchObject({ kind: 'plain', user: 'me' });
});

test('a user is changed by a program that becomes the command', () => {
  expect(userLauncher().wrap(COMMAND)).toEqual({
    ...COMMAND,
    file: 'setpriv',
    args: ['--reuid=rawcloud-job', '--regid=rawcloud-job', '--init-groups', '--', 'python3', 'a b.py', '--x'],
  });
});

test('another name of root is no user for jobs', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/bash\nrawcloud-job:x:ID:995::/home/x:/bin/bash\n';
  expect(namesJobUser(passwd.replace('ID', '999'))).toBe(true);
  expect(namesJobUser(passwd.replace('ID', '0'))).toBe(false);
  expect(namesJobUser(passwd.replace('rawcloud-job', 'somebody'))).toBe(false);
});
