import type { Arch } from '../../contract';
import { fixedId } from './ids';

export interface Image {
  readonly id: string;
  readonly name: string;
  readonly arch: Arch;
  readonly rootDevice: string;
  readonly rootGiB: number;
  readonly snapshotId: string;
}

/**
 * The images of the local cloud. They stand for Amazon Linux 2023; what runs is the host's own system, whatever the
 * architecture says.
 */
export function localImages(region: string): readonly Image[] {
  return (['x86_64', 'arm64'] as const).map((arch) => ({
    id: fixedId('ami', `${region} ${arch}`),
    name: `rawcloud-local-${arch}`,
    arch,
    rootDevice: '/dev/xvda',
    rootGiB: 8,
    snapshotId: fixedId('snap', `${region} ${arch}`),
  }));
}
