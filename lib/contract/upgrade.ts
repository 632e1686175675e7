import { RawcloudError } from './errors';

/**
 * How the scaffolding of a version goes with a client of another. What decides is the number `v` of the scaffolding's
 * parameter: within one `v` every client works with every scaffolding, older or newer. A higher `v` than a client knows is
 * refused by name.
 */
export type VersionRelation = 'same' | 'older' | 'newer';

/** The scaffolding's version as seen from the client's. Releases only: what follows a dash does not count. */
export function relationOf(scaffolding: string, client: string): VersionRelation {
  const [theirs, ours] = [numbers(scaffolding), numbers(client)];
  for (const i of [0, 1, 2]) {
    const difference = (theirs[i] ?? 0) - (ours[i] ?? 0);
    if (difference !== 0) return difference < 0 ? 'older' : 'newer';
  }
  return 'same';
}

/** The command that brings the client to a version. */
export function clientUpdateCommand(version: string): string {
  return `npm install --global rawcloud@${version}`;
}

/** The command that lays the scaffolding down, or brings it to the client's version. */
export function scaffoldUpdateCommand(name: string, region: string): string {
  return `rawcloud deploy --region ${region}${name === 'default' ? '' : ` --scaffold ${name}`}`;
}

/** Refuses a parameter of a scaffolding that this client cannot read. @param written what stands in it */
export function refuseNewerScaffold(written: { readonly v?: unknown; readonly version?: unknown }): void {
  const { v, version } = written;
  if (typeof v !== 'number' || v <= 1) return;
  const release = typeof version === 'string' && /^\d+\.\d+\.\d+$/.test(version) ? version : 'latest';
  throw new RawcloudError(
    'E_NEWER',
    `the scaffolding is of format ${v} (rawcloud ${typeof version === 'string' ? version : 'of an unknown version'}); this client reads format 1`,
    { remedy: `Update the client: ${clientUpdateCommand(release)}` },
  );
}

function numbers(version: string): number[] {
  return version
    .split('-')[0]!
    .split('.')
    .map((part) => Number.parseInt(part, 10) || 0);
}
