import { breaches } from './rules';
import { readSources } from './sources';

const sourcesOf = (files: Record<string, string>) => new Map(Object.entries(files));

test('the code keeps the import rules', () => {
  expect(breaches(readSources())).toEqual([]);
});

describe('the checker', () => {
  test('says nothing about what is allowed', () => {
    const sources = sourcesOf({
      'lib/contract/index.ts': `export * from './keys'; import * as v from 'valibot';`,
      'lib/contract/keys.ts': `import { createHash } from 'node:crypto';`,
      'lib/aws/s3-store.ts': `import { S3Client } from '@aws-sdk/client-s3'; import type { Store } from '../contract';`,
      'lib/constructs/bucket.ts': `import { Bucket } from 'aws-cdk-lib/aws-s3'; import { TAGS } from '../contract';`,
      'lib/runtime/plan/plan.ts': `import { TAGS } from '../../contract'; import './offers';`,
      'lib/runtime/plan/offers.ts': '',
      'bin/rawcloud.ts': `import { version } from '../package.json'; const c = () => import('./commands/index.js');`,
      'bin/commands/index.ts': `export type C = typeof import('./index');`,
      'lambda/reap.ts': `import { connect } from '../lib/runtime';`,
      'lib/runtime/index.ts': '',
    });
    expect(breaches(sources)).toEqual([]);
  });

  test.each([
    ['a layer above', 'lib/contract/a.ts', `import { x } from '../runtime/index';`, /contract must not know runtime/],
    ['a layer beside, for its types', 'lib/capture/a.ts', `import type { X } from '../store/index';`, /capture must not know store/],
    ['a layer by import type', 'lib/store/a.ts', `export type X = import('../aws/index').X;`, /store must not know aws/],
    ['a layer by re-export', 'lib/agent/a.ts', `export { x } from '../runtime/index';`, /agent must not know runtime/],
    [
      'a layer by import()',
      'lib/constructs/a.ts',
      `export const x = () => import('../runtime/index.js');`,
      /constructs must not know runtime/,
    ],
    ['a layer by require', 'lib/local/a.ts', `const x = require('../aws/index');`, /local must not know aws/],
    ['the SDK', 'lib/runtime/a.ts', `import { S3Client } from '@aws-sdk/client-s3';`, /sdk is confined/],
    ['the SDK lazily', 'bin/a.ts', `export const x = () => import('@smithy/signature-v4');`, /sdk is confined/],
    ['the CDK', 'lib/capture/a.ts', `import type { App } from 'aws-cdk-lib';`, /cdk is confined/],
    ['constructs', 'bin/a.ts', `import { Construct } from 'constructs';`, /cdk is confined/],
    ['Node into a pure part', 'lib/runtime/advance/advance.ts', `import fs from 'node:fs';`, /it is pure/],
    ['the runtime into a pure part', 'lib/runtime/cost/a.ts', `import '../index';`, /cost must not know runtime/],
    ['tests into the product', 'lib/runtime/a.ts', `import '../../test/fakes/world';`, /no file of lib, bin or lambda/],
  ])('fails on %s', (_what, file, text, message) => {
    const empty = { 'lib/runtime/index.ts': '', 'lib/store/index.ts': '', 'lib/aws/index.ts': '' };
    expect(breaches(sourcesOf({ ...empty, [file]: text }))).toEqual([expect.stringMatching(message)]);
  });

  test('fails on a cycle of files, told once', () => {
    const sources = sourcesOf({
      'lib/contract/a.ts': `import './b';`,
      'lib/contract/b.ts': `import './c';`,
      'lib/contract/c.ts': `import { x } from './a';`,
    });
    expect(breaches(sources)).toEqual(['cycle: lib/contract/a.ts → lib/contract/b.ts → lib/contract/c.ts → lib/contract/a.ts']);
  });

  test('lets types and lazy loads close a cycle', () => {
    const sources = sourcesOf({
      'lib/contract/a.ts': `import './b'; import './c';`,
      'lib/contract/b.ts': `import type { X } from './a'; import { type Y } from './a';`,
      'lib/contract/c.ts': `export const a = () => import('./a.js');`,
    });
    expect(breaches(sources)).toEqual([]);
  });

  test('fails on a file without a layer', () => {
    expect(breaches(sourcesOf({ 'lib/somewhere/a.ts': '' }))).toEqual([expect.stringContaining('belongs to no layer')]);
  });

  test('fails on a handler that loads what captures packages', () => {
    const sources = sourcesOf({
      'lambda/reap.ts': `import { connect } from '../lib/runtime/a';`,
      'lib/runtime/a.ts': `export const a = () => import('../capture/packages.js');`,
      'lib/capture/packages.ts': '',
    });
    expect(breaches(sources)).toEqual([expect.stringContaining('loaded by a function')]);
  });

  test('fails on a handler that holds logic', () => {
    expect(breaches(sourcesOf({ 'lambda/reap.ts': '\n'.repeat(100) }))).toEqual([expect.stringContaining('a handler parses')]);
  });
});
