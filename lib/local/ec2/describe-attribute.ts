import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { invalidParameter } from './errors';
import { findInstances } from './find-instances';
import { renderGroups } from './instance-xml';
import { required } from './query';
import type { InstanceRecord } from './records';
import type { Ec2State } from './state';

type Reader = (i: InstanceRecord, state: Ec2State) => XmlFields;

/** Source: EC2 API reference, DescribeInstanceAttribute. What is left out concerns nothing that the local cloud has. */
const ATTRIBUTES: Readonly<Record<string, Reader>> = {
  instanceType: (i) => ({ instanceType: { value: i.type } }),
  userData: (i) => ({ userData: i.userData === '' ? '' : { value: i.userData } }),
  instanceInitiatedShutdownBehavior: (i) => ({ instanceInitiatedShutdownBehavior: { value: i.onShutdown } }),
  rootDeviceName: (i) => ({ rootDeviceName: { value: i.volumes[0]?.device } }),
  groupSet: (i, state) => ({ groupSet: renderGroups(state, i.groupIds) }),
  disableApiTermination: () => ({ disableApiTermination: { value: false } }),
  disableApiStop: () => ({ disableApiStop: { value: false } }),
  ebsOptimized: () => ({ ebsOptimized: { value: false } }),
  sourceDestCheck: () => ({ sourceDestCheck: { value: true } }),
};

export function describeInstanceAttribute({ state, params }: Ec2Call): XmlFields {
  const name = required(params, 'Attribute');
  const instance = findInstances(state, [required(params, 'InstanceId')])[0]!;
  const reader = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
  if (!reader) throw invalidParameter(`Value (${name}) for parameter attribute is invalid. Unknown attribute.`);
  return { instanceId: instance.id, ...reader(instance, state) };
}
