import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

const JOB = path.join(import.meta.dirname, '../job/report.sh');

let directory;
before(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'report-'));
});
after(() => rmSync(directory, { recursive: true }));

/** A program of that name that writes down how it was called. */
function standIn(name, answer) {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\necho "$@" > '${file}.arguments'\ncat > '${file}.input'\n${answer}\n`);
  chmodSync(file, 0o755);
}

const seen = (name) => readFileSync(path.join(directory, name), 'utf8');

function report() {
  const env = { PATH: `${directory}:${process.env.PATH}`, TABLE: 'orders', REPORT_URL: 'https://r.example.com', TOKEN: 'abc' };
  const running = promisify(execFile)('bash', [JOB], { env, timeout: 30_000 });
  running.child.stdin.end();
  return running;
}

test('counts the table and tells the service, the token not among the arguments', async () => {
  standIn('aws', 'echo 42');
  standIn('curl', 'exit 0');
  const { stdout } = await report();
  assert.equal(stdout, 'orders: 42\n');
  assert.match(seen('aws.arguments'), /--table-name orders/);
  assert.match(seen('curl.arguments'), /\{"orders": 42\} https:\/\/r\.example\.com/);
  assert.doesNotMatch(seen('curl.arguments'), /abc/);
  assert.equal(seen('curl.input'), 'Authorization: Bearer abc\n');
});

test('fails when the table cannot be read, and tells nobody a number', async () => {
  standIn('aws', 'exit 254');
  standIn('curl', `touch '${directory}/told'`);
  await assert.rejects(report(), { code: 254 });
  assert.throws(() => seen('told'));
});
