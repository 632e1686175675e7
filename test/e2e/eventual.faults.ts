import { House } from './house';

let house: House;

afterEach(async () => {
  await house.close();
});

/** As EC2 may be after any change: it does not show for some seconds, or for many looks. */
const LAGS = [{ ms: 3_000 }, { calls: 6 }, { ms: 1_500, calls: 12 }];

test.each(LAGS)(
  'a run with an EC2 whose answers lag by %j has one VM, its exit code, its output and a bill',
  async (lag) => {
    house = await House.open();
    house.cloud.ec2.lag(lag);
    const ended = await house.rawcloud(['run', '--', 'sh', '-c', 'echo out; exit 7']);
    expect(ended).toMatchObject({ code: 7, stdout: Buffer.from('out\n') });
    expect(ended.stderr).toMatch(/\$0/);
    await house.allGone();
    expect(house.cloud.ec2.instances()).toHaveLength(1);
  },
  120_000,
);

test('a stop while answers lag ends the VM', async () => {
  house = await House.open();
  const running = house.start(['run', '--', 'sh', '-c', 'echo begun; sleep 1000']);
  await running.saw(/begun/);
  house.cloud.ec2.lag({ ms: 2_000, calls: 4 });
  expect((await house.rawcloud(['stop'])).code).toBe(0);
  await running.ended;
  await house.allGone();
  expect(house.cloud.ec2.instances()).toHaveLength(1);
}, 120_000);

test('a launch whose answer was lost and whose VM does not show yet is not made twice', async () => {
  house = await House.open();
  house.cloud.ec2.lag({ ms: 3_000 });
  house.cloud.faults.arm({ operation: 'RunInstances', effect: { kind: 'lost-reply' } });
  const ended = await house.rawcloud(['run', '--', 'sh', '-c', 'exit 3']);
  expect(ended.code).toBe(3);
  await house.allGone();
  expect(house.cloud.ec2.instances()).toHaveLength(1);
}, 120_000);
