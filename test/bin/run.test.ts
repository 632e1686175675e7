import { PassThrough, Readable, Writable } from 'node:stream';
import { RawcloudError } from '../../lib/contract';
import { Cli } from './cli';
import { BILL, event, NOW, OFFER, output, RESULT, WATCHING } from './fake-client';

const ESCAPE = '\u001b';

describe('run, for people', () => {
  test('gives the job its own streams, and phases, outcome and bill to stderr', async () => {
    const cli = new Cli();
    expect(await cli.run('run', 'python', 'x.py')).toBe(0);
    expect(cli.stdout).toBe('hello\n');
    const lines = cli.stderr.split('\n');
    expect(lines[0]).toMatch(/^plan +m7i\.large \(2 vCPU, 8 GiB\) in us-east-1a · \$0\.1091\/h/);
    expect(lines).toContainEqual(expect.stringMatching(/^files +1,204 files, 47\.7 MiB · 2\.9 MiB of it new$/));
    expect(lines).toContainEqual(expect.stringMatching(/^launch +job j7k2m9 on m7i\.large/));
    expect(lines).toContain('careful');
    expect(lines).toContain("✔ ok · the command succeeded · exit code 0 is the command's own");
    expect(lines).toContainEqual(expect.stringMatching(/^phases +plan 0\.20 s · boot 18 s · command 1\.8 s$/));
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^bill +\$0\.0018 · m7i\.large 1 min \+ 30 GiB disk \+ address · built-in price table of 2026-11-01; traffic and storage not included$/,
      ),
    );
    expect(cli.client.closed).toBe(true);
  });

  test('writes no control characters where there is no terminal', async () => {
    const cli = new Cli();
    await cli.run('run', 'true');
    expect(cli.stderr).not.toContain(ESCAPE);
    expect(cli.stderr).not.toContain('\r');
  });

  test('on a terminal shows progress on a line that is gone afterwards', async () => {
    const cli = new Cli({ terminal: true, columns: 80 });
    await cli.run('run', 'true');
    expect(cli.stderr).toContain('comparing');
    expect(screenOf(cli.stderr)).not.toContain('comparing');
  });

  test('on a terminal begins its own lines below an unfinished line of the job', async () => {
    const cli = new Cli({
      terminal: true,
      env: { NO_COLOR: '1' },
      script: { watching: [event('vm.busy', {}), output('stdout', 'no newline')] },
    });
    await cli.run('run', 'true');
    expect(cli.stdout).toBe('no newline');
    expect(cli.stderr).toMatch(/\n\n✔ ok/);
  });

  test.each([
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
    [{}, true],
  ])('colours on a terminal with %j: %j', async (env, colours) => {
    const cli = new Cli({ terminal: true, env });
    await cli.run('run', 'true');
    expect(cli.stderr.includes(`${ESCAPE}[3`)).toBe(colours);
  });

  test('says that nothing was charged in the local cloud, and what AWS would have charged', async () => {
    const cli = new Cli({ script: { local: true } });
    await cli.run('run', 'true');
    expect(cli.stderr).toMatch(/bill +nothing was charged; on AWS \$0\.0018 · m7i\.large/);
  });

  test('marks an estimated bill', async () => {
    const cli = new Cli({ script: { result: { ...RESULT, bill: { ...BILL, estimated: true } } } });
    await cli.run('run', 'true');
    expect(cli.stderr).toMatch(/bill +about \$0\.0018/);
  });

  test('names the files that came back, and those that did not', async () => {
    const outputs = [...'abcdefg'].map((name) => ({ path: `out/${name}`, bytes: 1024, kept: true }));
    const cli = new Cli({ script: { result: { ...RESULT, outputs: [...outputs, { path: 'huge.bin', bytes: 2 ** 30, kept: false }] } } });
    await cli.run('run', 'true');
    expect(cli.stderr).toMatch(
      /files +7 new files, 7\.0 KiB: out\/a, out\/b, out\/c, out\/d, out\/e, and 2 more · rawcloud download j7k2m9/,
    );
    expect(cli.stderr).toMatch(/1 new file, 1\.0 GiB: huge\.bin not kept: too large/);
  });

  test('says which offers were not granted', async () => {
    const launching = [
      event('launch.intent', { n: 0, offer: OFFER }),
      event('launch.outcome', { n: 0, state: 'failed', instances: [], code: 'InsufficientInstanceCapacity', message: 'no room' }),
      event('launch.attempt', { n: 0, attempt: 2 }),
    ];
    const cli = new Cli({ script: { launching } });
    await cli.run('run', 'true');
    expect(cli.stderr).toMatch(/launch +not granted: InsufficientInstanceCapacity: no room/);
    expect(cli.stderr).toMatch(/launch +trying again, attempt 2/);
  });
});

describe("run's exit code", () => {
  test.each([0, 1, 7, 126, 127, 137, 255])("is the command's own: %d", async (exitCode) => {
    const result = {
      ...RESULT,
      outcome: exitCode === 0 ? ('ok' as const) : ('failed' as const),
      exitCode,
      message: `the command exited with ${exitCode}`,
    };
    const cli = new Cli({ script: { result } });
    expect(await cli.run('run', 'true')).toBe(exitCode);
    expect(cli.stderr).toContain(`exit code ${exitCode} is the command's own`);
  });

  test("fails with rawcloud's own when the job did not run, and says so with the remedy", async () => {
    const result = {
      ...RESULT,
      outcome: 'refused' as const,
      message: 'no capacity anywhere',
      remedy: 'Try another type.',
      exitCode: 120,
      exitCodeIsJobs: false,
    };
    const cli = new Cli({ script: { result } });
    expect(await cli.run('run', 'true')).toBe(120);
    expect(cli.stderr).toContain("✖ refused · no capacity anywhere · exit code 120 is rawcloud's");
    expect(cli.stderr).toContain('→ Try another type.');
  });

  test('fails as the error has it when there is no client', async () => {
    const cli = new Cli({
      connectFails: new RawcloudError('E_NO_CREDENTIALS', 'no AWS credentials were found', { remedy: 'aws sso login' }),
    });
    expect(await cli.run('run', 'true')).toBe(120);
    expect(cli.stderr).toBe('error: no AWS credentials were found\n  → aws sso login\n  → rawcloud explain E_NO_CREDENTIALS\n');
  });

  test('fails with 125 and without a stack when rawcloud itself is at fault', async () => {
    const cli = new Cli({ script: { runFails: new TypeError('x is not a function') } });
    expect(await cli.run('run', 'true')).toBe(125);
    expect(cli.stderr).toContain('error: x is not a function');
    expect(cli.stderr).not.toContain('    at ');
  });

  test('fails with the stack when RAWCLOUD_DEBUG is set', async () => {
    const cli = new Cli({ env: { RAWCLOUD_DEBUG: '1' }, script: { runFails: new TypeError('x is not a function') } });
    await cli.run('run', 'true');
    expect(cli.stderr).toContain('    at ');
  });

  test('fails with the error, and says that the job goes on, when it is lost out of sight', async () => {
    const cli = new Cli({ script: { watchFails: new RawcloudError('E_ENDPOINT_DOWN', 'S3 cannot be reached') } });
    expect(await cli.run('run', 'true')).toBe(125);
    expect(cli.stderr).toContain('lost sight of job j7k2m9, which goes on by itself: rawcloud attach j7k2m9');
    expect(cli.stderr).toContain('error: S3 cannot be reached');
  });
});

describe('run --quiet', () => {
  test("prints nothing but the command's own output", async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--quiet', 'true')).toBe(0);
    expect(cli.stdout).toBe('hello\n');
    expect(cli.stderr).toBe('careful\n');
  });

  test('fails with a word when the failure is not the command', async () => {
    const result = { ...RESULT, outcome: 'lost' as const, message: 'the VM was lost', exitCode: 123, exitCodeIsJobs: false };
    const cli = new Cli({ script: { result, watching: [] } });
    expect(await cli.run('run', '-q', 'true')).toBe(123);
    expect(cli.stderr).toBe("lost: the VM was lost (exit code 123 is rawcloud's)\n");
  });
});

describe('run --json', () => {
  test('prints every event in order, then the result, one JSON line each, and nothing else', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--json', 'true')).toBe(0);
    for (const line of cli.lines) {
      expect(line).toMatchObject({ v: 1, job: 'j7k2m9' });
      expect(line.at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    }
    expect(cli.lines.map((line) => line.type)).toEqual([
      'plan.ready',
      'sync.progress',
      'sync.progress',
      'launch.intent',
      'launch.outcome',
      'vm.booting',
      'vm.busy',
      'output',
      'output',
      'vm.ending',
      'result',
    ]);
    expect(cli.lines.at(-1)).toMatchObject({ data: { exitCode: 0, exitCodeIsJobs: true, outcome: 'ok' } });
    expect(cli.stderr).toBe('');
  });

  test('fails with an error as the last line', async () => {
    const cli = new Cli({ script: { runFails: new RawcloudError('E_QUOTA', 'quota is 0', { remedy: 'Ask for more.' }) } });
    expect(await cli.run('run', '--json', 'true')).toBe(120);
    expect(cli.lines.at(-1)).toMatchObject({
      v: 1,
      type: 'error',
      data: { code: 'E_QUOTA', message: 'quota is 0', remedy: 'Ask for more.' },
    });
  });
});

describe('run --dry-run', () => {
  test('prints the plan to stdout and launches nothing', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--dry-run', 'true')).toBe(0);
    for (const part of [
      '1. m7i.large (2 vCPU, 8 GiB) in us-east-1a · on-demand · $0.1008/h · built-in price table of 2026-11-01',
      '2. m6i.large (2 vCPU, 8 GiB) in us-east-1a · on-demand · about $0.1008/h',
      'ami-0123456789abcdef0',
      '30 GiB',
      '24 h',
      'arn:aws:iam::123456789012:user/developer until',
      '/home/dev/project: 1,204 files, 47.7 MiB; the largest:',
      '38.1 MiB  data/big.csv',
      'Python 3.11 (.venv), 12 packages',
      'warning: data/big.csv is ignored by git',
      'cheaper: spot m7i.large (2 vCPU, 8 GiB) in us-east-1a · about $0.0483/h with disk and address · EC2 may take it back',
      '$0.1091/h with disk and address (VM $0.1008/h, disk $0.0033/h, address $0.0050/h), $0.0018 at least (60 s)',
      'Nothing was uploaded or launched.',
    ])
      expect(cli.stdout).toContain(part);
    expect(cli.client.calls).toEqual([]);
  });

  test('prints the plan as one JSON line', async () => {
    const cli = new Cli();
    await cli.run('run', '--dry-run', '--json', 'true');
    expect(cli.lines).toMatchObject([{ v: 1, type: 'plan', data: { usdPerHour: 0.1091, image: 'ami-0123456789abcdef0' } }]);
  });
});

describe('run --detach', () => {
  test('prints the id to stdout and how to look in to stderr', async () => {
    const cli = new Cli();
    expect(await cli.run('run', '--detach', 'true')).toBe(0);
    expect(cli.stdout).toBe('j7k2m9\n');
    expect(cli.stderr).toContain('rawcloud attach j7k2m9');
  });

  test('as JSON ends with the line that says so', async () => {
    const cli = new Cli();
    await cli.run('run', '-d', '--json', 'true');
    expect(cli.lines.at(-1)).toMatchObject({
      type: 'detached',
      job: 'j7k2m9',
      data: { stopping: false, until: new Date(NOW + 86_400_000).toISOString() },
    });
  });
});

describe('run --download', () => {
  const outputs = [{ path: 'out/result.json', bytes: 1200, kept: true }];

  test('writes into the tree that the command was typed in, over what is there', async () => {
    const cli = new Cli({ script: { result: { ...RESULT, outputs } } });
    expect(await cli.run('run', '--download', 'true')).toBe(0);
    expect(cli.client.downloads).toEqual([{ directory: '/home/dev/project', overwrite: true }]);
    expect(cli.stderr).toContain('1 file, 1.2 KiB written under /home/dev/project');
  });

  test.each(['run --download true', 'download --to out'])('%s shows on a terminal how far it is, and nothing elsewhere', async (line) => {
    for (const terminal of [true, false]) {
      const drawn = async (): Promise<void> => {
        cli.clock.pass(100);
        await new Promise(setImmediate);
      };
      const cli: Cli = new Cli({ terminal, columns: 80, script: { result: { ...RESULT, outputs }, onProgressed: drawn } });
      await cli.run(...line.split(' '));
      expect((cli.stdout + cli.stderr).includes('downloading · 600 B of 1.2 KiB')).toBe(terminal);
      expect(screenOf(cli.stderr)).not.toContain('downloading');
    }
  });

  test('writes where it is told to', async () => {
    const cli = new Cli({ script: { result: { ...RESULT, outputs } } });
    await cli.run('run', '--download-to', 'there', 'true');
    expect(cli.client.downloads).toMatchObject([{ directory: '/home/dev/project/sub/there' }]);
  });

  test('ends at Ctrl-C, says how to go on, and leaves with the code of the job', async () => {
    const cli: Cli = new Cli({ script: { result: { ...RESULT, outputs }, onDownloading: () => void cli.signal('SIGINT') } });
    expect(await cli.run('run', '--download', 'true')).toBe(0);
    expect(cli.stderr).toMatch(/stopped before all new files were here\n.*rawcloud download j7k2m9 --overwrite --to \/home\/dev\/project/);
  });

  test('is no part of the command, and goes with what is taken along and kept', async () => {
    const cli = new Cli();
    await cli.run('run', '--upload', 'a:b/', '--upload', 'c', '--keep', 'out', '--download', 'python', '--upload', 'x');
    expect(cli.client.requests[0]).toMatchObject({
      command: ['python', '--upload', 'x'],
      uploads: [{ path: 'a', to: 'b/' }, { path: 'c' }],
      keep: ['out'],
    });
  });

  test('does nothing when nothing came back', async () => {
    const cli = new Cli();
    await cli.run('run', '--download', 'true');
    expect(cli.client.downloads).toEqual([]);
  });
});

describe("run's standard input", () => {
  test('reaches the job when it is piped', async () => {
    const cli = new Cli({ stdin: { kind: 'pipe', read: () => Readable.from([Buffer.from('a\n'), Buffer.from('b\n')]) } });
    expect(await cli.run('run', 'cat')).toBe(0);
    expect(cli.client.stdin).toBe('a\nb\n');
  });

  test('is none for a terminal or the null device', async () => {
    const cli = new Cli({ stdin: { kind: 'none' } });
    await cli.run('run', 'cat');
    expect(cli.client.requests[0]!.stdin).toBeUndefined();
  });

  test('that does not end is named after two seconds, with the way out', async () => {
    const open = new PassThrough();
    const cli = new Cli({ stdin: { kind: 'pipe', read: () => open } });
    const running = cli.run('run', 'cat');
    await until(() => {
      cli.clock.pass(2_000);
      return cli.stderr.includes('</dev/null');
    });
    expect(cli.stderr).toContain('waiting for the end of standard input');
    open.end('late');
    expect(await running).toBe(0);
    expect(cli.client.stdin).toBe('late');
  });
});

describe('a large tree', () => {
  test('is asked about on a terminal, with the largest paths', async () => {
    const cli = new Cli({ terminal: true, stdin: { isTTY: true, ask: async () => 'y' } });
    await cli.run('run', 'true');
    expect(cli.client.treeAnswer).toBe(true);
    expect(cli.stderr).toContain('data/big.csv');
  });

  test.each(['', 'n', 'yikes'])('does not travel when the answer is %j', async (answer) => {
    const cli = new Cli({ terminal: true, stdin: { isTTY: true, ask: async () => answer } });
    await cli.run('run', 'true');
    expect(cli.client.treeAnswer).toBe(false);
  });

  test('travels without a question with --yes', async () => {
    const cli = new Cli();
    await cli.run('run', '--yes', 'true');
    expect(cli.client.treeAnswer).toBe(true);
  });

  test('is left to the runtime to refuse where nobody can be asked', async () => {
    const cli = new Cli();
    await cli.run('run', 'true');
    expect(cli.client.requests[0]!.confirmLargeTree).toBeUndefined();
  });
});

describe('Ctrl-C', () => {
  test('before anything is on record aborts, and says that nothing was launched', async () => {
    const cli: Cli = new Cli({ script: { onLaunching: (e) => void (e.type === 'plan.ready' && cli.signal('SIGINT')) } });
    expect(await cli.run('run', 'true')).toBe(130);
    expect(cli.stderr).toContain('error: stopped before anything was launched');
    expect(cli.client.calls).toEqual([]);
    expect(cli.client.closed).toBe(true);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('once, or %s, stops the job and waits for the end', async (signal) => {
    const cli: Cli = new Cli({ script: { endless: true, onWatching: (e) => void (e.type === 'vm.busy' && cli.signal(signal)) } });
    expect(await cli.run('run', 'sleep', '9')).toBe(130);
    expect(cli.client.calls).toEqual(['stop']);
    expect(cli.stderr).toContain('stopping the job; Ctrl-C again leaves at once');
    expect(cli.stderr).toContain("✖ stopped · stopped on request · exit code 130 is rawcloud's");
  });

  test('while the launch is under way waits for the job and stops it', async () => {
    const cli: Cli = new Cli({ script: { endless: true, onLaunching: (e) => void (e.type === 'launch.intent' && cli.signal('SIGINT')) } });
    expect(await cli.run('run', 'true')).toBe(130);
    expect(cli.client.calls).toEqual(['stop']);
  });

  test('while the launch is under way stops a job that was to be left, too', async () => {
    const cli: Cli = new Cli({ script: { endless: true, onLaunching: (e) => void (e.type === 'launch.intent' && cli.signal('SIGINT')) } });
    expect(await cli.run('run', '--detach', 'true')).toBe(130);
    expect(cli.client.calls).toEqual(['stop']);
  });

  test('twice leaves at once, and says when the VM ends itself and how to look', async () => {
    const onWatching = (e: { type: string }) => void (e.type === 'vm.busy' && cli.signal('SIGINT') && cli.signal('SIGINT'));
    const cli: Cli = new Cli({ script: { endless: true, ignoresStop: true, onWatching } });
    expect(await cli.run('run', 'sleep', '9')).toBe(130);
    expect(cli.stderr).toMatch(/left job j7k2m9 while it was being stopped; its VM ends itself in 24 h .* at the latest/);
    expect(cli.stderr).toContain('→ rawcloud status j7k2m9');
  });

  test('twice during the launch leaves at once, though there is no handle yet', async () => {
    const never = new Promise<void>(() => undefined);
    const onLaunching = (e: { type: string }) =>
      e.type === 'launch.intent' && cli.signal('SIGINT') && cli.signal('SIGINT') ? never : undefined;
    const cli: Cli = new Cli({ script: { onLaunching } });
    expect(await cli.run('run', 'true')).toBe(130);
    expect(cli.stderr).toContain('left job j7k2m9 while it was being stopped');
  });

  test('after the command has ended by itself changes nothing about its exit code', async () => {
    const cli: Cli = new Cli({
      script: {
        ignoresStop: true,
        result: { ...RESULT, outcome: 'failed', exitCode: 7 },
        onWatching: (e) => void (e.type === 'vm.ending' && cli.signal('SIGINT')),
      },
    });
    expect(await cli.run('run', 'true')).toBe(7);
  });

  test('means the process again when the job is over', async () => {
    const cli = new Cli();
    await cli.run('run', 'true');
    expect(cli.signal('SIGINT')).toBe(false);
  });
});

describe('a terminal that is closed', () => {
  test('leaves the job running', async () => {
    const cli: Cli = new Cli({ script: { endless: true, onWatching: (e) => void (e.type === 'vm.busy' && cli.signal('SIGHUP')) } });
    expect(await cli.run('run', 'sleep', '9')).toBe(129);
    expect(cli.client.calls).toEqual([]);
    expect(cli.stderr).toContain('job j7k2m9 goes on without us');
  });
});

describe('output', () => {
  test('arrives byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 13, 128, 0x1b]);
    const cli = new Cli({ script: { watching: [output('stdout', bytes.toString('utf8'), bytes.toString('base64'))] } });
    await cli.run('run', '-q', 'true');
    expect(cli.out.bytes.equals(bytes)).toBe(true);
  });

  test('waits for a slow reader', async () => {
    const slow = new SlowReader();
    let ahead = 0;
    const watching = Array.from({ length: 50 }, (_, i) => output('stdout', `${String(i).padEnd(999)}\n`));
    const cli = new Cli({ stdout: slow, script: { watching, onWatching: () => void (ahead = Math.max(ahead, slow.writableLength)) } });
    expect(await cli.run('run', '-q', 'true')).toBe(0);
    expect(slow.received).toBe(50_000);
    expect(ahead).toBeLessThanOrEqual(1_000);
  });

  test('that nobody reads any more stops the job, as SIGPIPE would a local command', async () => {
    const cli = new Cli({ stdout: new GoneReader(), script: { endless: true } });
    expect(await cli.run('run', 'yes')).toBe(141);
    expect(cli.client.calls).toEqual(['stop']);
    expect(cli.stderr).toContain('nobody reads the output any more: stopping the job');
  });

  test('that nobody reads any more changes nothing about a job that has ended by itself', async () => {
    const cli = new Cli({
      stdout: new GoneReader(),
      script: { ignoresStop: true, watching: WATCHING, result: { ...RESULT, outcome: 'failed', exitCode: 3 } },
    });
    expect(await cli.run('run', 'true')).toBe(3);
  });

  test('fails when it cannot be written for another reason', async () => {
    const cli = new Cli({ stdout: new GoneReader('ENOSPC'), script: { watching: [...WATCHING, ...WATCHING] } });
    expect(await cli.run('run', 'true')).toBe(125);
    expect(cli.stderr).toContain('ENOSPC');
  });
});

/** Takes a chunk only when the event loop comes round. */
class SlowReader extends Writable {
  received = 0;

  constructor() {
    super({ highWaterMark: 100 });
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.received += chunk.byteLength;
    setImmediate(done);
  }
}

/** A pipe whose reader has left. */
class GoneReader extends Writable {
  constructor(private readonly code = 'EPIPE') {
    super({ autoDestroy: false });
  }

  override _write(_chunk: Uint8Array, _encoding: BufferEncoding, done: (error: Error) => void): void {
    done(Object.assign(new Error(`write ${this.code}`), { code: this.code }));
  }
}

/** What a terminal shows after these bytes. */
function screenOf(bytes: string): string {
  return bytes
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\u001b[K') + 1))
    .join('\n');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
