import { RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { localImages } from '../../lib/local/ec2/images';
import type { TestCloud } from '../fakes/local-cloud';

const [X86, ARM] = localImages('us-east-1');
export const IMAGES = { x86_64: X86!.id, arm64: ARM!.id };

/** What user data would be, as RunInstances wants it. */
export function script(lines: string): string {
  return Buffer.from(`#!/bin/bash\n${lines}\n`).toString('base64');
}

/** RunInstances of one plain VM, unless told otherwise. */
export function run(more: Partial<RunInstancesCommandInput> = {}): RunInstancesCommand {
  return new RunInstancesCommand({ ImageId: IMAGES.x86_64, InstanceType: 'm7i.large', MinCount: 1, MaxCount: 1, ...more });
}

/** Launches one VM and gives its id. */
export async function launch({ ec2 }: Pick<TestCloud, 'ec2'>, more: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const { Instances } = await ec2.send(run(more));
  return Instances![0]!.InstanceId!;
}
