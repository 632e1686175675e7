import { App } from 'aws-cdk-lib';
import { OwnVpcStack } from './stack.mjs';

const app = new App();
// aws ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.<region>.s3
const s3PrefixListId = app.node.tryGetContext('s3PrefixListId') ?? 'pl-63a5400a';
new OwnVpcStack(app, 'OwnVpc', { s3PrefixListId });
