import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { scaffoldParameterName } from '../../lib/contract';
import { House } from './house';
import type { Ended, RunOptions } from './house';
import { CLI } from './developer';

let house: House;

beforeAll(async () => {
  house = await House.open();
  await start('host', '-e', 'API_KEY=planted-secret-value', '-e', 'LEVEL=debug');
});

afterAll(async () => {
  await house.rawcloud(['stop', 'host']);
  await house.allGone();
  const open = house.cloud.sessions.open();
  await house.close();
  expect(open).toEqual([]);
});

/** A job that runs until it is stopped. */
async function start(name: string, ...options: string[]): Promise<void> {
  await house.write({ 'data.txt': 'of the job\n' });
  const ended = await house.rawcloud(['run', '--detach', '--name', name, ...options, '--', 'sh', '-c', 'echo begun; exec sleep 600']);
  expect(ended.code).toBe(0);
  const logs = house.start(['logs', '-f', name]);
  await logs.saw(/begun/);
  logs.child.kill('SIGKILL');
  await logs.ended;
}

const exec = (words: readonly string[], options?: RunOptions): Promise<Ended> => house.rawcloud(['exec', ...words], options);

describe('a command on the VM of a running job', () => {
  test('runs where the job does: its directory, files, user and variables; its outputs and exit code are ours', async () => {
    const { code, stdout, stderr } = await exec([
      'host',
      '--',
      'sh',
      '-c',
      'cat data.txt; echo $LEVEL $API_KEY $RAWCLOUD_TASK_ID; echo bad >&2; exit 7',
    ]);
    expect(stdout.toString()).toBe('of the job\ndebug planted-secret-value 0\n');
    expect(stderr).toBe('bad\n');
    expect(code).toBe(7);
  });

  test('reads what is piped with -i, to its end, and nothing without', async () => {
    const input = randomBytes(300_000);
    const hashed = await exec(['-i', 'host', 'sha256sum'], { stdin: input });
    expect(hashed.stdout.toString()).toBe(`${createHash('sha256').update(input).digest('hex')}  -\n`);
    expect((await exec(['host', 'wc', '-c'], { stdin: 'not read' })).stdout.toString().trim()).toBe('0');
  });

  test('writes as much as it likes, byte for byte', async () => {
    const { stdout, code } = await exec(['host', 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" "\\377"; printf end']);
    expect(code).toBe(0);
    expect(stdout.byteLength).toBe(3_000_003);
    expect(stdout.equals(Buffer.concat([Buffer.alloc(3_000_000, 255), Buffer.from('end')]))).toBe(true);
  });

  test('leaves with 127 when it is not there, and with 128 and the signal when one ended it', async () => {
    const missing = await exec(['host', 'no-such-program']);
    expect([missing.code, missing.stderr]).toEqual([127, 'rawcloud exec: no-such-program: not found\n']);
    expect((await exec(['host', 'sh', '-c', 'kill -TERM $$'])).code).toBe(143);
  });

  test('gets the first signal, and ends with us at the second', async () => {
    const heard = house.start(['exec', 'host', 'sh', '-c', 'trap "echo heard; exit 3" INT; echo on; while :; do sleep 0.05; done']);
    await heard.saw(/on/);
    heard.child.kill('SIGINT');
    expect(await heard.ended).toMatchObject({ code: 3 });
    const mark = `deaf-${randomBytes(6).toString('hex')}`;
    const deaf = house.start(['exec', 'host', 'sh', '-c', `trap "" INT HUP TERM; echo on; while :; do sleep 0.05; done; echo ${mark}`]);
    await deaf.saw(/on/);
    deaf.child.kill('SIGINT');
    // Two of one kind at once would come as one.
    deaf.child.kill('SIGTERM');
    expect(await deaf.ended).toMatchObject({ code: 130 });
    expect((await exec(['host', 'sh', '-c', `while pgrep -f '^sh -c trap.*${mark}' >/dev/null; do sleep 0.05; done`])).code).toBe(0);
  });

  test('goes on when the connection is cut, with nothing lost', async () => {
    const long = house.start(['exec', 'host', 'sh', '-c', 'echo begun; for n in $(seq 200); do echo "line $n"; sleep 0.01; done']);
    await long.saw(/begun/);
    house.cloud.sessions.cut();
    await long.saw(/line 100\n/);
    house.cloud.sessions.cut();
    const { code, stdout } = await long.ended;
    expect(stdout.toString()).toBe(['begun', ...Array.from({ length: 200 }, (_, n) => `line ${n + 1}`), ''].join('\n'));
    expect(code).toBe(0);
    expect(house.calls('ResumeSession')).toBeGreaterThanOrEqual(1);
  });

  test('fails when the session is ended from outside, and says so', async () => {
    const running = house.start(['exec', 'host', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    house.cloud.sessions.end('idle for too long');
    const { code, stderr } = await running.ended;
    expect(code).toBe(123);
    expect(stderr).toContain('the session ended before the command had: idle for too long');
  });

  test('is told in JSON', async () => {
    const { stdout } = await exec(['--json', 'host', 'sh', '-c', 'echo out; exit 4']);
    const lines = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ type: 'output', data: { stream: 'stdout', text: 'out\n' } });
    expect(lines.at(-1)).toMatchObject({ v: 1, exitCode: 4, vm: expect.stringMatching(/^i-/) });
  });

  test('stands in no record: neither its words nor the job’s secrets are in what the cloud keeps of sessions', async () => {
    await exec(['host', 'sh', '-c', 'true typed-secret-words']);
    for (const { name, content } of await house.everything()) {
      expect({ name, holds: content.includes('typed-secret-words') }).toEqual({ name, holds: false });
    }
    const [vm] = house.alive();
    expect(await house.machineFile(vm!, 'run/rawcloud/exec')).not.toContain('planted-secret-value');
  });

  test('fails when the SSM agent of the VM is not heard of, with what may be wrong', async () => {
    const [vm] = house.alive();
    house.cloud.sessions.offline(vm!);
    const { code, stderr } = await exec(['host', 'true']);
    house.cloud.sessions.offline(vm!, false);
    expect(code).toBe(120);
    expect(stderr).toMatch(/Session Manager does not reach VM i-\w+[^]*SSM agent[^]*E_EXEC_UNREACHABLE/);
  }, 60_000);

  test('fails where the scaffolding does not allow it', async () => {
    const name = scaffoldParameterName('default');
    const { exec: _allowed, ...scaffold } = house.cloud.scaffold;
    await house.putParameter(name, JSON.stringify(scaffold));
    const { code, stderr } = await exec(['host', 'true']);
    await house.putParameter(name, JSON.stringify(house.cloud.scaffold));
    expect(code).toBe(120);
    expect(stderr).toContain('allowExec: true');
  });
});

describe('a terminal on the VM', () => {
  /** Types into `rawcloud exec -it` in a terminal of its own. */
  function inTerminal(...words: string[]): {
    readonly type: (text: string) => void;
    readonly saw: (text: RegExp) => Promise<void>;
    readonly ended: Promise<Ended>;
  } {
    const running = house.track(
      spawn('python3', [path.join(__dirname, 'terminal.py'), '100', '30', process.execPath, CLI, 'exec', '-it', ...words], {
        cwd: house.project,
        env: { ...house.env, TERM: 'xterm' },
      }),
    );
    return { type: (text) => void running.child.stdin!.write(text), saw: (text) => running.saw(text), ended: running.ended };
  }

  test('is a shell of the job’s with our size, in which Ctrl-C is for what runs; ours is restored', async () => {
    const terminal = inTerminal('host');
    await terminal.saw(/\$ |# /);
    terminal.type('stty size; echo in $PWD\r');
    await terminal.saw(/30 100[^]*in .*\/job\/tree/);
    terminal.type('\u001eresize 90 20\n');
    terminal.type('while [ "$(stty size)" != "20 90" ]; do sleep 0.05; done; echo resi""zed\r');
    await terminal.saw(/resized/);
    terminal.type('echo on""ward; sleep 600\r');
    await terminal.saw(/onward/);
    terminal.type('\u0003');
    terminal.type('echo code $?; exit 5\r');
    await terminal.saw(/code 130/);
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(5);
    expect(stdout.toString()).toContain('SETTINGS kept');
    expect(stdout.toString()).not.toContain('rawcloud;');
  });

  test('is restored when the job ends meanwhile, which is said', async () => {
    await start('short');
    const terminal = inTerminal('short', 'sh', '-c', 'echo begun; sleep 600');
    await terminal.saw(/begun/);
    await house.rawcloud(['stop', 'short']);
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(123);
    expect(stdout.toString()).toMatch(/job j\w+ ended, and the command with it[^]*SETTINGS kept/);
  });

  test('fails to be had without one here', async () => {
    const { code, stderr } = await exec(['-it', 'host']);
    expect(code).toBe(2);
    expect(stderr).toContain('-t needs a terminal');
  });
});

test('a job that is over fails to be entered', async () => {
  await start('over');
  await house.rawcloud(['stop', 'over']);
  const { code, stderr } = await exec(['over', 'true']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/is over \(stopped\), and its VM with it[^]*rawcloud logs/);
});
