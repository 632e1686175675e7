import { isRawcloudError, RawcloudError } from '../../contract';
import type { NodeManager } from '../../contract';
import { diskFull, saysDiskFull } from './disk-full';

/** Lines kept of what a manager said. */
const SHOWN = 3;

/** How each manager begins a line about a failure, and which of those say nothing. */
const ERRORS: Readonly<Record<NodeManager, RegExp>> = {
  npm: /^npm (?:error|ERR!) (?!A complete log)(.*\S)/,
  pnpm: /^\s*(?:\[?(ERR_PNPM_\w+\]?.*)| ?ERROR\s+(.*\S)|ERR\w*\s+(.*\S))/,
  yarn: /^(?:error (?!Command failed|Exit code)(.*\S)|➤ YN\d+: [│ ]*((?:.*(?:[Ee]rror|fail|couldn't|can't|invalid|forbidden|not found|mismatch|integrity).*)))/,
  bun: /^error: (.*\S)/,
};

/** What is the matter, by how programs say it, and what to do. The first that fits. */
const CAUSES: readonly (readonly [pattern: RegExp, what: string, remedy: string])[] = [
  [
    /gyp ERR! (?:stack Error: )?not found: |(?:make|cc|gcc|g\+\+|c\+\+|clang)(?:: command)?: (?:command )?not found|gyp ERR! find Python.*(?:not found|could not)|Could not find any Python installation|spawn (?:make|cc|g\+\+) ENOENT/i,
    'a package is built from source, and the VM lacks what builds it (a C++ compiler, make, Python)',
    'Install them before (--setup "dnf install -y gcc-c++ make python3"), use an image that has them (--image), or a version of the package that brings binaries for the VM.',
  ],
  [
    /EINTEGRITY|TARBALL_INTEGRITY|Integrity check|integrity checksum|YN0018|checksum.*(?:match|fail)/i,
    'a package is not what the lockfile says it is',
    'Ask whoever runs the registry why it differs; if the change is right, write the lockfile anew here.',
  ],
  [
    /\bE401\b|\bE403\b|ERR_PNPM_FETCH_40[13]|\b40[13]\b.*(?:Unauthorized|Forbidden)|(?:Unauthorized|Forbidden)|authentication|YN0033|YN0041/i,
    'a registry wants credentials that the VM does not have',
    "Log in here ('npm login', or a token in ~/.npmrc or ~/.yarnrc.yml): they travel sealed. Deployed jobs carry none.",
  ],
  [
    /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|ERR_PNPM_META_FETCH_FAIL|RequestError|ConnectionRefused|FailedToOpenSocket/,
    'a registry cannot be reached from the VM',
    'Check that the registry is up, and that the subnet of the VM leads to it; a registry on your own machine is not to be had there.',
  ],
  [
    /\bE404\b|ERR_PNPM_FETCH_404|\b404\b|YN0035|not in this registry/,
    'a registry does not have a package',
    'Check its name and version; private packages also look like that to who has no credentials.',
  ],
  [
    /EUSAGE|OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH|needs to be updated|YN0028|lockfile had changes|frozen/i,
    'the lockfile does not fit package.json',
    'Write the lockfile anew with the manager here, and keep what it writes.',
  ],
  [
    /IGNORED_BUILDS/,
    'packages have install scripts that the project does not allow',
    "Run 'pnpm approve-builds' here, and keep what it writes.",
  ],
];

/** Packages that a failing script belongs to: `npm error path /…/node_modules/x`, `➤ YN0009: │ x@npm:1 couldn't be built`. */
const CULPRIT = [
  /^npm (?:error|ERR!) path .*node_modules\/((?:@[^/]+\/)?[^/]+)$/,
  /YN0009: [│ ]*(\S+?)@\S* couldn't be built/,
  /^(?:node_modules\/\.pnpm\/\S*\/)?node_modules\/((?:@[^/\s]+\/)?[^/\s:]+) (?:\w*install)[:$]? .*(?:Failed|ERR)/i,
  /^error: (?:pre|post)?install script from "([^"]+)"/,
  /^error .*node_modules\/((?:@[^/]+\/)?[^/:]+): Command failed/,
];

/** Listens to a manager, so that it can be said what failed, why, and what to do. */
export function watchFailure(manager: NodeManager): { onLine: (line: string) => void; explain(cause: unknown): RawcloudError } {
  const said: string[] = [];
  let cause: (typeof CAUSES)[number] | undefined;
  let culprit: string | undefined;
  let isFull = false;
  const look = (line: string): void => {
    isFull ||= saysDiskFull(line);
    const [, ...texts] = ERRORS[manager].exec(line) ?? [];
    const text = texts.find((found) => found !== undefined);
    if (text !== undefined && said.length < SHOWN) said.push(text.trim());
    const found = CAUSES.find(([pattern]) => pattern.test(line));
    if (found && (!cause || CAUSES.indexOf(found) < CAUSES.indexOf(cause))) cause = found;
    culprit ??= CULPRIT.map((pattern) => pattern.exec(line)?.[1]).find((name) => name !== undefined);
  };
  return {
    onLine: look,
    explain: (failure) => {
      if (isFull) return diskFull('Node packages', failure);
      const words = said.length > 0 ? said.join('; ') : isRawcloudError(failure) ? failure.message : String(failure);
      const why = [culprit === undefined ? [] : [`${culprit}: `], cause ? [`${cause[1]}: `] : []].flat().join('');
      const remedy = 'The environment log has all it said (rawcloud logs --environment).';
      return new RawcloudError('E_ENVIRONMENT', `${manager} could not install the Node packages: ${why}${words}`, {
        remedy: cause ? `${cause[2]} ${remedy}` : remedy,
        ...(culprit === undefined ? {} : { data: { packages: [culprit] } }),
        cause: failure,
      });
    },
  };
}
