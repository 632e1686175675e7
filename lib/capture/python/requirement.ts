import { fileURLToPath } from 'node:url';
import { canonicalName } from '../../contract';
import * as v from 'valibot';
import type { Distribution } from './distributions';

/** Where a package came from that no index gives. */
export type Origin =
  | { readonly kind: 'directory'; readonly path: string; readonly editable: boolean }
  | { readonly kind: 'file'; readonly path: string; readonly sha256?: string }
  /** `git+file:`: a repository of this machine. */
  | { readonly kind: 'repository'; readonly path: string; readonly commit: string; readonly subdirectory?: string }
  /** Elsewhere; `line`: how a VM can get it, `why`: why it cannot. */
  | { readonly kind: 'remote'; readonly line: string }
  | { readonly kind: 'unreachable'; readonly why: string }
  /** A link of `setup.py develop`, or a directory that a .pth file adds. */
  | { readonly kind: 'link'; readonly path: string };

/** How a package is asked for on the VM, or why it cannot be. */
export type Requirement =
  | { readonly kind: 'requirement'; readonly name: string; readonly version: string; readonly line: string }
  | { readonly kind: 'local'; readonly name: string; readonly version: string; readonly origin: Origin; readonly record: string }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: RefusalReason; readonly why: string };
export type RefusalReason = 'gone' | 'private' | 'damaged' | 'platform';

/** direct_url.json. Source: PyPA specification "Recording the direct URL origin of installed distributions" (PEP 610). */
const DirectUrlSchema = v.object({
  url: v.string(),
  subdirectory: v.optional(v.string()),
  dir_info: v.optional(v.object({ editable: v.optional(v.boolean()) })),
  vcs_info: v.optional(v.object({ vcs: v.string(), commit_id: v.string() })),
  archive_info: v.optional(v.object({ hash: v.optional(v.string()), hashes: v.optional(v.record(v.string(), v.string())) })),
});
type DirectUrl = v.InferOutput<typeof DirectUrlSchema>;

/** PEP 440 leaves no room for white space, option dashes or markers: what else stands there is no version. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.!+_-]*$/;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** The exact requirement that makes this package again, or what it was made from. */
export function requirementOf(distribution: Distribution): Requirement {
  const { name, version, linkedTo, directUrl, record } = distribution;
  if (linkedTo !== undefined) return { kind: 'local', name, version: version ?? '0', origin: { kind: 'link', path: linkedTo }, record };
  if (!NAME.test(name) || version === undefined || !VERSION.test(version)) {
    return { kind: 'refused', name, reason: 'damaged', why: `${record} does not say name and version` };
  }
  if (directUrl === undefined) return { kind: 'requirement', name, version, line: `${canonicalName(name)}==${version}` };
  const parsed = v.safeParse(DirectUrlSchema, directUrl);
  if (!parsed.success) return { kind: 'refused', name, reason: 'damaged', why: `${record}/direct_url.json cannot be read` };
  return { kind: 'local', name, version, origin: originOf(name, parsed.output), record };
}

function originOf(name: string, direct: DirectUrl): Origin {
  const url = parseUrl(direct.url);
  const { vcs_info: vcs, subdirectory } = direct;
  if (url?.protocol === 'file:') {
    const file = fileURLToPath(url);
    if (direct.dir_info) return { kind: 'directory', path: file, editable: direct.dir_info.editable ?? false };
    if (vcs) return { kind: 'repository', path: file, commit: vcs.commit_id, ...(subdirectory ? { subdirectory } : {}) };
    const sha256 = sha256In(direct);
    return { kind: 'file', path: file, ...(sha256 ? { sha256 } : {}) };
  }
  // git's own short form `git@host:path`, which is ssh.
  const sshHost = /^[\w.-]+@([\w.-]+):/.exec(direct.url)?.[1] ?? (url?.protocol === 'ssh:' ? url.host : undefined);
  if (sshHost !== undefined) return { kind: 'unreachable', why: `installed from ${sshHost} over ssh` };
  if (!url) return { kind: 'unreachable', why: 'installed from what is no URL' };
  if (hasCredentials(url)) return { kind: 'unreachable', why: `installed from ${url.host} with credentials in the URL` };
  return { kind: 'remote', line: `${canonicalName(name)} @ ${urlRequirement(direct)}` };
}

function sha256In({ archive_info: archive }: DirectUrl): string | undefined {
  return archive?.hashes?.['sha256'] ?? /^sha256=(\w+)$/.exec(archive?.hash ?? '')?.[1];
}

function urlRequirement(direct: DirectUrl): string {
  const { url, subdirectory, vcs_info: vcs } = direct;
  const sha256 = sha256In(direct);
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
