/*
 * The least that a program does which speaks to EC2: loads the SDK's client, signs one call. Endpoint and credentials
 * come from the environment.
 */
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';

await new EC2Client({}).send(new DescribeInstancesCommand({ Filters: [{ Name: 'tag:none', Values: ['none'] }] }));
