import type { LocalCloudControl } from '../../bin/io';
import { Cli } from './cli';
import { event, NOW, REPORT, RESULT, STATUS, SUMMARY } from './fake-client';

describe('ps', () => {
  test('prints a table that fits the terminal', async () => {
    const command = 'python train.py --a-long-option with a very long value that does not fit into the line';
    const cli = new Cli({
      terminal: true,
      columns: 80,
      env: { NO_COLOR: '1' },
      script: { summaries: [SUMMARY, { ...SUMMARY, job: 'j1', command }] },
    });
    expect(await cli.run('ps')).toBe(0);
    const lines = cli.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^JOB +NAME +STATE +AGE +VM +COST +COMMAND/);
    expect(lines[1]).toMatch(/^j7k2m9 +nightly +running +3 min 20 s +m7i\.large +\$0\.0042 +python/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[2]).toMatch(/…$/);
  });

  test('shows how ended jobs ended', async () => {
    const failed = { ...SUMMARY, state: 'ended' as const, outcome: 'failed' as const, exitCode: 7 };
    const ending = { ...SUMMARY, state: 'ending' as const, outcome: 'ok' as const, exitCode: 0 };
    const cli = new Cli({ script: { summaries: [failed, ending] } });
    await cli.run('ps', '--all', '--limit', '9');
    expect(cli.client.calls).toEqual(['jobs {"all":true,"limit":9}']);
    expect(cli.stdout).toMatch(/failed 7 /);
    expect(cli.stdout).toMatch(/ok, ending /);
  });

  test('says on stderr when there is nothing', async () => {
    const cli = new Cli({ script: { summaries: [] } });
    expect(await cli.run('ps')).toBe(0);
    expect(cli.stdout).toBe('');
    expect(cli.stderr).toContain('No job is on');
  });

  test('prints JSON with times in ISO 8601', async () => {
    const cli = new Cli();
    await cli.run('ps', '--json');
    expect(JSON.parse(cli.stdout)).toMatchObject({ v: 1, jobs: [{ job: 'j7k2m9', createdAt: new Date(NOW - 200_000).toISOString() }] });
  });
});

describe('status', () => {
  test('shows job, VM, files, end and bill', async () => {
    const cli = new Cli();
    expect(await cli.run('status', 'night')).toBe(0);
    expect(cli.client.asked).toEqual(['night']);
    for (const part of [
      'j7k2m9 (nightly) · running',
      "python train.py --note 'two words' · in sub",
      'i-0abc · busy · launched',
      'out/result.json',
      'rawcloud extend j7k2m9 12h',
      '$0.0018',
      'so far',
    ])
      expect(cli.stdout).toContain(part);
  });

  test('means the last job when none is named', async () => {
    const cli = new Cli();
    await cli.run('status');
    expect(cli.client.asked).toEqual([undefined]);
  });

  test('prints phases in the order in which they began', async () => {
    const cli = new Cli();
    await cli.run('status', '--timings');
    expect(cli.stdout).toMatch(/PHASE +BEGAN +TOOK\nplan +\+0\.00 s +0\.20 s\nboot +\+0\.20 s +18 s\ncommand +\+18 s +1\.8 s\n$/);
  });

  test('prints JSON with times in ISO 8601', async () => {
    const outcomeRecord = { v: 1 as const, outcome: 'ok' as const, reason: 'exited', message: 'fine', exitCode: 0, by: 'vm', at: NOW };
    const cli = new Cli({ script: { status: { ...STATUS, endedAt: NOW, outcomeRecord } } });
    await cli.run('status', '--json');
    const iso = new Date(NOW).toISOString();
    expect(JSON.parse(cli.stdout)).toMatchObject({ endedAt: iso, outcomeRecord: { at: iso }, timings: { boot: { seconds: 18 } } });
    expect(JSON.parse(cli.stdout)).not.toHaveProperty('stopRequestedAt');
  });

  test('fails when there is no such job', async () => {
    const cli = new Cli();
    expect(await cli.run('status', 'nobody')).toBe(2);
    expect(cli.stderr).toBe("error: there is no job 'nobody'\n  → rawcloud ps --all lists jobs.\n  → rawcloud explain E_NO_JOB\n");
    expect(cli.client.closed).toBe(true);
  });
});

describe('logs', () => {
  const chunks = [
    { stream: 'stdout' as const, task: 0, bytes: Buffer.from([104, 105, 255, 10]) },
    { stream: 'stderr' as const, task: 0, bytes: Buffer.from('oh\n') },
    { stream: 'system' as const, task: 0, bytes: Buffer.from('unpacking\n') },
  ];

  test('gives each stream its own, byte for byte', async () => {
    const cli = new Cli({ script: { chunks } });
    expect(await cli.run('logs', '-f', '--system')).toBe(0);
    expect(cli.out.bytes.equals(Buffer.from([104, 105, 255, 10]))).toBe(true);
    expect(cli.stderr).toBe('oh\nunpacking\n');
    expect(cli.client.calls).toEqual(['logs {"follow":true,"streams":["stdout","stderr","system","environment"]}']);
  });

  test('prints the log of the environment as its own output, and says when there is none', async () => {
    const log = new Cli({ script: { chunks: [{ stream: 'environment', task: 0, bytes: Buffer.from('python: building\n') }] } });
    expect(await log.run('logs', '--environment')).toBe(0);
    expect([log.stdout, log.stderr]).toEqual(['python: building\n', '']);
    const none = new Cli({ script: { chunks: [] } });
    expect(await none.run('logs', '--environment')).toBe(0);
    expect(none.stderr).toContain('no log of the environment');
  });

  test('fails on logs that exclude each other', async () => {
    const cli = new Cli({ script: { chunks } });
    expect(await cli.run('logs', '--boot', '--environment')).toBe(2);
    expect(cli.stderr).toContain('--boot and --environment exclude each other');
  });

  test('as JSON has the exact bytes where the text has not', async () => {
    const cli = new Cli({ script: { chunks } });
    await cli.run('logs', '--json');
    expect(cli.lines[0]).toMatchObject({ type: 'output', job: 'j7k2m9', task: 0, data: { stream: 'stdout', base64: 'aGn/Cg==' } });
    expect(cli.lines[1]).toMatchObject({ data: { stream: 'stderr', text: 'oh\n' } });
    expect(cli.lines[1]!.data).not.toHaveProperty('base64');
  });

  test('prints the boot log', async () => {
    const cli = new Cli({ script: { bootLog: 'booting…' } });
    await cli.run('logs', '--boot');
    expect(cli.stdout).toBe('booting…\n');
  });

  test('says on stderr when there is no boot log', async () => {
    const cli = new Cli();
    await cli.run('logs', '--boot');
    expect(cli.stdout).toBe('');
    expect(cli.stderr).toContain('no boot log');
  });
});

describe('attach', () => {
  test('shows the job from its first byte and leaves with its exit code', async () => {
    const cli = new Cli({ script: { result: { ...RESULT, outcome: 'failed', exitCode: 7 } } });
    expect(await cli.run('attach', 'nightly')).toBe(7);
    expect(cli.stdout).toBe('hello\n');
  });

  test('leaves the job running on Ctrl-C, and says so', async () => {
    const cli: Cli = new Cli({ script: { endless: true, onWatching: (e) => void (e.type === 'vm.busy' && cli.signal('SIGINT')) } });
    expect(await cli.run('attach')).toBe(130);
    expect(cli.client.calls).toEqual([]);
    expect(cli.stderr).toContain('job j7k2m9 goes on without us');
    expect(cli.stderr).toContain('rawcloud stop j7k2m9');
  });

  test('has JSON lines, too', async () => {
    const cli = new Cli({ script: { watching: [event('vm.busy', {})] } });
    await cli.run('attach', '--json');
    expect(cli.lines.map((line) => line.type)).toEqual(['vm.busy', 'result']);
  });
});

describe('stop', () => {
  test('waits until every VM is gone', async () => {
    const cli = new Cli();
    expect(await cli.run('stop')).toBe(0);
    expect(cli.client.calls).toEqual(['stop']);
    expect(cli.stderr).toContain('job j7k2m9 has ended: stopped');
  });

  test('only asks with --no-wait', async () => {
    const cli = new Cli();
    expect(await cli.run('stop', '--no-wait')).toBe(0);
    expect(cli.stderr).not.toContain('has ended');
  });
});

describe('the other verbs', () => {
  test('extend moves the end', async () => {
    const cli = new Cli();
    expect(await cli.run('extend', 'nightly', '12h', '--json')).toBe(0);
    expect(cli.client.calls).toEqual(['extend 43200']);
    expect(JSON.parse(cli.stdout)).toEqual({ v: 1, job: 'j7k2m9', lifetimeUntil: new Date(NOW + 43_200_000).toISOString() });
  });

  test('download writes into the tree that the job was started in, and replaces nothing', async () => {
    const cli = new Cli();
    expect(await cli.run('download')).toBe(0);
    expect(cli.client.downloads).toEqual([{ directory: '/home/dev/project', overwrite: false }]);
    expect(cli.stdout).toMatch(/1\.2 KiB {2}out\/result\.json\n/);
  });

  test('download writes where it is told to', async () => {
    const cli = new Cli();
    await cli.run('download', '--to', '/tmp/there', '--overwrite');
    expect(cli.client.downloads).toEqual([{ directory: '/tmp/there', overwrite: true }]);
  });

  test('download fails elsewhere without a directory to write to', async () => {
    const cli = new Cli({ cwd: '/somewhere/else' });
    expect(await cli.run('download')).toBe(2);
    expect(cli.stderr).toContain('--to DIR');
    expect(cli.client.downloads).toEqual([]);
  });

  test('reap tells what it did', async () => {
    const cli = new Cli();
    expect(await cli.run('reap')).toBe(0);
    expect(cli.stdout).toBe(`2 open jobs looked at
ended       j1: failed
marked      volume vol-0, job j0: of a VM that is gone
removed     vm i-0dead, job j0: its job is over
deleted     3 objects with old content, 38.1 MiB
1 leftover marked; removed by a later pass, if still there
`);
  });

  test('reap fails loudly when something could not be proved', async () => {
    const cli = new Cli({ script: { report: { ...REPORT, unproved: [{ what: 'j1', error: 'AccessDenied' }] } } });
    expect(await cli.run('reap')).toBe(125);
    expect(cli.stdout).toContain('not proved  j1: AccessDenied');
  });
});

describe('local', () => {
  function cloud(running: boolean): LocalCloudControl {
    const status = { running, directory: '/tmp/rawcloud-local', ...(running ? { endpoint: 'http://127.0.0.1:4000', pid: 7, vms: 1 } : {}) };
    return {
      start: async () => status,
      status: async () => status,
      stop: async () => running,
      reset: async () => undefined,
      serve: async () => undefined,
    };
  }

  test('start says where it is', async () => {
    const cli = new Cli({ cloud: cloud(true) });
    expect(await cli.run('local', 'start')).toBe(0);
    expect(cli.stdout).toBe('the local cloud runs at http://127.0.0.1:4000, as process 7, 1 VM; its state lies in /tmp/rawcloud-local\n');
  });

  test('start passes the driver on, and says why it is another', async () => {
    const asked: (string | undefined)[] = [];
    const why = { driver: 'process', driverWhy: 'namespaces are forbidden' };
    const start: LocalCloudControl['start'] = async (driver) => {
      asked.push(driver);
      return { ...(await cloud(true).status()), ...why };
    };
    const cli = new Cli({ cloud: { ...cloud(true), start } });
    expect(await cli.run('local', 'start', '--driver', 'auto')).toBe(0);
    expect(asked).toEqual(['auto']);
    expect(cli.stdout).toMatch(/\nits VMs are plain processes, because namespaces are forbidden\n$/);
    expect(await cli.run('local', 'start', '--driver', 'hyperv')).toBe(2);
  });

  test('status prints JSON', async () => {
    const cli = new Cli({ cloud: cloud(false) });
    expect(await cli.run('local', 'status', '--json')).toBe(0);
    expect(JSON.parse(cli.stdout)).toEqual({ v: 1, running: false, directory: '/tmp/rawcloud-local' });
  });

  test('stop and reset are no errors when it does not run', async () => {
    const cli = new Cli({ cloud: cloud(false) });
    expect(await cli.run('local', 'stop')).toBe(0);
    expect(await cli.run('local', 'reset')).toBe(0);
  });

  test('serve stays out of the help', async () => {
    const cli = new Cli();
    await cli.run('local', '--help');
    expect(cli.stdout).not.toContain('serve');
  });
});
