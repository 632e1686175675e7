import { execFile } from 'node:child_process';

export type Env = Readonly<Record<string, string | undefined>>;

export interface GitAnswer {
  readonly stdout: Buffer;
  /** Why there is no answer. */
  readonly failure?: string;
}

/** Asks the git program. Never rejects: without an answer the walk does with less, and says so. */
export function askGit(cwd: string, env: Env, args: readonly string[]): Promise<GitAnswer> {
  const options = { cwd, env: cleanEnv(env), encoding: 'buffer', maxBuffer: 2 ** 30 } as const;
  return new Promise((resolve) => {
    execFile('git', ['-c', 'core.fsmonitor=false', ...args], options, (error, stdout, stderr) => {
      if (!error) return resolve({ stdout });
      // `git config` leaves with 1 when nothing is set, which is no failure.
      if (error.code === 1 && stderr.byteLength === 0) return resolve({ stdout });
      const said = stderr.toString().split('\n')[0] || error.message;
      const failure = error.code === 'ENOENT' ? 'there is no git program' : said.replace(/^fatal: /, '');
      resolve({ stdout: Buffer.alloc(0), failure });
    });
  });
}

/** In a hook of git, GIT_DIR and its like point at the repository of the hook, not at the one asked for. */
function cleanEnv(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined && !/^GIT_(?!CONFIG_)/.test(pair[0]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' };
}
