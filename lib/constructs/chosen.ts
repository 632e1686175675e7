import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { SecurityGroup, Subnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { ScaffoldChoices } from '../contract';
import type { SpotPolicy } from './choices';
import type { RawCloudProps } from './raw-cloud-props';

/** Choices of a command line as props; what exists already is imported below `scope`. */
export function propsOfChoices(scope: Construct, choices: ScaffoldChoices): RawCloudProps {
  const {
    maxVms,
    maxLifetimeS,
    allowedVmTypes,
    allowedSpotPolicies,
    vmTags,
    vpc,
    securityGroupIds,
    watchedRegions,
    permissionsBoundary,
    bucket,
    keyArn,
    removalPolicy,
    shared,
    allowExec,
    metrics,
    reaperIntervalS,
    logRetentionDays,
  } = choices;
  return {
    ...(maxVms === undefined ? {} : { maxVms }),
    ...(maxLifetimeS === undefined ? {} : { maxLifetime: Duration.seconds(maxLifetimeS) }),
    ...(allowedVmTypes ? { allowedVmTypes } : {}),
    ...(allowedSpotPolicies ? { allowedSpotPolicies: allowedSpotPolicies.map((policy) => policy as SpotPolicy) } : {}),
    ...(vmTags ? { vmTags } : {}),
    ...(vpc ? networkProps(scope, vpc) : {}),
    ...(securityGroupIds
      ? { securityGroups: securityGroupIds.map((id) => SecurityGroup.fromSecurityGroupId(scope, id, id, { mutable: false })) }
      : {}),
    ...(watchedRegions ? { watchedRegions } : {}),
    ...(permissionsBoundary === undefined ? {} : { permissionsBoundary: boundaryOf(scope, permissionsBoundary) }),
    ...(keyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(scope, 'ChosenKey', keyArn) }),
    ...(bucket === undefined ? {} : { bucket: Bucket.fromBucketName(scope, 'ChosenBucket', bucket) }),
    ...(removalPolicy === undefined ? {} : { removalPolicy: REMOVAL_POLICIES[removalPolicy] }),
    ...(shared ? { shared } : {}),
    ...(allowExec ? { allowExec } : {}),
    ...(metrics ? { metrics } : {}),
    ...(reaperIntervalS === undefined ? {} : { reaperInterval: Duration.seconds(reaperIntervalS) }),
    // The CDK's enumeration is that of the days.
    ...(logRetentionDays === undefined ? {} : { logRetention: logRetentionDays === 'forever' ? RetentionDays.INFINITE : logRetentionDays }),
  };
}

const REMOVAL_POLICIES = { retain: RemovalPolicy.RETAIN, destroy: RemovalPolicy.DESTROY } as const;

function networkProps(scope: Construct, { id, subnets }: NonNullable<ScaffoldChoices['vpc']>): Pick<RawCloudProps, 'vpc' | 'vpcSubnets'> {
  const inPublic = subnets.filter((subnet) => subnet.public);
  const vpc = Vpc.fromVpcAttributes(scope, 'ChosenVpc', {
    vpcId: id,
    availabilityZones: (inPublic.length > 0 ? inPublic : subnets).map(({ zone }) => zone),
    ...(inPublic.length > 0 ? { publicSubnetIds: inPublic.map((subnet) => subnet.id) } : {}),
  });
  const chosen = subnets.map((subnet) =>
    Subnet.fromSubnetAttributes(scope, subnet.id, { subnetId: subnet.id, availabilityZone: subnet.zone }),
  );
  return { vpc, vpcSubnets: { subnets: chosen } };
}

function boundaryOf(scope: Construct, policy: string): RawCloudProps['permissionsBoundary'] {
  return policy.startsWith('arn:')
    ? ManagedPolicy.fromManagedPolicyArn(scope, 'ChosenBoundary', policy)
    : ManagedPolicy.fromManagedPolicyName(scope, 'ChosenBoundary', policy);
}
