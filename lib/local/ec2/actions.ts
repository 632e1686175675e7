import type { Principal } from '../service';
import type { XmlFields } from '../xml';
import { consoleOutput, describeInstances, rebootInstances, startInstances, stopInstances, terminateInstances } from './instances';
import { deleteNetworkInterface, deleteVolume } from './delete-attached';
import { describeAvailabilityZones, describeSubnets, describeVpcs } from './describe-network';
import { describeAccountAttributes, describeRegions } from './describe-account';
import { describeInstanceAttribute } from './describe-attribute';
import { describeImages } from './describe-images';
import { describeInstanceTypeOfferings } from './describe-offerings';
import { describeInstanceStatus } from './describe-status';
import { describeInstanceTypes } from './describe-types';
import { cancelSpotInstanceRequests, describeSpotInstanceRequests } from './spot-requests';
import { describeSpotPriceHistory } from './describe-spot-prices';
import { describeNetworkInterfaces, describeVolumes } from './describe-attached';
import type { Fleet } from './fleet';
import {
  createLaunchTemplate,
  createLaunchTemplateVersion,
  deleteLaunchTemplate,
  describeLaunchTemplates,
  describeLaunchTemplateVersions,
  modifyLaunchTemplate,
} from './launch-templates';
import type { FlatParams, Params } from './query';
import { createSecurityGroup, deleteSecurityGroup, describeSecurityGroups } from './security-groups';
import { runInstances } from './run-instances';
import { createTags, deleteTags, describeTags } from './tag-actions';
import type { Ec2State } from './state';

/** One call, as an action sees it. */
export interface Ec2Call {
  readonly state: Ec2State;
  readonly fleet: Fleet;
  readonly principal: Principal;
  readonly params: Params;
  readonly flat: FlatParams;
}

/** Carries a call out; the result is what stands in its response element beside the request id. */
export type Ec2Action = (call: Ec2Call) => XmlFields | Promise<XmlFields>;

/** Everything that the local cloud's EC2 can do, by name. */
export const ACTIONS: Readonly<Record<string, Ec2Action>> = {
  RunInstances: runInstances,
  DescribeInstances: describeInstances,
  TerminateInstances: terminateInstances,
  StopInstances: stopInstances,
  StartInstances: startInstances,
  RebootInstances: rebootInstances,
  GetConsoleOutput: consoleOutput,
  CreateTags: createTags,
  DeleteTags: deleteTags,
  DescribeTags: describeTags,
  CreateLaunchTemplate: createLaunchTemplate,
  CreateLaunchTemplateVersion: createLaunchTemplateVersion,
  ModifyLaunchTemplate: modifyLaunchTemplate,
  DeleteLaunchTemplate: deleteLaunchTemplate,
  DescribeLaunchTemplates: describeLaunchTemplates,
  DescribeLaunchTemplateVersions: describeLaunchTemplateVersions,
  CreateSecurityGroup: createSecurityGroup,
  DeleteSecurityGroup: deleteSecurityGroup,
  DescribeSecurityGroups: describeSecurityGroups,
  DescribeAvailabilityZones: describeAvailabilityZones,
  DescribeVpcs: describeVpcs,
  DescribeSubnets: describeSubnets,
  DescribeVolumes: describeVolumes,
  DeleteVolume: deleteVolume,
  DescribeNetworkInterfaces: describeNetworkInterfaces,
  DeleteNetworkInterface: deleteNetworkInterface,
  DescribeImages: describeImages,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeInstanceTypeOfferings: describeInstanceTypeOfferings,
  DescribeInstanceAttribute: describeInstanceAttribute,
  DescribeInstanceStatus: describeInstanceStatus,
  DescribeRegions: describeRegions,
  DescribeAccountAttributes: describeAccountAttributes,
  DescribeSpotPriceHistory: describeSpotPriceHistory,
  DescribeSpotInstanceRequests: describeSpotInstanceRequests,
  CancelSpotInstanceRequests: cancelSpotInstanceRequests,
};
