/** A package of conda in a lockfile. */
export interface LockedConda {
  readonly name: string;
  readonly version: string;
  readonly build: string;
  /** As it stands there: it may hold credentials. */
  readonly url: string;
  readonly sha256?: string;
  readonly md5?: string;
  /** As a record has them: `python >=3.10`. */
  readonly depends: readonly string[];
}

/** A package of Python in a lockfile of conda's world. */
export interface LockedPip {
  readonly name: string;
  /** Absent for what lies in a directory. */
  readonly version?: string;
  /** As it stands there: a URL, or a path beside the lockfile. */
  readonly place: string;
  readonly sha256?: string;
}

/** What a lockfile asks for on one platform. */
export interface LockedSet {
  readonly conda: readonly LockedConda[];
  readonly pip: readonly LockedPip[];
  /** Index that its packages of Python come from. @default - that of the installer */
  readonly index?: string;
  /** Names of packages that it knows, and which need not be there: of groups that are asked for by name. */
  readonly optional: ReadonlySet<string>;
}

/** A lockfile, of one environment. */
export interface CondaLock {
  /** Its file, for people. */
  readonly name: string;
  /** By conda's name of the platform. */
  readonly platforms: ReadonlyMap<string, LockedSet>;
  /** How its tool writes it for one platform more. */
  readonly addPlatform: (subdir: string) => string;
}

/** What the URL of an archive tells: name, version and build of `https://…/numpy-1.26.4-py311h64a7726_0.conda`; undefined for what is no archive of conda. */
export function partsOfUrl(url: string): { name: string; version: string; build: string } | undefined {
  const file = URL.canParse(url) ? decodeURIComponent(new URL(url).pathname.split('/').at(-1)!) : '';
  const [, name, version, build] = /^(.+)-([^-]+)-([^-]+)\.(?:conda|tar\.bz2)$/.exec(file) ?? [];
  return name !== undefined && version !== undefined && build !== undefined ? { name, version, build } : undefined;
}
