import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { machineProcesses } from '../fakes/local-cloud';
import { House } from './house';

let house: House;

beforeEach(async () => {
  house = await House.open();
});

afterEach(async () => {
  await house.close();
});

const sh = (script: string): string[] => ['run', '--quiet', '--', 'sh', '-c', script];

describe('a job that', () => {
  test('closes its output and lives on is waited for', async () => {
    const ended = await house.rawcloud(sh('echo seen; exec >&- 2>&-; sleep 1; exit 3'));
    expect(ended).toMatchObject({ code: 3, stdout: Buffer.from('seen\n') });
  });

  test('leaves a daemon behind ends with its command, and the daemon with it', async () => {
    const ended = await house.rawcloud(sh('setsid sleep 4242 & nohup sleep 4243 >/dev/null 2>&1 & echo left; exit 4'));
    expect(ended).toMatchObject({ code: 4, stdout: Buffer.from('left\n') });
    await house.allGone();
    expect(machineProcesses(house.directory)).toEqual([]);
  });

  test('is deaf to SIGTERM is killed after the grace', async () => {
    const running = house.start(sh("trap '' TERM INT HUP; echo deaf; while :; do sleep 1; done"));
    await running.saw(/deaf/);
    await house.rawcloud(['stop']);
    expect((await running.ended).code).toBe(130);
    await house.allGone();
  }, 90_000);

  test('writes no newline for long is seen all the same', async () => {
    const running = house.start(sh('printf "50 %%"; exec sleep 600'));
    await running.saw(/50 %/);
    await house.rawcloud(['stop']);
    expect((await running.ended).stdout.toString()).toBe('50 %');
  });

  test('writes a million lines as fast as it can loses none of them', async () => {
    const hash = createHash('sha256');
    const expected = createHash('sha256');
    for (let line = 1; line <= 1_000_000; line++) expected.update(`${line}\n`);
    const running = house.start(sh('seq 1 1000000'), { onStdout: (chunk) => hash.update(chunk) });
    expect((await running.ended).code).toBe(0);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
  }, 90_000);

  test('is stopped by a newer rawcloud ends, and the older client says which it needs', async () => {
    const running = house.start(sh('echo begun; exec sleep 600'));
    await running.saw(/begun/);
    const { url, region, credentials, scaffold } = house.cloud;
    const written = house.cloud.calls.recent().find(({ resource }) => resource.endsWith('/control.json'));
    const key = written!.resource.slice(scaffold.bucket.length + 1);
    const s3 = new S3Client({ endpoint: url, region, credentials, forcePathStyle: true });
    const newer = { v: 9, rev: 99, stop: { because: 'of a form that is to come' } };
    await s3.send(new PutObjectCommand({ Bucket: scaffold.bucket, Key: key, Body: JSON.stringify(newer) }));
    s3.destroy();
    await house.allGone();
    const ended = await running.ended;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(/newer|update/i);
  });
});

/** A memory cgroup of ours with a limit, where this machine lets us make one (cgroup v1 or v2, root). */
class SmallMemory {
  private constructor(readonly directory: string) {}

  static make(bytes: number): SmallMemory | undefined {
    const [top, limit] = existsSync('/sys/fs/cgroup/memory')
      ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
      : ['/sys/fs/cgroup', 'memory.max'];
    const directory = path.join(top, `rawcloud-test-${process.pid}`);
    try {
      mkdirSync(directory);
      writeFileSync(path.join(directory, limit), String(bytes));
      return new SmallMemory(directory);
    } catch {
      return undefined;
    }
  }

  remove(): void {
    rmdirSync(this.directory);
  }
}

test('a command that the kernel kills for want of memory says so', async () => {
  const memory = SmallMemory.make(64 * 2 ** 20);
  // Only root may set a limit; the counter itself is read in test/agent.
  if (!memory) return;
  try {
    const script = `echo $$ > ${memory.directory}/cgroup.procs && exec head -c 1G /dev/zero | tail`;
    const ended = await house.rawcloud(['run', '--', 'sh', '-c', script]);
    expect(ended.code).toBe(137);
    expect(ended.stderr).toMatch(/out of memory/i);
  } finally {
    memory.remove();
  }
});
