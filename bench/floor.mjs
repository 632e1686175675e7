/*
 * The floor: a program that does only what cannot be left out of running something on a fresh VM. One PUT, one
 * RunInstances whose user data powers off, wait for `terminated`. Arguments: bucket, launch template id, image.
 * Endpoint and credentials come from the environment.
 */
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const [bucket, template, image] = process.argv.slice(2);
const s3 = new S3Client({ forcePathStyle: true });
const ec2 = new EC2Client({});
await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `v1/files/floor-${Date.now()}`, Body: 'x' }));
const launched = await ec2.send(
  new RunInstancesCommand({
    LaunchTemplate: { LaunchTemplateId: template },
    ImageId: image,
    InstanceType: 'm7i.large',
    MinCount: 1,
    MaxCount: 1,
    InstanceInitiatedShutdownBehavior: 'terminate',
    UserData: Buffer.from('#!/bin/bash\npoweroff\n').toString('base64'),
  }),
);
const id = launched.Instances[0].InstanceId;
for (;;) {
  const seen = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  if (seen.Reservations?.[0]?.Instances?.[0]?.State?.Name === 'terminated') break;
  await new Promise((resolve) => setTimeout(resolve, 25));
}
