import * as v from 'valibot';
import type { Distribution } from './distributions';

/** How a package is asked for on the VM, or why it cannot be. */
export type Requirement =
  | { readonly kind: 'requirement'; readonly name: string; readonly line: string }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: 'local' | 'private' | 'damaged'; readonly why: string };

/** direct_url.json. Source: PyPA specification "Recording the direct URL origin of installed distributions" (PEP 610). */
const DirectUrlSchema = v.object({
  url: v.string(),
  subdirectory: v.optional(v.string()),
  dir_info: v.optional(v.object({ editable: v.optional(v.boolean()) })),
  vcs_info: v.optional(v.object({ vcs: v.string(), commit_id: v.string() })),
  archive_info: v.optional(v.object({ hash: v.optional(v.string()), hashes: v.optional(v.record(v.string(), v.string())) })),
});
type DirectUrl = v.InferOutput<typeof DirectUrlSchema>;

/** PEP 503: names that differ in case, dots, dashes and underscores only are one name. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** PEP 440 leaves no room for white space, option dashes or markers: what else stands there is no version. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.!+_-]*$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** The exact requirement that makes this package again. */
export function requirementOf(distribution: Distribution): Requirement {
  const { name, version, linkedTo, directUrl, record } = distribution;
  if (linkedTo !== undefined) return { kind: 'refused', name, reason: 'local', why: `points at ${linkedTo}` };
  if (!NAME.test(name) || version === undefined || !VERSION.test(version)) {
    return { kind: 'refused', name, reason: 'damaged', why: `${record} does not say name and version` };
  }
  if (directUrl === undefined) return { kind: 'requirement', name, line: `${canonicalName(name)}==${version}` };
  const parsed = v.safeParse(DirectUrlSchema, directUrl);
  if (!parsed.success) return { kind: 'refused', name, reason: 'damaged', why: `${record}/direct_url.json cannot be read` };
  return requirementOfUrl(name, parsed.output);
}

function requirementOfUrl(name: string, direct: DirectUrl): Requirement {
  const url = parseUrl(direct.url);
  if (direct.dir_info) {
    const how = direct.dir_info.editable ? 'an editable install of' : 'installed from';
    return { kind: 'refused', name, reason: 'local', why: `${how} ${url?.pathname ?? 'a directory'}` };
  }
  // git's own short form `git@host:path`, which is ssh.
  const sshHost = /^[\w.-]+@([\w.-]+):/.exec(direct.url)?.[1] ?? (url?.protocol === 'ssh:' ? url.host : undefined);
  if (sshHost !== undefined) return { kind: 'refused', name, reason: 'private', why: `installed from ${sshHost} over ssh` };
  if (!url || url.protocol === 'file:')
    return { kind: 'refused', name, reason: 'local', why: `installed from ${url?.pathname ?? 'a file'}` };
  if (hasCredentials(url))
    return { kind: 'refused', name, reason: 'private', why: `installed from ${url.host} with credentials in the URL` };
  return { kind: 'requirement', name, line: `${canonicalName(name)} @ ${urlRequirement(direct)}` };
}

function urlRequirement({ url, subdirectory, vcs_info: vcs, archive_info: archive }: DirectUrl): string {
  const sha256 = archive?.hashes?.['sha256'] ?? /^sha256=(\w+)$/.exec(archive?.hash ?? '')?.[1];
  const fragment = [sha256 ? `sha256=${sha256}` : '', subdirectory ? `subdirectory=${subdirectory}` : '']
    .filter((part) => part !== '')
    .join('&');
  const base = vcs ? `${vcs.vcs}+${url}@${vcs.commit_id}` : url;
  return fragment ? `${base}#${fragment}` : base;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * True when a URL tells a secret: userinfo other than git's customary user name, or a query that reads like a token.
 * Works on the URL alone, so that the caller can name the host without showing the rest.
 */
export function hasCredentials(url: URL): boolean {
  const user = url.username !== '' && url.username !== 'git';
  const query = [...url.searchParams.keys()].some((key) => /token|key|secret|passw|sig|auth|credential/i.test(key));
  return user || url.password !== '' || query;
}
