import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { arrivedObject, resultKey } from '../job/event.mjs';

let directory;
before(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'count-'));
});
after(() => rmSync(directory, { recursive: true }));

const EVENT = JSON.stringify({ bucket: { name: 'data' }, object: { key: 'in/day.csv.gz', size: 24 } });

test('reads bucket and key from the detail of an event', () => {
  assert.deepEqual(arrivedObject(EVENT), { bucket: 'data', key: 'in/day.csv.gz' });
});

test('leaves results where they start nothing', () => {
  assert.equal(resultKey('in/day.csv.gz'), 'out/day.csv.gz.json');
});

test('counts the lines of what arrived', async () => {
  const aws = path.join(directory, 'aws');
  writeFileSync(path.join(directory, 'object'), gzipSync('a\nb\n\nc\n'));
  // `aws s3 cp --no-progress FROM TO`: one end is an object.
  writeFileSync(aws, `#!/bin/sh\ncase $4 in s3://*) cp '${directory}/object' "$5";; *) cp "$4" '${directory}/sent'; echo "$5";; esac\n`);
  chmodSync(aws, 0o755);
  const job = path.join(import.meta.dirname, '../job/count.mjs');
  const env = { PATH: `${directory}:${process.env.PATH}`, EVENT };
  const { stdout } = await promisify(execFile)(process.execPath, [job], { cwd: directory, env, timeout: 30_000 });
  assert.equal(stdout, 'in/day.csv.gz: 3 lines\ns3://data/out/day.csv.gz.json\n');
  assert.deepEqual(JSON.parse(readFileSync(path.join(directory, 'sent'), 'utf8')), { key: 'in/day.csv.gz', lines: 3 });
});
