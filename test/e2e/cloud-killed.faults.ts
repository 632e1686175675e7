import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readCloudFile } from '../../lib/local/cloud-file';
import { machineProcesses } from '../fakes/local-cloud';
import { Developer } from './developer';

/** The local cloud as people have it: a process of its own, which can be killed. */
let developer: Developer;

beforeEach(async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-test-'));
  developer = new Developer(directory, path.join(directory, 'state'));
  await developer.moveIn();
  await developer.rawcloud(['local', 'start']);
});

afterEach(async () => {
  developer.killAll();
  await developer.rawcloud(['local', 'reset']);
  await rm(developer.directory, { recursive: true, force: true, maxRetries: 3 });
  expect(machineProcesses(developer.directory)).toEqual([]);
});

async function killCloud(): Promise<void> {
  const { pid } = (await readCloudFile(developer.stateDir))!;
  process.kill(pid, 'SIGKILL');
}

async function letGo(): Promise<void> {
  const [id] = await readdir(path.join(developer.stateDir, 'machines'));
  await writeFile(path.join(developer.stateDir, 'machines', id!, 'var/lib/rawcloud/job/tree/go'), '');
}

const TALKS = ['run', '--', 'sh', '-c', 'echo begun; until [ -e go ]; do sleep 0.05; done; echo end; exit 5'];

test('a local cloud that is killed in the middle of a run and started again loses neither job nor output', async () => {
  const running = developer.start(TALKS);
  await running.saw(/begun/);
  await killCloud();
  await running.saw(/trying again/);
  expect((await developer.rawcloud(['local', 'start'])).code).toBe(0);
  await letGo();
  expect(await running.ended).toMatchObject({ code: 5, stdout: Buffer.from('begun\nend\n') });
  expect((await developer.rawcloud(['ps', '--all'])).stdout.toString()).toMatch(/failed 5/);
}, 120_000);

test('a job that goes on while the local cloud is away is found finished', async () => {
  const running = developer.start([...TALKS.slice(0, 1), '--detach', ...TALKS.slice(1)]);
  expect((await running.ended).code).toBe(0);
  const attached = developer.start(['attach']);
  await attached.saw(/begun/);
  attached.child.kill('SIGKILL');
  await killCloud();
  await letGo();
  expect(await developer.rawcloud(['attach'])).toMatchObject({ code: 5, stdout: Buffer.from('begun\nend\n') });
}, 120_000);
