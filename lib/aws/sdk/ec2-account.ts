/** What only the doctor asks of EC2: apart, so that functions and jobs do not carry it. */
export { DescribeSubnetsCommand, DescribeVpcsCommand } from '@aws-sdk/client-ec2';
