import type { ErrorText } from './error-text';

/** The texts of what the scaffolding lacks, or what laying it down can fail of. */
export const SCAFFOLDING_ERROR_TEXTS = {
  E_NO_SCAFFOLDING: {
    means: 'The account has no bucket and role for rawcloud in this region. Nothing was launched.',
    why: ['It was never deployed here.', 'The region, the profile or the name of the scaffolding is another.'],
    todo: [
      'An administrator deploys it once: `rawcloud deploy`.',
      'Check `--region`, `--profile` and `--scaffold`.',
      '`--local` needs none.',
    ],
  },
  E_NO_ROLE: {
    means: 'There is no JobRole of that name in the scaffolding. Nothing was launched.',
    why: ['The name is misspelt, or of another scaffolding.', 'The app that has the role is not deployed in this account and region.'],
    todo: [
      'Take one of the names that the error lists.',
      "Lay one down: `new JobRole(stack, 'training', { cloud })`, then `cdk deploy`.",
      'Without `--role` the job has your own identity.',
    ],
  },
  E_NOT_BOOTSTRAPPED: {
    means: 'The account has no place in this region from which CloudFormation takes the code of functions. Nothing was deployed.',
    why: ['No CDK app was ever deployed in this account and region.', 'The region or the profile is another.'],
    todo: [
      'An administrator does it once: `rawcloud deploy --bootstrap`, or `npx aws-cdk bootstrap aws://ACCOUNT/REGION`.',
      '`--execution-policy` says what CloudFormation may do in the account; without it that is AdministratorAccess.',
      'Check `--region` and `--profile`.',
    ],
  },
  E_NO_NETWORK: {
    means: 'VMs would have no network to be launched in. Nothing was deployed.',
    why: [
      'The region has no default VPC, as in many companies.',
      'The VPC has no subnet that gives public addresses.',
      'A subnet is not of that VPC.',
    ],
    todo: [
      '`aws ec2 create-default-vpc` makes the default VPC anew, free of charge.',
      '`rawcloud deploy --vpc vpc-… --subnets subnet-…` takes a VPC of yours; private subnets need a way to S3.',
    ],
  },
  E_DEPLOY: {
    means: 'CloudFormation could not make or change the scaffolding. It takes back what it has begun; jobs that run are not touched.',
    why: [
      'A resource of that name exists and is not of this stack.',
      'CloudFormation lacks a permission, or a policy of the organization forbids it.',
      'A stack of an earlier attempt stands still.',
    ],
    todo: [
      'Follow the line below the error: it names the resource and the cause.',
      'Start `rawcloud deploy` again: it goes on from any state.',
    ],
  },
} satisfies Readonly<Record<string, ErrorText>>;
