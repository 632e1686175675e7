import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../../contract';
import type { Notice } from '../../contract';
import { gitDirectoriesOf, readText } from './directories';
import type { GitDirectories } from './directories';
import { readIndex } from './index-file';
import { askGit } from './program';
import type { Env } from './program';
import { askSettings, guessSettings, sameSettings } from './settings';
import type { GitSettings } from './settings';
import { TrackedNames } from './tracked-names';

/** What git knows about a work tree besides its .gitignore files. */
export interface GitFacts {
  /** core.ignoreCase: usual on macOS. */
  readonly ignoreCase: boolean;
  /** Texts of the global ignore file and of info/exclude, bytes as latin1, weakest first. */
  readonly excludes: readonly string[];
  readonly tracked: TrackedNames;
  readonly notices: readonly Notice[];
}

/**
 * What git knows about the repositories of one tree. Where its settings are not plain to see, git is asked for them while the
 * walk goes on with what they seem to be. Should they be others, the walk is to be done again.
 */
export class GitKnowledge {
  readonly #assumed = new Map<string, GitSettings>();
  readonly #asked = new Map<string, Promise<GitSettings | undefined>>();

  constructor(private readonly options: { readonly env: Env; readonly home: string }) {}

  /** `workTree`: absolute. */
  async factsOf(workTree: string): Promise<GitFacts> {
    const { env, home } = this.options;
    const directories = gitDirectoriesOf(workTree);
    const settings = this.#assumed.get(workTree) ?? this.#guess(workTree, directories);
    const global = settings.excludesFile ?? path.join(env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'git', 'ignore');
    const excludes = [global === '' ? '' : path.resolve(workTree, global), path.join(directories.common, 'info', 'exclude')];
    return {
      ignoreCase: settings.ignoreCase,
      excludes: excludes.map((file) => readText(file, 'latin1')),
      ...(await trackedIn(workTree, directories, env)),
    };
  }

  #guess(workTree: string, { common }: GitDirectories): GitSettings {
    const { settings, isSure } = guessSettings(common, this.options);
    this.#assumed.set(workTree, settings);
    if (!isSure) this.#asked.set(workTree, askSettings(workTree, this.options.env));
    return settings;
  }

  /** Whether all facts that were given were git's own; if not, they are from now on. */
  async areRight(): Promise<boolean> {
    let right = true;
    for (const [workTree, asked] of this.#asked) {
      const settings = await asked;
      if (!settings || sameSettings(settings, this.#assumed.get(workTree)!)) continue;
      this.#assumed.set(workTree, settings);
      right = false;
    }
    return right;
  }
}

async function trackedIn(workTree: string, { own }: GitDirectories, env: Env): Promise<Pick<GitFacts, 'tracked' | 'notices'>> {
  const read = readTracked(path.join(own, 'index'));
  if (read) return { tracked: read, notices: [] };
  const { stdout, failure } = await askGit(workTree, env, ['ls-files', '-z', '-c']);
  const tracked = TrackedNames.ofList(stdout);
  return { tracked, notices: failure === undefined ? [] : [{ level: 'warning', text: blindText(workTree, failure) }] };
}

/** @returns undefined when git is to be asked */
function readTracked(indexFile: string): TrackedNames | undefined {
  try {
    return readIndex(readFileSync(indexFile));
  } catch (error) {
    return hasCode(error, 'ENOENT') ? TrackedNames.none : undefined;
  }
}

function blindText(workTree: string, failure: string): string {
  return `git could not list the tracked files of ${workTree} (${failure}): files that are tracked and match an ignore rule are left out`;
}
