import { RawcloudError } from '../../lib/contract';
import type { Exec } from '../../lib/runtime/exec/open';
import type { ExecCommand } from '../../lib/runtime/exec/run';
import { Cli } from './cli';

const END = { job: 'j7k2m9', vm: 'i-1', code: 0 };

/** What reaches the runtime, and what comes back. */
function entering(answer: (command: ExecCommand) => Promise<Partial<typeof END> & object>): {
  readonly exec: Exec['run'];
  readonly asked: string[];
} {
  const asked: string[] = [];
  const exec: Exec['run'] = async (which, command) => {
    asked.push([which, ...(command.argv ?? [])].join(' '));
    return { ...END, ...(await answer(command)) };
  };
  return { exec, asked };
}

describe('exec', () => {
  test('hands the words on as they are, options of the command included, and leaves with its exit code', async () => {
    const { exec, asked } = entering(async () => ({ code: 7 }));
    expect(await new Cli({ exec }).run('exec', 'nightly', 'ls', '-l', '--json')).toBe(7);
    await new Cli({ exec }).run('exec', '--local', 'nightly', '--', 'ls', '--', '-l');
    expect(asked).toEqual(['nightly ls -l --json', 'nightly ls -- -l']);
  });

  test('writes each output where it belongs, or both as JSON lines', async () => {
    const { exec } = entering(async ({ onOutput }) => {
      await onOutput('stdout', Buffer.from('out'));
      await onOutput('stderr', Buffer.from([0xff]));
      return {};
    });
    const plain = new Cli({ exec });
    await plain.run('exec', 'nightly', 'ls');
    expect([plain.stdout, plain.err.bytes]).toEqual(['out', Buffer.from([0xff])]);
    const json = new Cli({ exec });
    await json.run('exec', '--json', 'nightly', 'ls');
    expect(json.lines).toMatchObject([
      { type: 'output', data: { stream: 'stdout', text: 'out' } },
      { type: 'output', data: { stream: 'stderr', base64: '/w==' } },
      { v: 1, job: 'j7k2m9', vm: 'i-1', exitCode: 0 },
    ]);
  });

  test('gives the first signal to the command, and goes at the second', async () => {
    const sent: string[] = [];
    const { exec } = entering(async ({ signals, signal }) => {
      signals!((name) => sent.push(name));
      cli.signal('SIGINT');
      cli.signal('SIGINT');
      expect(signal!.aborted).toBe(true);
      throw new RawcloudError('E_ABORTED', 'left');
    });
    const cli = new Cli({ exec });
    expect(await cli.run('exec', 'nightly', 'sleep', '9')).toBe(130);
    expect(sent).toEqual(['SIGINT']);
  });

  test('restores the terminal when the command fails, too', async () => {
    const states: string[] = [];
    const terminal = {
      makeRaw: () => (states.push('raw'), () => void states.push('restored')),
      size: () => ({ columns: 80, rows: 24 }),
      onResize: () => () => undefined,
    };
    const { exec } = entering(async () => {
      throw new RawcloudError('E_EXEC_LOST', 'the connection to the VM was lost');
    });
    expect(await new Cli({ exec, ttyOf: terminal }).run('exec', '-it', 'nightly')).toBe(123);
    expect(states).toEqual(['raw', 'restored']);
  });

  test('fails without a command, without a terminal for -t, and with --json for one', async () => {
    for (const [words, says] of [
      [['nightly'], 'what shall be run on the VM is missing'],
      [['-it', 'nightly'], '-t needs a terminal'],
      [['-t', 'nightly', 'top'], '-t is of use with -i only'],
      [['-it', '--json', 'nightly'], '--json'],
    ] as const) {
      const cli = new Cli();
      expect(await cli.run('exec', ...words)).toBe(2);
      expect(cli.stdout + cli.stderr).toContain(says);
    }
  });

  test('fails when the job ended meanwhile or did not let us in', async () => {
    const ended = new Cli({ exec: entering(async () => ({ code: 129, why: 'job-ended' as const })).exec });
    expect(await ended.run('exec', 'nightly', 'ls')).toBe(123);
    expect(ended.stderr).toContain('job j7k2m9 ended, and the command with it');
    const refused = new Cli({ exec: entering(async () => ({ code: 255, why: 'not-entered' as const, message: 'nobody is there' })).exec });
    expect(await refused.run('exec', 'nightly', 'ls')).toBe(2);
    expect(refused.stderr).toContain('job j7k2m9 could not be entered: nobody is there');
  });
});
