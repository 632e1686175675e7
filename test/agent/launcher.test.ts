import { chooseLauncher, compileUnit, unitLauncher } from '../../lib/agent/launcher';

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
  expect(chooseLauncher({ processMachine: true, isRoot: true, userName: 'me' }, false)).toMatchObject({ kind: 'plain', user: 'me' });
});
