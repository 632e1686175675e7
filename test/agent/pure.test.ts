import { describeExit, describeSpawnFailure } from '../../lib/agent/exit';
import { jobEnvironment, placesIn } from '../../lib/agent/environment';
import { readOomKills } from '../../lib/agent/memory';
import { Phases } from '../../lib/agent/phases';

describe('how a command ended', () => {
  const plain = { ended: undefined, memoryRanOut: false };

  test('is its own code, or 128 and the signal', () => {
    expect(describeExit({ code: 7, signal: null, ...plain })).toEqual({ code: 7, outOfMemory: false, reason: 'exited' });
    expect(describeExit({ code: null, signal: 'SIGTERM', ...plain })).toMatchObject({ code: 143, signal: 'SIGTERM', reason: 'signal' });
  });

  test('is 124 and 130 when we ended it, whatever it answered', () => {
    expect(describeExit({ code: 0, signal: null, ended: 'task-timeout', memoryRanOut: false })).toMatchObject({
      code: 124,
      reason: 'timeout',
    });
    expect(describeExit({ code: null, signal: 'SIGKILL', ended: 'stopped', memoryRanOut: true })).toMatchObject({
      code: 130,
      outOfMemory: false,
    });
  });

  test('is for want of memory only when the kernel killed something meanwhile', () => {
    expect(describeExit({ code: null, signal: 'SIGKILL', ended: undefined, memoryRanOut: true }).outOfMemory).toBe(true);
    expect(describeExit({ code: null, signal: 'SIGKILL', ...plain }).outOfMemory).toBe(false);
    expect(describeExit({ code: 1, signal: null, ended: undefined, memoryRanOut: true }).outOfMemory).toBe(false);
  });

  test('is 127 and 126 when it could not begin', () => {
    expect(describeSpawnFailure('not-found').code).toBe(127);
    expect(describeSpawnFailure('not-executable').code).toBe(126);
  });

  test('reads the kernel’s counter, and takes a machine without one for one that never killed', async () => {
    expect(await readOomKills(() => Promise.resolve('nr_free 1\noom_kill 3\n'))).toBe(3);
    expect(await readOomKills(() => Promise.reject(new Error('no /proc')))).toBe(0);
  });
});

describe('the environment of a command', () => {
  const input = {
    places: placesIn('/vm', '/vm/var/lib/rawcloud'),
    machine: { PATH: '/usr/bin', HTTPS_PROXY: 'http://proxy', RAWCLOUD_GRANT: '/grant', SECRET_OF_OURS: 'x' },
    user: 'rawcloud-job',
    job: 'j1',
    attempt: 0,
    task: 0,
    taskCount: 1,
    region: 'eu-west-1',
    path: ['/layers/bin'],
    layers: { VIRTUAL_ENV: '/layers' },
    variables: { MINE: '1' },
  };

  test('is fresh: layers, the user’s own, the way to the internet, and nothing of ours', () => {
    const env = jobEnvironment(input);
    expect(env).toMatchObject({
      PATH: '/layers/bin:/usr/bin',
      MINE: '1',
      VIRTUAL_ENV: '/layers',
      HTTPS_PROXY: 'http://proxy',
      PYTHONUNBUFFERED: '1',
      AWS_REGION: 'eu-west-1',
    });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['RAWCLOUD_GRANT']));
    expect(env).not.toHaveProperty('SECRET_OF_OURS');
  });

  test('without credentials keeps SDKs from asking the metadata service', () => {
    expect(jobEnvironment(input)['AWS_EC2_METADATA_DISABLED']).toBe('true');
    const env = jobEnvironment({ ...input, credentials: { url: 'http://127.0.0.1:1/credentials', token: 't' } });
    expect(env).toMatchObject({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 't',
    });
  });
});

describe('phases', () => {
  test('go on from what the bootstrap hands over', () => {
    const clock = { now: () => 50, sleep: () => Promise.resolve() };
    const phases = new Phases(clock, 'boot 10 20 grant 20 30 node 30');
    phases.begin('agent', 40);
    expect(phases.timings).toEqual({ boot: [10, 20], grant: [20, 30], node: [30, 40], agent: [40, 50] });
  });
});
