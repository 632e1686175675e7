import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { House } from './house';
import { namespaces } from '../local/namespaces';

/** A package without dependencies, that has been the same for years. */
const PACKAGE = 'ms@2.1.3';

namespaces.describe('a job on a namespace machine', () => {
  let house: House;

  beforeAll(async () => {
    house = await House.open({ driver: 'namespace' });
  });

  afterAll(async () => {
    await house.allGone();
    await house.close();
  });

  test('installs its packages, prints, leaves with its code, and costs what it costs', async () => {
    await house.write({
      'package.json': '{ "name": "app", "version": "1.0.0" }',
      'app.js': `console.log(require('ms')('2 days')); console.error(require('node:os').hostname()); process.exit(7);`,
    });
    // What the developer did yesterday; the registry is whichever npm is set to.
    execFileSync('npm', ['install', PACKAGE, '--no-audit', '--no-fund'], { cwd: house.project, stdio: 'pipe', env: house.env });
    const ended = await house.rawcloud(['run', 'node', 'app.js']);
    expect(ended.stdout.toString()).toBe('172800000\n');
    expect(ended.code).toBe(7);
    expect(ended.stderr).toMatch(/ip-172-31-\d+-\d+\n/);
    expect(ended.stderr).toMatch(/\$0\.0\d+/);
  });

  test('has what a setup has done as root to the machine, and not to the developer’s', async () => {
    const made = '/var/lib/rawcloud/job/home/made';
    const setup = `id -u > ${made}; chmod 644 ${made}`;
    const ended = await house.rawcloud(['run', '--setup', setup, '--', 'cat', made]);
    expect(ended).toMatchObject({ code: 0, stdout: Buffer.from('0\n') });
    expect(existsSync(made)).toBe(false);
    expect(ended.stderr).not.toContain('your machine itself');
  });

  test('is a user of its own, with a home of its own, among its own processes', async () => {
    const ended = await house.rawcloud([
      'run',
      '--quiet',
      '--',
      'sh',
      '-c',
      'id -un; echo "$HOME"; ps -eo user=,args=; cat /run/rawcloud/agent.js',
    ]);
    const [user, home, ...processes] = ended.stdout.toString().trimEnd().split('\n');
    expect(user).toBe(process.geteuid!() === 0 ? 'rawcloud-job' : 'root');
    expect(home).toBe('/var/lib/rawcloud/job/home');
    expect(processes.length).toBeLessThan(20);
    expect(processes.filter((line) => line.includes('jest'))).toEqual([]);
    if (user !== 'root') expect(ended.stderr).toContain('Permission denied');
  });

  namespaces.withUsers('does not find the role of its VM', async () => {
    const script =
      'curl -s -m 5 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token; echo "curl $?"';
    const asUser = await house.rawcloud(['run', '--quiet', '--', 'sh', '-c', script]);
    expect(asUser.stdout.toString()).toMatch(/^curl [1-9]\d*\n$/);
    const asRoot = await house.rawcloud(['run', '--quiet', '--root', '--', 'sh', '-c', `id -un; ${script}`]);
    expect(asRoot.stdout.toString()).toMatch(/^root\n.+curl 0\n$/);
  });
});
