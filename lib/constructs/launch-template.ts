import { Fn } from 'aws-cdk-lib';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { TAGS, userData } from '../contract';

export interface LaunchTemplateProps {
  /** Name of the scaffolding. */
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly roleId: string;
  readonly instanceProfileArn: string;
  readonly securityGroupIds: string[];
  /** Of the company, on all that a launch makes. */
  readonly vmTags: Readonly<Record<string, string>>;
}

/**
 * What is equal in all launches. Image and type go with each call (an image written down at deployment goes stale),
 * as does what is said of credits and disks, which depend on them.
 */
export function createLaunchTemplate(scope: Construct, props: LaunchTemplateProps): CfnLaunchTemplate {
  const { bucket, region, roleId } = props;
  const tags = [{ key: TAGS.scaffold, value: props.name }];
  const demanded = Object.entries(props.vmTags).map(([key, value]) => ({ key, value }));
  const launched = demanded.length === 0 ? [] : ['instance', 'volume'].map((resourceType) => ({ resourceType, tags: demanded }));
  return new CfnLaunchTemplate(scope, 'LaunchTemplate', {
    versionDescription: 'rawcloud',
    tagSpecifications: [{ resourceType: 'launch-template', tags }],
    launchTemplateData: {
      iamInstanceProfile: { arn: props.instanceProfileArn },
      securityGroupIds: props.securityGroupIds,
      instanceInitiatedShutdownBehavior: 'terminate',
      // One hop: containers and tunnels on the VM do not reach the role.
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1, instanceMetadataTags: 'disabled' },
      userData: Fn.base64(userData({ bucket, region, roleId })),
      tagSpecifications: [...launched, { resourceType: 'network-interface', tags: [...tags, ...demanded] }],
    },
  });
}
