import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encodeGrant, USER_DATA_LIMIT_BYTES, userData } from '../../lib/contract';
import { INTERVALS, PREFIX, SHA } from '../fakes/records';

const script = userData({ bucket: 'some-bucket', region: 'eu-west-1', roleId: 'AROAEXAMPLE' });

describe('user data', () => {
  test('is a bash script that bash understands, within EC2’s limit', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'rawcloud-test-'));
    try {
      const file = path.join(directory, 'user-data');
      writeFileSync(file, script);
      execFileSync('bash', ['-n', file]);
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(Buffer.byteLength(script)).toBeLessThan(USER_DATA_LIMIT_BYTES);
    expect(script.startsWith('#!/bin/bash\n')).toBe(true);
  });

  test('names bucket, region and role, and leaves no place unfilled', () => {
    expect(script).toContain("bucket='some-bucket'");
    expect(script).toContain("region='eu-west-1'");
    expect(script).toContain("role_id='AROAEXAMPLE'");
    expect(script).not.toMatch(/@[A-Z_]+@/);
  });

  test('arms the guard before it talks to anybody', () => {
    expect(script.indexOf('"$state/guard" first')).toBeLessThan(script.indexOf('latest/api/token'));
    expect(script.indexOf('trap finish EXIT')).toBeLessThan(script.indexOf('latest/api/token'));
  });

  test('hands no key to curl in its arguments', () => {
    for (const call of script
      .split('\n')
      .filter((l) => l.includes('curl -'))
      .map((l) => l.slice(l.indexOf('curl -'))))
      expect(call).not.toMatch(/\$(secret|session|key_id|token)/);
  });
});

describe('a grant', () => {
  test('has one member a line, so that a shell finds what it needs', () => {
    const grant = {
      v: 1 as const,
      prefix: PREFIX,
      nodeSha256: SHA,
      agentSha256: SHA,
      serial: 0,
      variables: { A: 'x\n"prefix": "y"' },
      intervals: INTERVALS,
      lifetimeUntil: 1,
    };
    const text = Buffer.from(encodeGrant(grant)).toString();
    expect(JSON.parse(text)).toEqual(grant);
    expect(/"prefix"[ ]*:[ ]*"([^"]*)"/.exec(text)?.[1]).toBe(PREFIX);
  });
});
