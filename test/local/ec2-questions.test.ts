import { CreateTagsCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import type { Asked } from '../../lib/local/policy';
import { withLocalCloud } from '../fakes/local-cloud';
import type { TestCloud } from '../fakes/local-cloud';
import { launch } from './launching';

/** What EC2 asked while `call` was carried out. */
async function asked({ cloud }: TestCloud, call: () => Promise<unknown>): Promise<Asked[]> {
  const questions: Asked[] = [];
  const end = cloud.access.listen((question) => questions.push(question));
  await call();
  end();
  return questions;
}

const inShort = ({ action, resource }: Asked): string => `${action} ${resource.replace(/^arn:aws:(ec2|iam):[^:]*:\d*:/, '')}`;

test('a launch asks for all that it makes and uses, its tags, and the role that it passes', async () => {
  await withLocalCloud({ driver: 'process' }, async (test) => {
    const { launchTemplateId: LaunchTemplateId, securityGroupId } = test.cloud.scaffold;
    const questions = await asked(test, () =>
      launch(test, {
        LaunchTemplate: { LaunchTemplateId },
        InstanceMarketOptions: { MarketType: 'spot' },
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'team', Value: 'ml' }] }],
      }),
    );
    const short = questions.map(inShort);
    for (const made of ['instance/*', 'volume/*', 'network-interface/*', 'spot-instances-request/*'])
      expect(short).toContain(`ec2:RunInstances ${made}`);
    expect(short).toEqual(
      expect.arrayContaining([
        `ec2:RunInstances launch-template/${LaunchTemplateId}`,
        `ec2:RunInstances security-group/${securityGroupId}`,
        expect.stringMatching(/^ec2:RunInstances subnet\/subnet-/),
        expect.stringMatching(/^ec2:RunInstances image\/ami-/),
        'ec2:CreateTags instance/*',
        'iam:PassRole role/rawcloud-local-vm',
      ]),
    );
    const [vm] = questions.filter((q) => inShort(q) === 'ec2:RunInstances instance/*');
    expect(vm!.context).toMatchObject({
      'aws:requesttag/team': 'ml',
      'aws:tagkeys': ['team'],
      'ec2:instancetype': 'm7i.large',
      'ec2:instancemarkettype': 'spot',
      'ec2:launchtemplate': expect.stringMatching(new RegExp(`${LaunchTemplateId}$`)) as unknown,
    });
    const [request] = questions.filter((q) => inShort(q) === 'ec2:RunInstances spot-instances-request/*');
    expect(Object.keys(request!.context)).not.toContain('ec2:launchtemplate');
  });
});

test('a call on things asks for each of them, with its tags', async () => {
  await withLocalCloud({ driver: 'process' }, async (test) => {
    const Tags = [{ Key: 'team', Value: 'ml' }];
    const one = await launch(test, { TagSpecifications: [{ ResourceType: 'instance', Tags }] });
    const two = await launch(test);
    const ended = await asked(test, () => test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [one, two] })));
    expect(ended.map((q) => [inShort(q), q.context['aws:resourcetag/team']])).toEqual([
      [`ec2:TerminateInstances instance/${one}`, 'ml'],
      [`ec2:TerminateInstances instance/${two}`, undefined],
    ]);
    const [tagged] = await asked(test, () => test.ec2.send(new CreateTagsCommand({ Resources: [one], Tags: [{ Key: 'a', Value: 'b' }] })));
    expect(tagged!.context).toMatchObject({ 'aws:resourcetag/team': 'ml', 'aws:requesttag/a': 'b', 'aws:tagkeys': ['a'] });
  });
});

test('fails for a function whose role says otherwise, and carries nothing out', async () => {
  await withLocalCloud({ driver: 'process' }, async (test) => {
    const id = await launch(test);
    const Condition = { StringEquals: { 'aws:ResourceTag/team': 'ml' } };
    test.cloud.roles.put({ name: 'reaper', statements: [{ Effect: 'Allow', Action: 'ec2:TerminateInstances', Resource: '*', Condition }] });
    const keys = test.cloud.assumeRole('reaper', 'session');
    expect(keys.sessionToken).not.toBe('');
    test.cloud.access.limitDeveloper([{ Sid: 'End', Effect: 'Allow', Action: 'ec2:TerminateInstances', Resource: '*', Condition }]);
    await expect(test.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
    });
    expect(test.cloud.ec2.instances().map(({ state }) => state)).not.toContain('terminated');
    expect(() => test.cloud.assumeRole('nobody', 'session')).toThrow(/there is no role 'nobody'/);
  });
});
