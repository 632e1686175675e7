/** What to do with a tick while the run of the one before is still going. */
export enum Overlap {
  /** The tick does not become a run; that is on record. */
  SKIP = 'skip',
  /** It waits for the end of that run. At most one waits: a later tick takes its place. */
  QUEUE = 'queue',
  /** That run is stopped. */
  REPLACE = 'replace',
  /** Both run. */
  ALLOW = 'allow',
}

/** How VMs are bought. */
export enum SpotPolicy {
  ON_DEMAND = 'on-demand',
  /** Spot VMs only. */
  SPOT = 'spot',
  /** Spot VMs, and VMs on demand when there are none to be had. */
  SPOT_WITH_FALLBACK = 'spot_with_fallback',
}

/** Architecture of the VMs. */
export enum Architecture {
  X86_64 = 'x86_64',
  ARM64 = 'arm64',
}
