import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(async () => {
  expect(house.alive()).toEqual([]);
  await house.close();
});

test('a command that does nothing is told, and ended with the numbers; another one on this machine does not keep it alive', async () => {
  const ended = await house.rawcloud(['run', '--idle-timeout', '2s', '--', 'sh', '-c', 'echo begun; sleep 600']);
  expect(ended.code).toBe(124);
  expect(ended.stdout.toString()).toBe('begun\n');
  expect(ended.stderr).toMatch(/the command did next to nothing for 2(\.\d)? s: CPU \d\.\d % of a core, disk .+\/s, no output/);
  const { stderr } = await house.rawcloud(['logs', '--system']);
  expect(stderr).toMatch(/info: the command did next to nothing .*; after 2\.0 s of that it is ended/);
  expect(stderr).toMatch(/warning: the command is ended: it did next to nothing/);
  expect(await house.value(['status'])).toMatchObject({ outcome: 'timeout', exitCode: 124 });
  await house.allGone();
});

test('one that computes, and one that writes now and then, are left alone', async () => {
  const compute = 'const end = Date.now() + 4000; while (Date.now() < end);';
  const write = 'for i in 1 2 3 4; do sleep 1; echo; done';
  const runs = [
    house.rawcloud(['run', '--quiet', '--idle-timeout', '2s', '--', process.execPath, '-e', compute]),
    house.rawcloud(['run', '--quiet', '--idle-timeout', '2s', '--', 'sh', '-c', write]),
  ];
  expect((await Promise.all(runs)).map(({ code }) => code)).toEqual([0, 0]);
  await house.allGone();
});
