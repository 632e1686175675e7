import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(async () => {
  expect(house.alive()).toEqual([]);
  await house.close();
});

/** Starts a job that runs until it is stopped. @returns its id */
async function detached(...options: string[]): Promise<string> {
  const ended = await house.rawcloud(['run', '--detach', ...options, '--', 'sh', '-c', 'echo begun; exec sleep 600']);
  expect(ended.code).toBe(0);
  return ended.stdout.toString().trim();
}

describe('a detached job', () => {
  test('is listed, looked at, extended, stopped and gone; by id, prefix, name, or as the last one', async () => {
    const id = await detached('--name', 'sleeper');
    const logs = house.start(['logs', '-f', id]);
    await logs.saw(/begun/);
    expect((await house.rawcloud(['ps'])).stdout.toString()).toContain('sleeper');
    expect((await house.rawcloud(['status', id.slice(0, 6)])).stdout.toString()).toContain(id);
    expect(await house.value(['status', 'sleeper'])).toMatchObject({ state: 'running' });
    expect((await house.rawcloud(['extend', 'sleeper', '2h'])).code).toBe(0);
    expect((await house.rawcloud(['stop'])).code).toBe(0);
    await house.allGone();
    expect((await logs.ended).stdout.toString()).toBe('begun\n');
    expect((await house.rawcloud(['attach', id])).code).toBe(130);
    expect((await house.rawcloud(['ps'])).stdout.toString()).not.toContain('sleeper');
    expect((await house.rawcloud(['ps', '--all'])).stdout.toString()).toContain('sleeper');
  });

  test('shows every phase', async () => {
    const ended = await house.rawcloud(['run', '--quiet', 'true']);
    expect(ended.code).toBe(0);
    const text = (await house.rawcloud(['status', '--timings'])).stdout.toString();
    for (const phase of [
      'plan',
      'capture',
      'upload',
      'record',
      'requested',
      'boot',
      'grant',
      'node',
      'agent',
      'files',
      'command',
      'finish',
      'teardown',
    ]) {
      expect(text).toContain(phase);
    }
  });
});

describe('Ctrl-C', () => {
  test('once stops the job, ends the VM and waits for the proof', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'echo begun; exec sleep 600']);
    await running.saw(/begun/);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(house.alive()).toEqual([]);
  });

  test('twice leaves at once and says when the VM ends itself', async () => {
    const running = house.start(['run', '--', 'sh', '-c', 'trap "" TERM; echo begun; while :; do sleep 1; done']);
    await running.saw(/begun/);
    running.child.kill('SIGINT');
    await running.saw(/[Ss]topping/);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toMatch(/ends itself|by itself/);
    await house.rawcloud(['attach']);
    await house.allGone();
  }, 60_000);

  test('before anything is launched leaves nothing', async () => {
    const launches = house.calls('RunInstances');
    const running = house.start(['run', '--', 'cat'], { stdin: undefined });
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect([130, null]).toContain(ended.code);
    expect(house.calls('RunInstances')).toBe(launches);
  });
});
