import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CallRecord } from '../../lib/local/service';
import { PART_BYTES } from '../../lib/store/packs';
import { writeTree } from '../capture/trees';
import { readAll } from '../store/trees';
import { House } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

type Watched = 'PutObject' | 'GetObject';

/** What a VM and a client exchange: content, and what a job has written. */
const CONTENT = /\/v1\/files\/|\/out\//;

/** The developer's calls for content while `use` runs. */
async function callsOf(operation: Watched, use: () => Promise<unknown>, onCall: (call: CallRecord) => void = () => undefined) {
  const { calls } = house.cloud;
  const record = calls.record.bind(calls);
  const made: CallRecord[] = [];
  calls.record = (call): void => {
    record(call);
    if (call.operation !== operation || !call.principal.includes('user/') || !CONTENT.test(call.resource)) return;
    made.push(call);
    onCall(call);
  };
  try {
    await use();
  } finally {
    calls.record = record;
  }
  return made;
}

/** Runs the CLI until so many calls have succeeded; others fail, and the CLI is killed. @returns those that succeeded */
async function killedAfter(number: number, operation: Watched, args: readonly string[]): Promise<CallRecord[]> {
  const effect = { kind: 'error', status: 503, code: 'SlowDown' } as const;
  house.cloud.faults.arm({ operation, resource: CONTENT.source.replaceAll('\\/v1', 'v1'), skip: number, count: 1000, effect });
  const running = house.start(args);
  let succeeded = 0;
  const made = await callsOf(
    operation,
    () => running.ended,
    ({ status }) => status < 300 && ++succeeded === number && running.child.kill('SIGKILL'),
  );
  house.cloud.faults.clear();
  expect((await running.ended).signal).toBe('SIGKILL');
  return made.filter(({ status }) => status < 300);
}

const PARTS = 5;

test('a directory from outside the tree arrives whole, what is kept comes home whole, and each goes on after a kill', async () => {
  const data = path.join(house.directory, 'my data');
  writeTree(data, {
    '.gitignore': '*\n',
    'é ü/日本.txt': 'text',
    'sub/run me': { executable: '#!/bin/sh\n' },
    'sub/link': { link: 'run me' },
  });
  writeFileSync(path.join(data, 'big one'), randomBytes((PARTS - 1) * PART_BYTES + 3));
  await house.write({ 'job.sh': 'cp -a "$1" kept && echo made > kept/made && echo $1' });
  const run = ['run', '--upload', `${data}:in/data`, '--keep', 'kept', 'sh', 'job.sh', data];

  const before = await killedAfter(3, 'PutObject', run);
  const after = await callsOf('PutObject', async () => {
    const { code, stdout } = await house.rawcloud(run);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: 'in/data\n' });
  });
  // A pack, the parts and the manifest: nothing that had arrived was sent once more.
  expect([before.length, after.length]).toEqual([3, PARTS + 2 - 3]);
  const [sent, again] = [before, after].map((calls) => calls.reduce((sum, { bytesIn }) => sum + bytesIn, 0));
  expect(sent! + again!).toBeLessThan(PARTS * PART_BYTES);

  const home = path.join(house.directory, 'brought');
  const download = ['download', '--to', home];
  const got = await killedAfter(3, 'GetObject', download);
  expect(Object.keys(readAll(home)).every((name) => name.startsWith('.rawcloud-download-'))).toBe(true);
  const rest = await callsOf('GetObject', async () => expect((await house.rawcloud(download)).code).toBe(0));
  // The manifest is read again, the pack is not; the part may have been on its way.
  expect(got).toHaveLength(3);
  expect(rest.length).toBeLessThanOrEqual(PARTS + 1);
  expect(rest.map(({ resource }) => resource)).not.toContain(got[1]!.resource);
  const expected = Object.entries(readAll(data)).map(([name, content]) => [`kept/${name}`, content]);
  expect(readAll(home)).toEqual({ ...Object.fromEntries(expected), 'kept/made': 'file made\n' });
}, 120_000);
