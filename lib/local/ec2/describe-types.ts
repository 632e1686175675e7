import { ServiceError } from '../service';
import type { XmlFields } from '../xml';
import type { Ec2Call } from './actions';
import { applyFilters } from './filters';
import type { Filterable } from './filters';
import { INSTANCE_TYPES } from './instance-types';
import type { InstanceType } from './instance-types';
import { page } from './paging';
import { texts } from './query';
import { set } from './render';

/** x86 cores run two threads; Graviton's and AMD's of the seventh generation run one. */
function threadsPerCore({ arch, name }: InstanceType): number {
  return arch === 'arm64' || /^[cmr]7a\./.test(name) || name.endsWith('.medium') ? 1 : 2;
}

/** Source: EC2 API reference, DescribeInstanceTypes, Filters. */
const FILTERS: Filterable<InstanceType> = {
  values: {
    'instance-type': (t) => t.name,
    'auto-recovery-supported': () => 'true',
    'bare-metal': () => 'false',
    'burstable-performance-supported': (t) => String(t.burstable),
    'current-generation': () => 'true',
    'dedicated-hosts-supported': (t) => String(!t.burstable),
    'free-tier-eligible': (t) => String(/^t(3|4g)\.(micro|small)$/.test(t.name)),
    'hibernation-supported': () => 'false',
    hypervisor: () => 'nitro',
    'instance-storage-supported': () => 'false',
    'memory-info.size-in-mib': (t) => String(t.memoryMiB),
    'network-info.ena-support': () => 'required',
    'ebs-info.ebs-optimized-support': () => 'default',
    'ebs-info.nvme-support': () => 'required',
    'processor-info.supported-architecture': (t) => t.arch,
    'supported-boot-mode': (t) => (t.arch === 'arm64' ? ['uefi'] : ['legacy-bios', 'uefi']),
    'supported-root-device-type': () => 'ebs',
    'supported-usage-class': () => ['on-demand', 'spot'],
    'supported-virtualization-type': () => 'hvm',
    'vcpu-info.default-cores': (t) => String(t.vcpu / threadsPerCore(t)),
    'vcpu-info.default-threads-per-core': (t) => String(threadsPerCore(t)),
    'vcpu-info.default-vcpus': (t) => String(t.vcpu),
  },
};

export function describeInstanceTypes({ params }: Ec2Call): XmlFields {
  const names = texts(params, 'InstanceType');
  const missing = names.filter((n) => !INSTANCE_TYPES.has(n));
  if (missing.length > 0) {
    throw new ServiceError(400, 'InvalidInstanceType', `The following supplied instance types do not exist: [${missing.join(', ')}]`);
  }
  const all = [...INSTANCE_TYPES.values()];
  const fitting = applyFilters(names.length > 0 ? all.filter((t) => names.includes(t.name)) : all, params, FILTERS);
  const { items, nextToken } = page(fitting, params, (t) => t.name, { min: 5, max: 100, otherwise: 100 });
  return { instanceTypeSet: set(items.map(render)), nextToken };
}

function render(t: InstanceType): XmlFields {
  const threads = threadsPerCore(t);
  return {
    instanceType: t.name,
    currentGeneration: true,
    freeTierEligible: /^t(3|4g)\.(micro|small)$/.test(t.name),
    supportedUsageClasses: set(['on-demand', 'spot']),
    supportedRootDeviceTypes: set(['ebs']),
    supportedVirtualizationTypes: set(['hvm']),
    bareMetal: false,
    hypervisor: 'nitro',
    processorInfo: { supportedArchitectures: set([t.arch]) },
    vCpuInfo: { defaultVCpus: t.vcpu, defaultCores: t.vcpu / threads, defaultThreadsPerCore: threads },
    memoryInfo: { sizeInMiB: t.memoryMiB },
    instanceStorageSupported: false,
    ebsInfo: { ebsOptimizedSupport: 'default', encryptionSupport: 'supported', nvmeSupport: 'required' },
    networkInfo: { enaSupport: 'required', ipv6Supported: true },
    hibernationSupported: false,
    burstablePerformanceSupported: t.burstable,
    dedicatedHostsSupported: !t.burstable,
    autoRecoverySupported: true,
  };
}
