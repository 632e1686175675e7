import { RawcloudError } from '../contract';
import type { Arch } from '../contract';
import type { AwsContext } from './clients';
import { wording } from './errors';

/** An AMI as far as a launch needs it. */
export interface ImageFacts {
  readonly id: string;
  /** Name of the root device, as `/dev/xvda`. */
  readonly rootDevice: string;
  readonly arch: Arch;
}

/** @throws E_AWS_REQUEST when there is no such image in the region */
export async function describeImage(context: AwsContext, id: string): Promise<ImageFacts> {
  return wording('ec2:DescribeImages', async () => {
    const { DescribeImagesCommand } = await import('./sdk/ec2.js');
    const { Images = [] } = await (await context.ec2()).send(new DescribeImagesCommand({ ImageIds: [id] }));
    const [image] = Images;
    if (!image)
      throw new RawcloudError('E_AWS_REQUEST', `there is no image ${id} in ${context.region}`, {
        remedy: 'AMI ids differ from region to region.',
      });
    return { id, rootDevice: image.RootDeviceName ?? '/dev/xvda', arch: image.Architecture === 'arm64' ? 'arm64' : 'x86_64' };
  });
}
