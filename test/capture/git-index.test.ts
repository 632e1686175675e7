import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { readIndex } from '../../lib/capture/git/index-file';
import { GitKnowledge } from '../../lib/capture/git/facts';
import type { TrackedNames } from '../../lib/capture/git/tracked-names';
import { withDirectory, writeTree } from './trees';

/* The law: names that are read from git's index are those that git lists. */

interface Repository {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly git: (args: readonly string[], input?: string) => string;
  readonly index: () => Buffer;
}

const repositories = (body: (repository: Repository) => Promise<void> | void): Promise<void> =>
  withDirectory(async (home) => {
    const root = path.join(home, 'r');
    mkdirSync(root);
    const env = { PATH: process.env['PATH']!, HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
    const git: Repository['git'] = (args, input = '') =>
      execFileSync('git', args, { cwd: root, env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
    git(['init', '-q', '--template=']);
    await body({ root, env, git, index: () => readFileSync(path.join(root, '.git/index')) });
  });

const part = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'ab', 'a-b', 'a.b', 'é', 'a b', 'Ü', '日本') },
  { weight: 1, arbitrary: fc.nat(400).map((length) => `n${'x'.repeat(length % 250)}`) },
);
const name = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => parts.join('/'));
const BLOB = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391';
const entry = fc.record({
  name,
  mode: fc.constantFrom('100644', '100755', '120000', '160000'),
  stage: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
});

test('reads the names that git lists, in each version of the index', async () => {
  await repositories(({ git, index }) => {
    const law = fc.property(fc.array(entry, { maxLength: 40 }), fc.constantFrom('2', '3', '4'), (entries, version) => {
      git(['read-tree', '--empty']);
      // Git lets no file lie below a file.
      const input = entries.map((one) => `${one.mode} ${BLOB} ${one.stage}\t${one.name}\0`).join('');
      git(['update-index', '-z', '--replace', '--index-info'], input);
      git(['update-index', '--force-write-index', '--index-version', version]);
      const listed = git(['ls-files', '-z', '-c']).split('\0').slice(0, -1);
      const names = readIndex(index())!;
      expect(names.list().map((found) => Buffer.from(found, 'latin1').toString())).toEqual(listed);
      checkLookups(names);
    });
    fc.assert(law, { numRuns: 40 });
  });
}, 120_000);

function checkLookups(names: TrackedNames): void {
  const all = names.list();
  const ways = new Set(all.flatMap((found) => [...found.matchAll(/\//g)].map(({ index }) => found.slice(0, index))));
  for (const found of all) {
    expect(names.has(found)).toBe(true);
    for (const near of [`${found}0`, `${found}/x`, found.slice(0, -1), `0${found}`]) {
      expect(names.has(near)).toBe(all.includes(near));
      expect(names.leadsTo(near)).toBe(ways.has(near));
    }
  }
  for (const way of ways) expect(names.leadsTo(way)).toBe(true);
}

test('flags that git keeps of a file do not hinder', async () => {
  await repositories(({ root, git, index }) => {
    writeTree(root, { a: '1', b: '2', c: '3', d: '4' });
    git(['add', 'a', 'b', 'c']);
    git(['add', '-N', 'd']);
    git(['update-index', '--skip-worktree', 'a']);
    git(['update-index', '--assume-unchanged', 'b']);
    expect(readIndex(index())!.list()).toEqual(['a', 'b', 'c', 'd']);
  });
});

test.each([
  ['split', ['update-index', '--split-index']],
  ['without a checksum', ['-c', 'index.skipHash=true', 'update-index', '--force-write-index']],
])('fails to read an index that is %s, and git is asked', async (kind, command) => {
  await repositories(async ({ root, env, git, index }) => {
    writeTree(root, { 'a/b': '1', c: '2' });
    git(['add', '-A']);
    git(command);
    // Older gits know no index without a checksum.
    const file = index();
    if (kind !== 'split') writeFileSync(path.join(root, '.git/index'), Buffer.concat([file.subarray(0, -20), Buffer.alloc(20)]));
    expect(readIndex(index())).toBeUndefined();
    const knowledge = new GitKnowledge({ env, home: env['HOME']! });
    expect((await knowledge.factsOf(root)).tracked.list()).toEqual(['a/b', 'c']);
    expect(await knowledge.areRight()).toBe(true);
  });
});

test('a repository of SHA-256 is left to git', async () => {
  await repositories(async ({ root, env, git }) => {
    execFileSync('rm', ['-r', '.git'], { cwd: root });
    git(['init', '-q', '--template=', '--object-format=sha256']);
    writeTree(root, { 'a/b': '1', c: '2' });
    git(['add', '-A']);
    const knowledge = new GitKnowledge({ env, home: env['HOME']! });
    expect((await knowledge.factsOf(root)).tracked.list()).toEqual(['a/b', 'c']);
    await knowledge.areRight();
  });
});

test('fails to read what is damaged at any byte', async () => {
  await repositories(({ root, git, index }) => {
    writeTree(root, { 'a/b': '1', c: '2' });
    git(['add', '-A']);
    const whole = index();
    for (let at = 0; at < whole.byteLength; at++) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x55;
      expect(readIndex(damaged)).toBeUndefined();
      expect(readIndex(whole.subarray(0, at))).toBeUndefined();
    }
  });
});
