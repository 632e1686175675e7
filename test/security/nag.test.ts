import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { teamApp } from './apps';
import { LINT, NAG } from './findings';

/** aws-cdk-lib and the rules take seconds to load; the first capture fetches Node. */
jest.setTimeout(240_000);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'nag-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

test('cdk-nag’s AwsSolutions find nothing but what has a reason, and every reason is one of something found', () => {
  const { violations } = new AwsSolutionsChecks().validateScope(teamApp(directory));
  const found = violations.flatMap(({ ruleName, violatingResources = [] }) =>
    violatingResources.map(({ constructPath = '' }) => ({ finding: ruleName, at: constructPath })),
  );
  const reasonsOf = (one: { finding: string; at: string }) => NAG.filter((r) => r.finding.test(one.finding) && r.at.test(one.at));
  expect(found.filter((one) => reasonsOf(one).length !== 1)).toEqual([]);
  const used = new Set(found.flatMap(reasonsOf));
  expect(NAG.filter((reason) => !used.has(reason))).toEqual([]);
});

test('the page on security says why each finding stays', () => {
  const page = readFileSync(path.join(__dirname, '../../docs/security.md'), 'utf8').replaceAll(/\s+/g, ' ');
  for (const { why } of [...NAG, ...LINT]) expect(page).toContain(why);
});
