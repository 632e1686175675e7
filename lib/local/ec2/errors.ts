import type { Purchase } from '../quotas';
import { ServiceError } from '../service';

/*
 * Codes and texts as EC2's. Source: EC2 API reference, "Error codes for the Amazon EC2 API", and answers seen.
 */

export function invalidAction(action: string): ServiceError {
  return new ServiceError(400, 'InvalidAction', `The action ${action} is not valid for this web service.`);
}

export function unauthorized(): ServiceError {
  return new ServiceError(403, 'UnauthorizedOperation', 'You are not authorized to perform this operation.');
}

export function dryRun(): ServiceError {
  return new ServiceError(412, 'DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
}

export function missingParameter(name: string): ServiceError {
  return new ServiceError(400, 'MissingParameter', `The request must contain the parameter ${name}`);
}

/** Valid on EC2, but nothing that the local cloud could do: better refused than ignored. */
export function unsupported(what: string): ServiceError {
  return new ServiceError(400, 'UnsupportedOperation', `The local cloud does not support ${what}.`);
}

export function invalidParameter(message: string): ServiceError {
  return new ServiceError(400, 'InvalidParameterValue', message);
}

export function invalidCombination(message: string): ServiceError {
  return new ServiceError(400, 'InvalidParameterCombination', message);
}

export function tokenMismatch(): ServiceError {
  return new ServiceError(
    400,
    'IdempotentParameterMismatch',
    'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
  );
}

/** 500, which makes the SDK try again unless told not to: as on EC2. */
export function noCapacity(vmType: string, zone: string | undefined, others: readonly string[]): ServiceError {
  const message = zone
    ? `We currently do not have sufficient ${vmType} capacity in the Availability Zone you requested (${zone}). ` +
      'Our system will be working on provisioning additional capacity. ' +
      `You can currently get ${vmType} capacity by not specifying an Availability Zone in your request or choosing ${others.join(', ')}.`
    : `We currently do not have sufficient ${vmType} capacity in zones with support for the requested configuration. Our system will be working on provisioning additional capacity.`;
  return new ServiceError(500, 'InsufficientInstanceCapacity', message);
}

/** 500 too. */
export function noSpotCapacity(): ServiceError {
  return new ServiceError(500, 'InsufficientInstanceCapacity', 'There is no Spot capacity available that matches your request.');
}

/** @param maxPrice as sent @param usdPerHour the lowest price it could be had for */
export function spotPriceTooLow(maxPrice: string, usdPerHour: number): ServiceError {
  const message = `Your Spot request price of ${maxPrice} is lower than the minimum required Spot request fulfillment price of ${usdPerHour}.`;
  return new ServiceError(400, 'SpotMaxPriceTooLow', message);
}

export function quotaExceeded(purchase: Purchase, vcpus: number): ServiceError {
  if (purchase === 'spot') return new ServiceError(400, 'MaxSpotInstanceCountExceeded', 'Max spot instance count exceeded');
  return new ServiceError(
    400,
    'VcpuLimitExceeded',
    `You have requested more vCPU capacity than your current vCPU limit of ${vcpus} allows for the instance bucket that the specified ` +
      'instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.',
  );
}

export function spotRoleMissing(): ServiceError {
  return new ServiceError(
    403,
    'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
    'The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.',
  );
}

/** What kinds of ids are called in error codes: `InvalidInstanceID.NotFound`. */
const CODES = {
  instance: ['InvalidInstanceID', 'instance ID'],
  image: ['InvalidAMIID', 'image id'],
  group: ['InvalidGroup', 'security group'],
  template: ['InvalidLaunchTemplateId', 'launch template'],
  subnet: ['InvalidSubnetID', 'subnet ID'],
  vpc: ['InvalidVpcID', 'vpc ID'],
  volume: ['InvalidVolume', 'volume'],
  interface: ['InvalidNetworkInterfaceID', 'networkInterface ID'],
  spot: ['InvalidSpotInstanceRequestID', 'spot instance request ID'],
} as const;

export type IdKind = keyof typeof CODES;

/** Of ids that no kind of resource has. */
export function invalidId(id: string): ServiceError {
  return new ServiceError(400, 'InvalidID', `The ID '${id}' is not valid`);
}

/** The type exists, but not there. */
export function notInZone(vmType: string, zone: string, others: readonly string[]): ServiceError {
  return new ServiceError(
    400,
    'Unsupported',
    `Your requested instance type (${vmType}) is not supported in your requested Availability Zone (${zone}). ` +
      `Please retry your request by not specifying an Availability Zone or choosing ${others.join(', ')}.`,
  );
}

export function notFound(kind: IdKind, ids: readonly string[]): ServiceError {
  const [code, words] = CODES[kind];
  if (kind === 'image') return new ServiceError(400, `${code}.NotFound`, `The image id '[${ids.join(', ')}]' does not exist`);
  if (kind === 'template') {
    return new ServiceError(400, `${code}.NotFound`, `The specified launch template, with template ID ${ids.join(', ')}, does not exist.`);
  }
  const [plural, verb] = ids.length > 1 ? ['s', 'do'] : ['', 'does'];
  return new ServiceError(
    400,
    `${code}.NotFound`,
    `The ${words}${plural} '${ids.join(', ')}' ${verb} not exist${kind === 'volume' ? '.' : ''}`,
  );
}

export function malformed(kind: IdKind, id: string): ServiceError {
  const hint = kind === 'image' ? ' (expecting "ami-...")' : '';
  return new ServiceError(400, `${CODES[kind][0]}.Malformed`, `Invalid id: "${id}"${hint}`);
}
