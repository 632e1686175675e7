import { execFileSync } from 'node:child_process';
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { arrivedObject, resultKey } from './event.mjs';

/*
 * Runs on the VM, as the job's role. EVENT holds the detail of the event that started it; the AWS CLI comes with Amazon
 * Linux.
 */
const { bucket, key } = arrivedObject(process.env.EVENT);
execFileSync('aws', ['s3', 'cp', '--no-progress', `s3://${bucket}/${key}`, 'input'], { stdio: 'inherit' });

const stream = createReadStream('input');
const lines = createInterface({ input: key.endsWith('.gz') ? stream.pipe(createGunzip()) : stream });
let count = 0;
for await (const line of lines) if (line !== '') count += 1;

console.log(`${key}: ${count} lines`);
writeFileSync('result.json', JSON.stringify({ key, lines: count }));
execFileSync('aws', ['s3', 'cp', '--no-progress', 'result.json', `s3://${bucket}/${resultKey(key)}`], { stdio: 'inherit' });
