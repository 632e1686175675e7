import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { mapBounded } from '../../lib/contract';
import { STACKS, teamApp } from '../security/apps';
import { LINT } from '../security/findings';
import { PYTHON } from './moto';

/** aws-cdk-lib takes seconds to load; the first capture fetches Node. */
jest.setTimeout(240_000);

/** The program in bin/ names the directory that the environment was made in, which is not where it lies. */
const CFN_LINT = 'import sys; from cfnlint.runner import main; sys.exit(main())';

interface Finding {
  readonly Level: string;
  readonly Message: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly (string | number)[] | null };
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-lint-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** @throws when it could not be run; findings are no failure */
async function lint(template: string): Promise<Finding[]> {
  const args = ['-c', CFN_LINT, '--format', 'json', '--non-zero-exit-code', 'none', template];
  const { stdout } = await promisify(execFile)(PYTHON, args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as Finding[];
}

test('cfn-lint finds nothing but what has a reason, and every reason is one of something found', async () => {
  const { directory: assembly } = teamApp(directory).synth();
  const linted = await mapBounded(STACKS, 1, (stack) => lint(path.join(assembly, `${stack}.template.json`)));
  const found = linted.flat().map(({ Rule, Message, Location }) => ({
    rule: Rule.Id,
    at: String(Location.Path?.[1] ?? ''),
    resource: /^'(\w+)'/.exec(Message)?.[1] ?? '',
  }));
  const reasonsOf = ({ rule, at, resource }: (typeof found)[number]) =>
    LINT.filter((r) => r.rule === rule && (r.at.test(at) || r.at.test(resource)));
  expect(found.filter((one) => reasonsOf(one).length === 0)).toEqual([]);
  const used = new Set(found.flatMap(reasonsOf));
  expect(LINT.filter((reason) => !used.has(reason))).toEqual([]);
});
