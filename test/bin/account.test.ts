import type { Check } from '../../lib/contract';
import { Cli } from './cli';

const WELL: readonly Check[] = [
  { id: 'identity', state: 'ok', text: 'somebody' },
  { id: 'clock', state: 'warning', text: 'two minutes behind', remedy: 'Set it.' },
];
const ILL: readonly Check[] = [
  { id: 'scaffolding', state: 'failed', text: 'none', remedy: 'npx cdk deploy' },
  { id: 'bucket', state: 'unknown', text: 'not looked at: there is no scaffolding' },
];

describe('doctor', () => {
  test('prints a line for each check, what to do below it, and leaves with 0 when jobs run', async () => {
    const cli = new Cli({ checks: WELL });
    expect(await cli.run('doctor', '--region', 'eu-west-1', '--scaffold', 'team-a')).toBe(0);
    expect(cli.stdout.split('\n')).toEqual([
      '✓ identity    somebody',
      '! clock       two minutes behind',
      '              → Set it.',
      'Jobs will run; what is marked ! deserves a look.',
      '',
    ]);
    expect(cli.connections).toMatchObject([{ region: 'eu-west-1', scaffold: 'team-a' }]);
  });

  test('fails with 1 when jobs would not run', async () => {
    const cli = new Cli({ checks: [...WELL, ...ILL] });
    expect(await cli.run('doctor')).toBe(1);
    expect(cli.stdout).toContain('✗ scaffolding none\n              → npx cdk deploy\n– bucket      not looked at');
    expect(cli.stdout).toMatch(/Jobs will not run before what is marked ✗ is done\.\n$/);
  });

  test('prints JSON: all checks and the verdict', async () => {
    const cli = new Cli({ checks: ILL });
    expect(await cli.run('doctor', '--json')).toBe(1);
    expect(JSON.parse(cli.stdout)).toEqual({ v: 1, well: false, checks: ILL });
  });

  test('fails with 2 for what is no option of it', async () => {
    const cli = new Cli({ checks: WELL });
    expect(await cli.run('doctor', '--fix')).toBe(2);
    expect(cli.connections).toEqual([]);
  });

  test('shows in its help how it is used', async () => {
    const cli = new Cli();
    expect(await cli.run('help', 'doctor')).toBe(0);
    expect(cli.stdout).toContain('rawcloud doctor --region eu-west-1 --profile work');
    expect(cli.stdout).toContain('1 when they cannot');
  });
});
