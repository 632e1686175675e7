import { readFile } from 'node:fs/promises';
import { bucketKeys, TAGS } from '../../lib/contract';
import { RATES } from '../../lib/runtime/cost/rates';
import type { JobHandle } from '../../lib/runtime';
import { House } from './house';

let house: House;
beforeEach(async () => {
  house = await House.open();
});
afterEach(() => house.close());

/** All that happens, and what the job wrote. */
async function watched(job: JobHandle): Promise<{ types: string[]; stdout: string; stderr: string }> {
  const types = new Set<string>();
  for await (const { type } of job.watch()) types.add(type);
  const text = async (stream: 'stdout' | 'stderr'): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of job.logs({ streams: [stream] })) chunks.push(bytes);
    return Buffer.concat(chunks).toString();
  };
  return { types: [...types], stdout: await text('stdout'), stderr: await text('stderr') };
}

const SCRIPT = `
  read line < data.txt
  echo "seen: $line"
  echo "note" >&2
  mkdir -p out && echo "made from $line" > out/result.txt
  exit $1
`;

test('a job runs from the command to the bill, with the real agent on an instance of moto', async () => {
  await house.write('data.txt', 'forty-two\n');
  await house.write('job.sh', SCRIPT);
  const job = await house.run(['sh', 'job.sh', '7'], { name: 'thread', vmTypes: ['m7i.large'], diskGiB: 40 });
  expect(house.events.map((e) => e.type)).toEqual(expect.arrayContaining(['plan.ready', 'launch.intent', 'launch.outcome']));
  const [seen, result] = await Promise.all([watched(job), job.wait(), house.boot(job).then((vm) => vm.run())]);

  expect(seen).toMatchObject({ stdout: 'seen: forty-two\n', stderr: 'note\n' });
  // A short job may go through several states between two looks.
  expect(seen.types).toEqual(expect.arrayContaining(['output', 'task.ended', 'vm.gone', 'job.outcome', 'job.ended', 'bill']));
  expect(result).toMatchObject({ outcome: 'failed', reason: 'exited', exitCode: 7, exitCodeIsJobs: true });

  await job.download(house.file(''));
  expect(await readFile(house.file('out/result.txt'), 'utf8')).toBe('made from forty-two\n');
});

test('the bill is what the price on record makes of the times that EC2 tells', async () => {
  const job = await house.run(['true'], { vmTypes: ['m7i.large'], diskGiB: 40 });
  const vm = await house.boot(job);
  const [{ bill }] = await Promise.all([job.wait(), vm.run()]);
  const [instance] = await house.vms(job);
  expect(instance).toMatchObject({ state: 'terminated', vmType: 'm7i.large' });
  const seconds = Math.max(RATES.minimumSeconds, Math.ceil((instance!.endedAt! - instance!.launchedAt) / 1000));
  const { launches, vms, endedAt } = await job.status();
  expect(bill).toMatchObject({ estimated: launches[0]!.offer.priceEstimated, priceSource: launches[0]!.offer.priceSource });
  expect(bill.lines.slice(0, 3).map(({ what, quantity }) => [what, quantity])).toEqual([
    ['m7i.large', seconds],
    ['40 GiB disk', seconds],
    ['public IPv4 address', seconds],
  ]);
  const usdPerHour = launches[0]!.offer.usdPerHour + RATES.ipv4UsdPerHour + (40 * RATES.gp3UsdPerGiBMonth) / RATES.hoursPerMonth;
  const requests = bill.lines.slice(3).reduce((sum, line) => sum + line.usd, 0);
  expect(bill.usd - requests).toBeCloseTo((usdPerHour * seconds) / 3600, 8);
  expect(vms).toMatchObject([{ id: instance!.id, state: 'gone', launchedAt: instance!.launchedAt, endedAt: instance!.endedAt }]);
  expect(endedAt).toBeGreaterThanOrEqual(instance!.endedAt!);
});

test('what only a live job needs is gone with it: grant, secrets, marker', async () => {
  const job = await house.run(['true'], { variables: { PASSWORD: 'secret' } });
  const vm = await house.boot(job);
  expect(vm.grant).toMatchObject({
    variables: { PASSWORD: 'secret' },
    credentials: { sessionToken: expect.stringMatching(/./) as string },
  });
  expect(await house.keys(job)).toEqual(expect.arrayContaining([bucketKeys.active(job.id), bucketKeys.sealed(job.id)]));
  await Promise.all([job.wait(), vm.run()]);
  const keys = (await house.keys(job)).map((key) => key.split('/')[1]);
  expect([...new Set(keys)].sort()).toEqual(['index', 'jobs', 'ledger']);
  expect(await house.store.get(bucketKeys.grant(vm.vm))).toBe('absent');
});

test('a job that is stopped before its VM has booted leaves no VM', async () => {
  const job = await house.run(['sleep', '600']);
  await job.stop();
  const result = await job.wait();
  expect(result).toMatchObject({ outcome: 'stopped', exitCode: 130, exitCodeIsJobs: false });
  expect(await house.vms(job)).toMatchObject([{ state: 'terminated' }]);
});

test('a job whose command is stopped leaves no VM', async () => {
  const job = await house.run(['sh', '-c', 'echo on; sleep 600']);
  const vm = await house.boot(job);
  const running = vm.run();
  for await (const event of job.watch()) if (event.type === 'output') await job.stop();
  await running;
  expect(await job.wait()).toMatchObject({ outcome: 'stopped', exitCode: 130 });
  expect(await house.vms(job)).toMatchObject([{ state: 'terminated' }]);
});

test('a job whose VM somebody else ends before it has booted says so', async () => {
  const job = await house.run(['true']);
  const vm = await house.boot(job);
  await vm.powerOff();
  expect(await job.wait()).toMatchObject({ outcome: 'lost', exitCode: 121, exitCodeIsJobs: false });
  expect(await house.vms(job)).toMatchObject([{ state: 'terminated' }]);
});

test('a launch that EC2 refuses ends the job as refused, in its words, and leaves no VM', async () => {
  const elsewhere = await House.open({ zones: ['us-east-1x'] });
  try {
    const job = await elsewhere.run(['true']);
    const message = expect.stringMatching(/InvalidParameterValue: .*us-east-1x/) as string;
    expect(await job.wait()).toMatchObject({ outcome: 'refused', exitCode: 120, message });
    expect(await house.vms(job)).toEqual([]);
  } finally {
    await elsewhere.close();
  }
});

test('the built CLI finds scaffolding and job, and brings the job to its end', async () => {
  const job = await house.run(['echo', 'seen by another']);
  const open = JSON.parse(await house.cli('ps', '--json')) as unknown;
  expect(open).toMatchObject({ jobs: [{ job: job.id, state: 'launching', command: 'echo seen by another' }] });
  const vm = await house.boot(job);
  const [output] = await Promise.all([house.cli('attach', job.id, '--quiet'), vm.run()]);
  expect(output).toBe('seen by another\n');
  const status = JSON.parse(await house.cli('status', job.id, '--json')) as unknown;
  expect(status).toMatchObject({ state: 'ended', outcome: 'ok', vms: [{ id: vm.id, state: 'gone' }] });
});

test('a job whose client is gone is brought to its end by the reaper', async () => {
  const job = await house.run(['sh', '-c', 'exit 3']);
  await (await house.boot(job)).run();
  expect(await house.client.reap()).toMatchObject({ jobs: 1, ended: [job.id], marked: [], removed: [], unproved: [] });
  expect(await house.client.jobs()).toEqual([]);
  expect(await job.status()).toMatchObject({ state: 'ended', outcome: 'failed', exitCode: 3, bill: { estimated: false } });
});

test('the reaper ends VMs of the scaffolding whose job nobody knows, and no others', async () => {
  const job = await house.run(['sleep', '600']);
  const [own] = await house.vms(job);
  const tags = { [TAGS.scaffold]: house.scaffold.name, [TAGS.job]: 'jnobodyknows' };
  const leftover = await house.launch(tags, { LaunchTemplate: { LaunchTemplateId: house.scaffold.launchTemplateId } });
  const forged = await house.launch(tags);
  const others = [await house.launch({ [TAGS.scaffold]: 'another', [TAGS.job]: 'jofanother' }), await house.launch({ Name: 'database' })];
  const { marked, removed, unproved } = await house.client.reap();
  expect(marked.map(({ id, why }) => `${id} ${why}`).sort()).toEqual([`${forged} foreign`, `${leftover} no-open-job`].sort());
  expect([removed, unproved]).toEqual([[], []]);
  await house.ageMarks(120_000);
  expect(await house.client.reap()).toMatchObject({ jobs: 1, ended: [], marked: [], removed: [{ id: leftover }], unproved: [] });
  expect(await house.alive()).toEqual(expect.arrayContaining([own!.id, forged, ...others]));
  expect(await house.alive()).not.toContain(leftover);
});
