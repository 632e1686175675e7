import { openAws } from '../../lib/aws/clients';
import { createEc2Compute } from '../../lib/aws/ec2-compute';
import type { Compute } from '../../lib/contract';
import type { ComputeTests, LaunchChange } from './compute-suite';

const UNKNOWN = 'i-0123456789abcdef0';

/** How EC2 refuses, and what we make of it. */
export const testFailing: ComputeTests = ({ test, each }, fixture) => {
  each<[LaunchChange, string]>(
    'fails, and launches nothing, for %s',
    {
      'an image that is not there': [{ input: { ImageId: 'ami-0123456789abcdef0' } }, 'InvalidAMIID.NotFound'],
      'an image that is no id': [{ input: { ImageId: 'nonsense' } }, 'InvalidAMIID.Malformed'],
      'a type that is not there': [{ offer: { vmType: 'm7i.gigantic' } }, 'InvalidParameterValue'],
      'a zone that is not there': [{ offer: { zone: 'us-east-1x' } }, 'InvalidParameterValue'],
      'a template that is not there': [
        { input: { LaunchTemplate: { LaunchTemplateId: 'lt-0123456789abcdef0' } } },
        'InvalidLaunchTemplateId.NotFound',
      ],
      'counts the wrong way round': [{ input: { MinCount: 3, MaxCount: 2 } }, 'InvalidParameterValue'],
      'an image of another architecture': [{ offer: { vmType: 'm7g.large' } }, 'InvalidParameterValue'],
      'a dry run that would succeed': [{ input: { DryRun: true } }, 'DryRunOperation'],
    },
    async ([change, awsCode]) => {
      const { compute, request, mine } = fixture();
      const refused = compute.launch(await request(change));
      await expect(refused).rejects.toMatchObject({ code: 'E_AWS_REQUEST', retryable: false, data: { class: 'request', awsCode } });
      expect(await mine()).toEqual([]);
    },
  );

  test('fails for a version of the template that is not there', async () => {
    const { compute, request, scaffold, mine } = fixture();
    const LaunchTemplate = { LaunchTemplateId: scaffold.launchTemplateId, Version: '99' };
    const refused = compute.launch(await request({ input: { LaunchTemplate } }));
    await expect(refused).rejects.toMatchObject({ data: { class: 'request', awsCode: 'InvalidLaunchTemplateId.VersionNotFound' } });
    expect(await mine()).toEqual([]);
  });

  each<(compute: Compute) => Promise<unknown>>(
    'fails for %s of what is no VM',
    {
      tags: (compute) => compute.tag([UNKNOWN], { a: 'b' }),
      'console output': (compute) => compute.consoleOutput(UNKNOWN),
    },
    async (call) => {
      const notFound = { class: 'request', awsCode: 'InvalidInstanceID.NotFound' };
      await expect(call(fixture().compute)).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: notFound });
    },
  );

  test('fails for the end of what is no id', async () => {
    const malformed = { class: 'request', awsCode: 'InvalidInstanceID.Malformed' };
    await expect(fixture().compute.terminate(['nonsense'])).rejects.toMatchObject({ code: 'E_AWS_REQUEST', data: malformed });
  });

  test('fails for keys that nobody knows', async () => {
    const { aws, scaffold } = fixture();
    const endpoint = await (await aws.ec2()).config.endpoint!();
    const { protocol, hostname, port } = endpoint;
    const credentials = { accessKeyId: 'AKIANOBODYNOBODYNOBO', secretAccessKey: 'nothing' };
    const stranger = await openAws({ env: {}, region: aws.region, endpoint: `${protocol}//${hostname}:${port}`, credentials });
    try {
      const asked = createEc2Compute(stranger).describe({ scaffold: scaffold.name });
      await expect(asked).rejects.toMatchObject({ code: 'E_NO_CREDENTIALS', data: { class: 'credentials', awsCode: 'AuthFailure' } });
    } finally {
      stranger.close();
    }
  });
};
