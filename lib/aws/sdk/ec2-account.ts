/** What only doctor and destroy ask of EC2: apart, so that functions and jobs do not carry it. */
export { DescribeRegionsCommand, DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
