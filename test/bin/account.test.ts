import type { Check } from '../../lib/contract';
import { Cli } from './cli';
import { DESTRUCTION, LEFT } from './fake-destruction';

const WELL: readonly Check[] = [
  { id: 'identity', state: 'ok', text: 'somebody' },
  { id: 'clock', state: 'warning', text: 'two minutes behind', remedy: 'Set it.' },
];
const ILL: readonly Check[] = [
  { id: 'scaffolding', state: 'failed', text: 'none', remedy: 'rawcloud deploy' },
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
    expect(cli.stdout).toContain('✗ scaffolding none\n              → rawcloud deploy\n– bucket      not looked at');
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

describe('destroy', () => {
  test('shows what would go, does it, and ends with the proof', async () => {
    const cli = new Cli({ destruction: DESTRUCTION, cwd: '/work' });
    expect(await cli.run('destroy', '--yes', '--stop-jobs', '--export', 'book.jsonl')).toBe(0);
    expect(cli.destructions).toMatchObject([{ exportTo: '/work/book.jsonl', stopJobs: true }]);
    expect(cli.stdout.split('\n')).toEqual([
      "Scaffolding 'default' in us-east-1 of account 123456789012:",
      '  stack      RawCloud, with all its resources',
      '  bucket     rawcloud-1: all that is in it, and the bucket',
      '  template   lt-1',
      '  open job   j1 (nightly), running: sleep 9',
      'stopping   j1',
      'stopped    j1: its VM is gone',
      'exported   the ledger, 2 jobs: /tmp/book.jsonl',
      'emptied    rawcloud-1: 1,204 objects',
      'removing   stack RawCloud',
      'removed    stack RawCloud',
      'Nothing is left: no VM, volume, interface, template, group, bucket or parameter in 17 regions.',
      '',
    ]);
  });

  test('saves the ledger into a dated file of the working directory unless told otherwise', async () => {
    const cli = new Cli({ destruction: DESTRUCTION, cwd: '/work' });
    await cli.run('destroy', '--yes');
    expect(cli.destructions[0]!.exportTo).toMatch(/^\/work\/rawcloud-ledger-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.jsonl$/);
  });

  test.each([
    ['default', true],
    ['yes', false],
    ['', false],
  ])('at a terminal the name has to be typed: %s', async (typed, confirmed) => {
    const cli = new Cli({ destruction: DESTRUCTION, stdin: { isTTY: true, ask: async () => typed } });
    await cli.run('destroy');
    expect(cli.confirmed).toBe(confirmed);
  });

  test('fails without a terminal and without --yes', async () => {
    const cli = new Cli({ destruction: DESTRUCTION });
    expect(await cli.run('destroy')).toBe(2);
    expect(cli.stderr).toContain('Give --yes.');
    expect(cli.confirmed).toBeUndefined();
  });

  test('does nothing with --dry-run, and asks nobody', async () => {
    const cli = new Cli({ destruction: DESTRUCTION.slice(0, 1) });
    expect(await cli.run('destroy', '--dry-run')).toBe(0);
    expect(cli.confirmed).toBeUndefined();
    expect(cli.stdout).toMatch(/Nothing was done\.\n$/);
  });

  test('fails when something is left, and says what', async () => {
    const cli = new Cli({ destruction: [...DESTRUCTION.slice(0, -1), { type: 'proof', remaining: LEFT, regions: 1 }] });
    expect(await cli.run('destroy', '--yes')).toBe(125);
    expect(cli.stdout).toContain('left       volume vol-1 in us-east-1');
  });
});
