/** A file of a package, as far as a lockfile tells. */
export interface LockedFile {
  /** Absent where only the hash is recorded. */
  readonly name?: string;
  /** `sha256:…` */
  readonly hash: string;
}

/** Where a lockfile takes a package from. */
export type LockedOrigin =
  /** `url`: absent where the lockfile does not say which index. */
  | { readonly kind: 'index'; readonly url?: string }
  | { readonly kind: 'git'; readonly url: string; readonly commit: string; readonly subdirectory?: string }
  | { readonly kind: 'url'; readonly url: string }
  /** Relative to the lockfile's directory. */
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A project that is no package: it has dependencies, and nothing to install. */
  | { readonly kind: 'virtual' };

export interface LockedDependency {
  readonly name: string;
  /** Where a lockfile has several versions of the name. */
  readonly version?: string;
  readonly marker?: string;
  /** Of the package that is depended on. */
  readonly extras: readonly string[];
}

export interface LockedPackage {
  /** Canonical. */
  readonly name: string;
  /** Absent for what is built from a directory, where tools leave it out. */
  readonly version?: string;
  readonly origin: LockedOrigin;
  readonly files: readonly LockedFile[];
  /** Says by itself whether the package is wanted; see {@link Lock.roots}. */
  readonly marker?: string;
  readonly dependencies: readonly LockedDependency[];
  /** By extra. */
  readonly optional: Readonly<Record<string, readonly LockedDependency[]>>;
}

/** What a lockfile of any tool says. */
export interface Lock {
  /** Of all groups and extras, for all platforms. */
  readonly packages: readonly LockedPackage[];
  /**
   * What is to be installed when nothing special is asked for: everything that can be reached from `dependencies`, or, where
   * each package says by itself when it is wanted, those of `wanted`.
   */
  readonly roots: { readonly dependencies: readonly LockedDependency[] } | { readonly wanted: ReadonlySet<LockedPackage> };
}
